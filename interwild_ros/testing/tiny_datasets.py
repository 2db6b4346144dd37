"""Write tiny data sets in the published layouts and formats, with stand-in hands in them.

Each writer returns what it wrote, a record for each picture. To break a data set, edit its files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import json
from pathlib import Path
from typing import Any

from interwild_ros.records import Array, Side
from interwild_ros.testing.tiny_scenes import (
    hand_types,
    some_cameras,
    some_hands,
    still_camera,
    TinyCamera,
    TinyHands,
    TinyPicture,
    write_picture,
)
import numpy as np

_MM_PER_M = 1e3
_BEFORE_CAMERA_M = (0.0, 0.0, 0.8)
# From InterHand2.6M's skeleton.txt: which of our 21 joints stands at which place of a hand.
_INTERHAND_HAND = (4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 16, 15, 14, 13, 20, 19, 18, 17, 0)


def write_interhand26m(
    root: Path,
    split: str = 'train',
    *,
    moments: int = 3,
    cameras: int = 2,
    image_size: tuple[int, int] = (128, 96),
    seed: int = 0,
) -> list[TinyPicture]:
    """Write InterHand2.6M: right, left and interacting hands in turn, seen by every camera.

    For the test split, the list of annotation ids is written as well.
    """
    hands, lenses = some_hands(moments, seed=seed), some_cameras(cameras, image_size=image_size)
    folder = root / 'annotations' / split
    images: list[dict[str, Any]] = []
    annotations, written = [], []
    for moment, (hand_type, has_hand) in enumerate(hand_types(moments)):
        for camera in lenses:
            number = len(images)
            name = f'Capture0/ROM01/cam{camera.name}/image{_frame(moment)}.jpg'
            path = root / 'images' / split / name
            write_picture(path, image_size, seed=number)
            picture = TinyPicture(path, 1000 + number, hands[moment], camera, has_hand)
            images.append(_interhand_image(number, name, camera, _frame(moment)))
            annotations.append(_interhand_annotation(number, hand_type, picture))
            written.append(picture)
    stem = f'InterHand2.6M_{split}'
    write_json(folder / f'{stem}_data.json', {'images': images, 'annotations': annotations})
    write_json(folder / f'{stem}_camera.json', {'0': _interhand_cameras(lenses)})
    moments_of = {str(_frame(moment)): moment for moment in range(moments)}
    shown = [has_hand for _, has_hand in hand_types(moments)]
    joints = {key: _interhand_joints(hands[m], shown[m]) for key, m in moments_of.items()}
    write_json(folder / f'{stem}_joint_3d.json', {'0': joints})
    fits = {key: _fits(hands[m], shown[m]) for key, m in moments_of.items()}
    write_json(folder / f'{stem}_MANO_NeuralAnnot.json', {'0': fits})
    if split == 'test':
        ids = '\n'.join(str(picture.annotation_id) for picture in written)
        (root / 'annotations' / 'aid_human_annot_test.txt').write_text(f'{ids}\n')
    return written


def write_mscoco(root: Path, split: str = 'train', *, people: int = 3) -> list[TinyPicture]:
    """Write MSCOCO with COCO-WholeBody's hands and NeuralAnnot's fits, one person a picture."""
    hands = some_hands(people, seed=1, centre_m=_BEFORE_CAMERA_M)
    camera = still_camera(focal=(130, 131), principal=(64, 47), image_size=(128, 96))
    images, annotations, fits, written = [], [], {}, []
    for number, (_, has_hand) in enumerate(hand_types(people)):
        name = f'{number:012d}.jpg'
        path = root / 'images' / f'{split}2017' / name
        write_picture(path, camera.image_size, seed=number)
        picture = TinyPicture(path, 200 + number, hands[number], camera, has_hand)
        images.append(_coco_image(number, name, camera.image_size))
        annotations.append(_coco_annotation(number, picture))
        fits[str(picture.annotation_id)] = _coco_fits(picture)
        written.append(picture)
    folder, content = root / 'annotations', {'images': images, 'annotations': annotations}
    write_json(folder / f'coco_wholebody_{split}_v1.0.json', content)
    if split == 'train':
        write_json(folder / 'MSCOCO_train_MANO_NeuralAnnot.json', fits)
    return written


def write_hic(root: Path, *, moments: int = 3, form: str = 'ascii') -> list[TinyPicture]:
    """Write HIC: pictures, and a PLY mesh for each hand that is there.

    :param form: how meshes are written: 'ascii' or 'binary_little_endian'.
    """
    hands = some_hands(moments, seed=2, centre_m=_BEFORE_CAMERA_M)
    camera = still_camera(focal=(525, 525), principal=(319.5, 239.5), image_size=(640, 480))
    images, annotations, written = [], [], []
    for number, (hand_type, has_hand) in enumerate(hand_types(moments)):
        name = f'01/rgb/{number:06d}.png'
        write_picture(root / name, camera.image_size, seed=number)
        annotation = {'id': number, 'image_id': 50 + number, 'hand_type': hand_type}
        for side in Side:
            mesh = f'01/mano/{number:06d}_{side.label}.ply' if has_hand[side] else None
            annotation[f'{side.label}_mano_path'] = mesh
            if mesh is not None:
                write_ply(root / mesh, hands[number].vertices_m[side], form=form)
        images.append(_coco_image(50 + number, name, camera.image_size))
        annotations.append(annotation)
        written.append(TinyPicture(root / name, number, hands[number], camera, has_hand))
    write_json(root / 'HIC.json', {'images': images, 'annotations': annotations})
    return written


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file and the folders it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@contextmanager
def edited_json(path: Path) -> Iterator[Any]:
    """Give what a JSON file holds, and write back what was made of it."""
    content = json.loads(path.read_text())
    yield content
    write_json(path, content)


def write_ply(path: Path, vertices_m: Array, *, form: str = 'ascii') -> None:
    """Write a PLY file with these vertices (N, 3), a colour for each, and one triangle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = ''.join(f'property uchar {name}\n' for name in ('red', 'green', 'blue'))
    axes = ''.join(f'property float {name}\n' for name in 'xyz')
    header = (
        f'ply\nformat {form} 1.0\ncomment tiny\nelement vertex {len(vertices_m)}\n{axes}{colours}'
        'element face 1\nproperty list uchar int vertex_indices\nend_header\n'
    )
    if form == 'ascii':
        rows = ''.join(f'{x:.9g} {y:.9g} {z:.9g} 200 150 120\n' for x, y, z in vertices_m)
        body = f'{rows}3 0 1 2\n'.encode()
    else:
        table = np.zeros(len(vertices_m), [('at', '<f4', 3), ('colour', 'u1', 3)])
        table['at'] = vertices_m
        triangle = np.array([(3, (0, 1, 2))], [('count', 'u1'), ('corners', '<i4', 3)])
        body = table.tobytes() + triangle.tobytes()
    path.write_bytes(header.encode() + body)


def _frame(moment: int) -> int:
    return 10112 + 6 * moment


def _interhand_image(number: int, name: str, camera: TinyCamera, frame: int) -> dict[str, Any]:
    return {
        **_coco_image(number, name, camera.image_size),
        'capture': 0,
        'subject': 3,
        'seq_name': 'ROM01',
        'camera': camera.name,
        'frame_idx': frame,
    }


def _interhand_annotation(number: int, hand_type: str, picture: TinyPicture) -> dict[str, Any]:
    return {
        'id': picture.annotation_id,
        'image_id': number,
        'bbox': [0.0, 0.0, 1.0, 1.0],
        'hand_type': hand_type,
        'hand_type_valid': 1,
        'joint_valid': _in_interhand_order(picture.joint_valid).astype(int).tolist(),
    }


def _interhand_cameras(cameras: Sequence[TinyCamera]) -> dict[str, Any]:
    positions_m = {c.name: -c.rotation.T @ c.translation_m for c in cameras}
    return {
        'campos': {name: (at_m * _MM_PER_M).tolist() for name, at_m in positions_m.items()},
        'camrot': {c.name: c.rotation.tolist() for c in cameras},
        'focal': {c.name: c.focal.tolist() for c in cameras},
        'princpt': {c.name: c.principal.tolist() for c in cameras},
    }


def _interhand_joints(hands: TinyHands, has_hand: tuple[bool, bool]) -> dict[str, Any]:
    return {
        'world_coord': (_in_interhand_order(hands.joints_m) * _MM_PER_M).tolist(),
        'joint_valid': [[int(is_there)] for is_there in has_hand for _ in _INTERHAND_HAND],
        'hand_type': 'interacting',
        'hand_type_valid': True,
    }


def _in_interhand_order(joints: Array) -> Array:
    hands = joints.reshape(2, len(_INTERHAND_HAND), *joints.shape[1:])
    return np.asarray(hands[:, _INTERHAND_HAND].reshape(joints.shape))


def _fits(hands: TinyHands, has_hand: tuple[bool, bool]) -> dict[str, Any]:
    return {side.label: hands.fit(side) if has_hand[side] else None for side in Side}


def _coco_image(identity: int, name: str, image_size: tuple[int, int]) -> dict[str, Any]:
    width, height = image_size
    return {'id': identity, 'file_name': name, 'width': width, 'height': height}


def _coco_annotation(number: int, picture: TinyPicture) -> dict[str, Any]:
    joints_px = picture.camera.pixels(picture.hands.joints_m).reshape(2, -1, 2)
    annotation: dict[str, Any] = {
        'id': picture.annotation_id,
        'image_id': number,
        'iscrowd': 0,
        'num_keypoints': 12,
        'bbox': [2.5, 1.25, 120.0, 90.5],
        'category_id': 1,
    }
    for side, name in zip(Side, ('righthand', 'lefthand'), strict=True):
        is_there = picture.has_hand[side]
        low, high = joints_px[side].min(axis=0), joints_px[side].max(axis=0)
        box = np.concatenate([low, high - low]) * is_there
        scores = np.full((len(joints_px[side]), 1), 0.8)
        annotation[f'{name}_valid'] = is_there
        annotation[f'{name}_box'] = box.tolist()
        keypoints = np.hstack([joints_px[side], scores]) * is_there
        annotation[f'{name}_kpts'] = keypoints.ravel().tolist()
    return annotation


def _coco_fits(picture: TinyPicture) -> dict[str, Any]:
    camera = picture.camera
    lens = {'focal': camera.focal.tolist(), 'princpt': camera.principal.tolist()}
    return {
        side.label: {'mano_param': picture.hands.fit(side), 'cam_param': lens}
        if picture.has_hand[side]
        else None
        for side in Side
    }
