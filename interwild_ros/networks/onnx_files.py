"""The networks as ONNX files that stand alone, checked through ONNX Runtime.

One file a network, in float32, for any number of rows, batch normalisation folded. Every tensor is
described in the file itself: a sentence beside its shape, and all of them as JSON under the
metadata key `interwild`. TensorRT, OpenVINO and ONNX Runtime read the same files. ONNX is an
extra.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass
import importlib.util
import json
import logging
from pathlib import Path
from typing import Any
import warnings

from interwild_ros.errors import AssetError
from interwild_ros.networks.checkpoint import Weights
from interwild_ros.networks.detectnet import PLACES
from interwild_ros.networks.folding import folded
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.shnet import KINDS
from interwild_ros.networks.steps import HandHeads
from interwild_ros.records import JOINT_COUNT
from interwild_ros.whole import whole_file
import numpy as np
import torch
from torch import nn, Tensor

OPSET = 18  # ONNX Runtime since 1.14, TensorRT since 8.6, OpenVINO since 2023
METADATA_KEY = 'interwild'
ROWS = 'rows'  # the name of the axis that may have any size
_BATCHES = (1, 2, 3)
_NEEDED = ('onnx', 'onnxscript', 'onnxruntime')


@dataclass(frozen=True)
class TensorSpec:
    """A tensor of a file: its shape after the rows, what it means, and how far it may be off."""

    name: str
    shape: tuple[int, ...]
    meaning: str
    tolerance: float = 0.0


@dataclass(frozen=True, eq=False)
class OnnxNetwork:
    """What one file holds; `step` maps its inputs to a tuple of its outputs."""

    name: str
    step: nn.Module
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True)
class Difference:
    """How far a file's output is off the networks' own at most, in the tensor's unit."""

    file: str
    tensor: str
    difference: float
    tolerance: float

    @property
    def is_ok(self) -> bool:
        """Return whether the file may be used; a difference that is no number says no."""
        return self.difference <= self.tolerance


def export_onnx(networks: InterWild, weights: Weights, folder: Path) -> tuple[Difference, ...]:
    """Write body.onnx, hand.onnx and trans.onnx, all of them or none, and return the check.

    :param networks: in evaluation mode, on the CPU; they stay as they are.
    :param folder: is made if it is not there; files of these names are replaced.
    :raises AssetError: without the extra, where the folder cannot be written to, and when a file
        says something else than the networks.
    """
    _require_extra()
    was_there = folder.exists()
    try:
        with ExitStack() as stack:
            checked: list[Difference] = []
            plain = onnx_networks(networks)
            for network, wanted in zip(onnx_networks(folded(networks)), plain, strict=True):
                path = stack.enter_context(whole_file(folder / f'{network.name}.onnx'))
                _write(network, networks, weights, path)
                checked += differences(path, wanted)
            _refuse_wrong(checked)
    except BaseException:
        if not was_there and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        raise
    return tuple(checked)


def onnx_networks(networks: InterWild) -> tuple[OnnxNetwork, ...]:
    """Return what each file holds, for networks of any variant."""
    return (_body(networks), _hand(networks), _trans(networks))


def differences(path: Path, wanted: OnnxNetwork) -> Iterator[Difference]:
    """Run a file in ONNX Runtime on made-up inputs of several sizes, and compare.

    :raises AssetError: without the extra, and when ONNX Runtime refuses the file.
    """
    session = open_session(path)
    largest = dict.fromkeys((tensor.name for tensor in wanted.outputs), 0.0)
    for rows in _BATCHES:
        inputs = example_inputs(wanted, rows)
        feed = {t.name: x.numpy() for t, x in zip(wanted.inputs, inputs, strict=True)}
        with torch.inference_mode():
            exact = wanted.step(*inputs)
        found = session.run(list(largest), feed)
        for name, ours, theirs in zip(largest, exact, found, strict=True):
            off = float(np.abs(ours.numpy() - theirs).max())
            largest[name] = max(largest[name], off) if off == off else float('nan')
    for tensor in wanted.outputs:
        yield Difference(path.name, tensor.name, largest[tensor.name], tensor.tolerance)


def open_session(path: Path) -> Any:
    """Open a file in ONNX Runtime on the CPU.

    :raises AssetError: without the extra, and when it is no ONNX file.
    """
    _require_extra()
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    except Exception as error:  # its own kinds share no other ancestor
        line = str(error).splitlines()[0]
        raise AssetError(f'{path}: ONNX Runtime refuses it ({line})') from error


def example_inputs(network: OnnxNetwork, rows: int) -> tuple[Tensor, ...]:
    """Return made-up inputs of so many rows, the same ones at every call."""
    dice = torch.Generator().manual_seed(rows)
    made = []
    for tensor in network.inputs:
        noise = torch.rand(rows, *tensor.shape, generator=dice)
        made.append(_MADE_UP[tensor.name](noise) if tensor.name in _MADE_UP else noise)
    return tuple(made)


def _joints(noise: Tensor) -> Tensor:
    return 1 + 6 * noise


def _maps(noise: Tensor) -> Tensor:
    """Return maps of crops that lie beside each other, of scales about 1."""
    scale = 0.5 + noise[..., 0, 0]
    zero = torch.zeros_like(scale)
    x, y = (100 * noise[..., i, 2] for i in (0, 1))
    rows = (torch.stack([scale, zero, x], -1), torch.stack([zero, scale, y], -1))
    return torch.stack(rows, dim=-2)


_MADE_UP = {'joints': _joints, 'input_from_crop': _maps}


class _Body(nn.Module):
    def __init__(self, networks: InterWild) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        if self.networks.hand_kind_net is None:
            return tuple(self.networks.detect(picture))
        return tuple(self.networks.propose(picture, PLACES))


class _Hand(nn.Module):
    def __init__(self, networks: InterWild) -> None:
        super().__init__()
        self.roi_net = networks.hand_roi_net
        self.heads = HandHeads(networks)

    def forward(self, crop: Tensor) -> tuple[Tensor, ...]:
        read: tuple[Tensor, ...] = self.heads(self.roi_net(crop))
        return read


class _Trans(nn.Module):
    def __init__(self, networks: InterWild) -> None:
        super().__init__()
        self.trans_net = networks.hand_trans_net

    def forward(self, joints: Tensor, input_from_crop: Tensor) -> tuple[Tensor, ...]:
        return (self.trans_net(joints.transpose(0, 1), input_from_crop.transpose(0, 1)),)


def _body(networks: InterWild) -> OnnxNetwork:
    width, height = networks.spaces.body_size
    cells = 'cells of 4 px, x and y'
    picture = TensorSpec(
        'picture',
        (3, height, width),
        'the view at half its size, RGB 0..1, rows from above, no mean taken off',
    )
    outputs: tuple[TensorSpec, ...]
    if networks.hand_kind_net is None:
        outputs = (
            TensorSpec('centre', (2, 2), f'of the right hand, of the left hand; {cells}', 1e-3),
            TensorSpec('size', (2, 2), 'width and height in cells; may be negative', 1e-3),
            TensorSpec('score', (2,), 'softmax at the centre, no probability', 1e-4),
        )
    else:
        outputs = (
            TensorSpec('centre', (PLACES, 2), f'of places of hands, highest first; {cells}', 1e-3),
            TensorSpec('size', (PLACES, 2), 'width and height in cells; may be negative', 1e-3),
            TensorSpec('score', (PLACES,), 'part of both maps about the place, 0..1', 1e-4),
            TensorSpec(
                'right_share', (PLACES,), "how much is of the right hand's map, 0..1", 1e-3
            ),
        )
    return OnnxNetwork('body', _Body(networks), (picture,), outputs)


def _hand(networks: InterWild) -> OnnxNetwork:
    side, cells = networks.spaces.crop_px, networks.spaces.volume_cells
    crop = TensorSpec(
        'crop', (3, side, side), 'one hand, RGB 0..1; of a left hand the crop mirrored in x'
    )
    about = ''
    if networks.spaces.along_sight:
        about = ", about the crop's line of sight, as depths are"
    outputs: tuple[TensorSpec, ...] = (
        TensorSpec(
            'joints', (JOINT_COUNT, 3), f'x, y, z in {cells} x {cells} x {cells} cells', 1e-3
        ),
        TensorSpec('root', (3,), f'rotation of the wrist, axis-angle, rad{about}', 1e-3),
        TensorSpec('fingers', (45,), '15 MANO rotations without the mean pose, axis-angle', 1e-3),
        TensorSpec('betas', (10,), 'MANO shape', 1e-3),
        TensorSpec('virtual_wrist_m', (3,), "in the crop's virtual camera, m", 1e-3),
    )
    if networks.hand_kind_net is not None:
        kinds = 'how likely it is the hand it should be, the other one, or none'
        outputs += (TensorSpec('kinds', (KINDS,), kinds, 1e-4),)
    return OnnxNetwork('hand', _Hand(networks), (crop,), outputs)


def _trans(networks: InterWild) -> OnnxNetwork:
    width, height = networks.spaces.input_size
    inputs = (
        TensorSpec(
            'joints',
            (2, JOINT_COUNT, 3),
            'of hand.onnx, right hand first, the left one turned back from the mirror, cells',
        ),
        TensorSpec(
            'input_from_crop',
            (2, 2, 3),
            f'crop px to px of the {width} x {height} view, un-mirrored',
        ),
    )
    about = ", about the pair's line of sight" if networks.spaces.along_sight else ''
    meaning = f'left wrist minus right wrist, m{about}'
    outputs = (TensorSpec('left_from_right_m', (3,), meaning, 1e-4),)
    return OnnxNetwork('trans', _Trans(networks), inputs, outputs)


def _write(network: OnnxNetwork, networks: InterWild, weights: Weights, path: Path) -> None:
    inputs = example_inputs(network, 2)
    rows = torch.export.Dim(ROWS)
    with torch.no_grad(), _quietly():
        program = torch.onnx.export(
            network.step.eval(),
            inputs,
            dynamo=True,
            opset_version=OPSET,
            input_names=[tensor.name for tensor in network.inputs],
            output_names=[tensor.name for tensor in network.outputs],
            dynamic_shapes=tuple({0: rows} for _ in inputs),
            verbose=False,
        )
    if program is None:  # as older exporters answer
        raise AssetError(f'{network.name}.onnx: PyTorch {torch.__version__} made no program')
    _save(_described(program.model_proto, network, networks, weights), path)


def _described(model: Any, network: OnnxNetwork, networks: InterWild, weights: Weights) -> Any:
    """Return a model that says what its tensors are."""
    meanings = {t.name: t.meaning for t in (*network.inputs, *network.outputs)}
    for value in (*model.graph.input, *model.graph.output):
        value.doc_string = meanings[value.name]
    for node in model.graph.node:  # the exporter notes there what file each one came from
        del node.metadata_props[:]
    model.producer_name = 'interwild_ros'
    said = {
        'network': network.name,
        'variant': networks.variant.name,
        'weights': weights.name,
        'weights_sha256': weights.sha256,
        'inputs': _rows_of(network.inputs),
        'outputs': _rows_of(network.outputs),
    }
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, json.dumps(said)
    return model


def _rows_of(tensors: Sequence[TensorSpec]) -> dict[str, dict[str, Any]]:
    return {t.name: {'shape': [ROWS, *t.shape], 'meaning': t.meaning} for t in tensors}


def _save(model: Any, path: Path) -> None:
    import onnx

    try:
        onnx.save_model(model, str(path))
    except OSError as error:
        raise AssetError(f'cannot write {path}: {error}') from error


def _refuse_wrong(checked: Sequence[Difference]) -> None:
    wrong = [d for d in checked if not d.is_ok]
    if wrong:
        said = ', '.join(
            f'{d.file} {d.tensor} by {d.difference:.3g}, allowed {d.tolerance:.3g}' for d in wrong
        )
        raise AssetError(f'ONNX Runtime says something else than the networks: {said}')


def _require_extra() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise AssetError(
            f'ONNX files need {", ".join(missing)}: pip install "interwild_ros[onnx]"'
        )


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the exporter's words on its own doings off the terminal."""
    logger = logging.getLogger('torch.onnx')
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        logger.setLevel(level)
