"""The networks' trunks on OpenVINO, which is an extra: the quickest engine for CPUs.

OpenVINO compiles the steps of networks (`networks.steps`) straight from PyTorch, for any batch.
Heads, coordinates and rotations are float32 whatever the precision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import importlib.util
import sys
from typing import Any, cast, Literal
import warnings

from interwild_ros.errors import SettingError
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.steps import (
    BodyMaps,
    HandFeatures,
    HandHeads,
    HandStem,
    PairDrawing,
    PairFeatures,
    readings_of,
    SteppedNetworks,
    Steps,
)
import numpy as np
import torch
from torch import nn, Tensor

TrunkPrecision = Literal['float32', 'bfloat16']
_HINTS = {'float32': 'f32', 'bfloat16': 'bf16'}


def has_openvino() -> bool:
    """Return whether the extra is installed."""
    return importlib.util.find_spec('openvino') is not None


def on_openvino(
    networks: InterWild, *, trunks: TrunkPrecision = 'float32', threads: int = 0
) -> SteppedNetworks:
    """Return networks whose steps OpenVINO runs on the CPU; they share the rest with these.

    :param networks: in evaluation mode, best folded, on the CPU in float32.
    :param trunks: of SHNet and TransNet; float32 is equal to PyTorch to rounding, bfloat16 is
        quicker and off as `in_bfloat16` is. The detector runs in float32.
    :param threads: of OpenVINO; 0 takes as many as PyTorch has.
    :raises SettingError: where OpenVINO is not installed.
    """
    if not has_openvino():
        raise SettingError(
            'engine is openvino, which is not installed: pip install interwild_ros[openvino]'
        )
    threads = threads or torch.get_num_threads()
    spaces, channels = networks.spaces, networks.variant.trans.width
    width, height = spaces.body_size
    cells = spaces.pair_cells
    body = _Compiled(BodyMaps(networks), [(1, 3, height, width)], 'float32', threads)
    crops = (2, 3, spaces.crop_px, spaces.crop_px)
    hand = _hand_trunk(networks, crops, trunks, threads)
    features = tuple(hand(torch.zeros(crops)).shape)
    heads = _Compiled(HandHeads(networks), [features], 'float32', threads)
    # coordinates are drawn here: never in half precision
    drawing = _Compiled(PairDrawing(networks), [(2, 1, 21, 3), (2, 1, 2, 3)], 'float32', threads)
    pair = _Compiled(PairFeatures(networks), [(1, channels, cells, cells)], trunks, threads)
    return SteppedNetworks(
        networks,
        Steps(
            body_maps=lambda pictures: _pair(body(pictures)),
            hand_features=hand,
            pair_drawing=lambda joints, maps: _pair(drawing(joints, maps)),
            pair_features=lambda drawn: pair(drawn)[0],
            hand_heads=lambda features: readings_of([part.clone() for part in heads(features)]),
        ),
        left_out=('body_backbone', 'hand_roi_net'),  # OpenVINO has its own copy
    )


def _hand_trunk(
    networks: InterWild, crops: tuple[int, ...], precision: TrunkPrecision, threads: int
) -> Callable[[Tensor], Tensor]:
    """Return SHNet's trunk, whose stem is float32 whatever the precision of the rest."""
    if precision == 'float32':
        whole = _Compiled(networks.hand_roi_net, [crops], precision, threads)
        return lambda pictures: whole(pictures)[0]
    stem = _Compiled(HandStem(networks), [crops], 'float32', threads)
    begun = tuple(stem(torch.zeros(crops))[0].shape)
    rest = _Compiled(HandFeatures(networks), [begun], precision, threads)
    return lambda pictures: rest(*stem(pictures))[0]


def _openvino() -> Any:
    """Return the module, without the part of it that reports every import to its makers."""
    sys.modules.setdefault('openvino_telemetry', cast(Any, None))  # OpenVINO then does without
    import openvino

    return openvino


class _Compiled:
    """A step as OpenVINO runs it: tensors to tensors, on the CPU.

    What it returns is OpenVINO's own memory, which the next call writes over.
    """

    def __init__(
        self,
        step: nn.Module,
        shapes: Sequence[tuple[int, ...]],
        precision: TrunkPrecision,
        threads: int,
    ) -> None:
        """Compile a step.

        :param shapes: of its inputs; where they are 1 or 2 in the batch it may be any number.
        """
        openvino = _openvino()
        examples = tuple(torch.zeros(shape) for shape in shapes)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of tracing, which is deprecated in PyTorch
            trace: Any = torch.jit.trace
            step.eval().requires_grad_(False)
            # of a function: no module is made again as a script, which took longer than the rest
            traced = trace(lambda *inputs: step(*inputs), examples, check_trace=False)
            model = openvino.convert_model(traced, example_input=examples)
        self._compiled = openvino.compile_model(
            model,
            'CPU',
            {
                'INFERENCE_PRECISION_HINT': _HINTS[precision],
                'INFERENCE_NUM_THREADS': threads,
                'PERFORMANCE_HINT': 'LATENCY',
                'NUM_STREAMS': 1,
                'ENABLE_CPU_PINNING': False,  # other processes want these cores too
            },
        )
        self._request = self._compiled.create_infer_request()
        self._count = len(model.outputs)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        arrays = [tensor.contiguous().numpy() for tensor in inputs]
        found = self._request.infer(arrays, share_inputs=True, share_outputs=True)
        return tuple(torch.from_numpy(np.asarray(found[i])) for i in range(self._count))


def _pair(tensors: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    first, second = tensors
    return first, second
