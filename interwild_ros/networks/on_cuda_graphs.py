"""The networks recorded as CUDA graphs: a GPU is told of all its work at once.

Small networks on one frame are hundreds of kernels of some microseconds, and telling a GPU of each
from Python takes longer than the work. A recording is of fixed shapes and fixed memory: each call
copies its inputs to where the recorded kernels read them. Other shapes are recorded anew, and the
old recordings stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from interwild_ros.networks.detectnet import Candidates, Detections
from interwild_ros.networks.interwild import HandReadings, InterWild
from interwild_ros.networks.steps import parts_of, readings_of, take_over
import torch
from torch import nn, Tensor

Step = Callable[..., Sequence[Tensor]]
Replay = Callable[[], None]
Record = Callable[[Callable[[], None]], Replay]

_RUNS_BEFORE = 3  # libraries choose their kernels in the first


def record_on_gpu(run: Callable[[], None]) -> Replay:
    """Record what a function has the current GPU do, and return what does it again.

    The function reads and writes the same memory each time, and asks nothing of the GPU's results.
    """
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(_RUNS_BEFORE):
            run()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode='thread_local'):  # others may use the GPU, too
        run()
    return graph.replay


class RecordedNetworks(InterWild):
    """The same networks, each call of which is recorded once and replayed. For inference alone.

    What is returned is the caller's own. Not thread-safe.
    """

    def __init__(self, networks: InterWild, record: Record = record_on_gpu) -> None:
        """Take the networks over, which stay as they are; nothing is recorded yet.

        :param networks: in evaluation mode, on the GPU.
        :param record: makes a recording.
        """
        nn.Module.__init__(self)
        take_over(self, networks)
        self._networks = (networks,)  # no module of this one: its parts are
        self._record = record
        self._detect = _Recorded(networks.detect, record)
        self._read_hands = _Recorded(lambda crops: parts_of(networks.read_hands(crops)), record)
        self._relate = _Recorded(lambda *inputs: (networks.relate(*inputs),), record)
        self._propose: dict[int, _Recorded] = {}

    def detect(self, body_pictures: Tensor) -> Detections:
        """Find both hands, see InterWild."""
        return Detections(*self._detect(body_pictures))

    def propose(self, body_pictures: Tensor, count: int) -> Candidates:
        """Find places of hands, see InterWild."""
        if count not in self._propose:
            (networks,) = self._networks
            step = partial(networks.propose, count=count)
            self._propose[count] = _Recorded(step, self._record)
        return Candidates(*self._propose[count](body_pictures))

    def read_hands(self, hand_crops: Tensor) -> HandReadings:
        """Read the hands, see InterWild."""
        return readings_of(self._read_hands(hand_crops))

    def relate(self, joints: Tensor, input_from_crop: Tensor) -> Tensor:
        """Return left wrist minus right wrist, see InterWild."""
        (left_from_right_m,) = self._relate(joints, input_from_crop)
        return left_from_right_m


class _Recorded:
    """A function of tensors, recorded once for all shapes that it is called with."""

    def __init__(self, step: Step, record: Record) -> None:
        self._step, self._record = step, record
        self._recordings: dict[tuple[object, ...], _Recording] = {}

    @torch.inference_mode()
    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        key = tuple((tensor.shape, tensor.dtype, tensor.device) for tensor in inputs)
        if key not in self._recordings:
            self._recordings[key] = _Recording(self._step, inputs, self._record)
        return self._recordings[key](*inputs)


class _Recording:
    """A function of tensors of some shapes, in memory of its own."""

    def __init__(self, step: Step, inputs: Sequence[Tensor], record: Record) -> None:
        self._step = step
        self._inputs = [torch.empty_like(tensor).copy_(tensor) for tensor in inputs]
        self._shapes: list[torch.Size] = []
        self._outputs = inputs[0]  # all in one piece, once they are made
        with torch.cuda.device_of(inputs[0]):  # type: ignore[no-untyped-call]
            self._replay = record(self._run)

    def _run(self) -> None:
        outputs = self._step(*self._inputs)
        self._shapes = [tensor.shape for tensor in outputs]
        self._outputs = torch.cat([tensor.flatten() for tensor in outputs])

    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        for own, tensor in zip(self._inputs, inputs, strict=True):
            own.copy_(tensor)
        self._replay()
        pieces = torch.split(self._outputs.clone(), [shape.numel() for shape in self._shapes])
        return [piece.view(shape) for piece, shape in zip(pieces, self._shapes, strict=True)]
