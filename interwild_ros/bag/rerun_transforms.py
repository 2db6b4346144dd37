"""The transforms of a bag as entities of rerun, each under the name of its frame.

Those of the hands stand below their hand, and are cleared with it.
"""

from __future__ import annotations

import re
from typing import Any

from interwild_ros.bag.export_input import ExportInput, Transforms
from interwild_ros.bag.export_tally import ExportTally, Say
from interwild_ros.bag.frames import UNREADABLE
from interwild_ros.bag.messages import stamp_ns
from interwild_ros.bag.rerun_hands import AXES_M
from interwild_ros.bag.rerun_recording import Recording
from interwild_ros.errors import AssetError, InputError
import rerun as rr

_JOINT_AXES_M = 0.01
_HAND_FRAME = re.compile(r'.*?(right|left)_hand(_\w+)?')


def write_transforms(
    recording: Recording, source: ExportInput, tally: ExportTally, *, say: Say
) -> None:
    """Write every transform at its own stamp, those that hold for all times once."""
    total = sum(topic.bag.topics[topic.topic].count for topic in source.transforms)
    done = 0
    for topic in source.transforms:
        for message in topic.bag.messages([topic.topic]):
            done += 1
            try:
                transforms = topic.bag.deserialize(message).transforms
            except AssetError as error:
                tally.skip(InputError(UNREADABLE, str(error)))
                continue
            for transform in transforms:
                _write_transform(recording, topic, transform, source.frame_id)
                tally.transforms += 1
            say('transforms', done, total)


def _write_transform(
    recording: Recording, topic: Transforms, transform: Any, frame_id: str
) -> None:
    """Write a transform under its own name, that of a hand where it is cleared with the hand."""
    child, parent = str(transform.child_frame_id), str(transform.header.frame_id)
    hand = _HAND_FRAME.fullmatch(child)
    is_of_hand = hand is not None and (parent == frame_id or _HAND_FRAME.fullmatch(parent))
    place = ['hands', hand[1], 'tf', child] if hand and is_of_hand else ['tf', child]
    parts = [_transform(transform, parent, child), rr.CoordinateFrame(child)]
    if not is_of_hand or (hand and hand[2]):  # the wrist has axes of its own
        parts.append(rr.TransformAxes3D(_JOINT_AXES_M if is_of_hand else AXES_M))
    if topic.is_static:
        recording.log_static(list(place), *parts)
        return
    recording.at(stamp_ns(transform.header.stamp))
    recording.log(list(place), *parts)


def _transform(transform: Any, parent: str, child: str) -> rr.Transform3D:
    moved, turned = transform.transform.translation, transform.transform.rotation
    return rr.Transform3D(
        translation=[moved.x, moved.y, moved.z],
        quaternion=rr.Quaternion(xyzw=[turned.x, turned.y, turned.z, turned.w]),
        parent_frame=parent,
        child_frame=child,
    )
