"""A recording for rerun's viewer: pictures, camera, hands and transforms on one timeline.

The modules called rerun_* are all that import rerun, which is an extra. Entities:

    /                     the camera's optical frame: metres, x right, y down, z forward
    hands/<side>          mesh, joints, bones and wrist (a transform with axes) in that frame
    camera                the pinhole, with image, and the hands' joints, bones and boxes in px
    tf/<frame>            transforms under their own names; / hangs on the camera's frame
    plots/<what>/<side>   score, reprojection error and depth of the wrist
    log                   when a hand is lost or there again, and why

Numbers are those of the messages: pixel centres are integers, and a pinhole knows no distortion.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from interwild_ros.bag.export_input import ExportInput, Stream
from interwild_ros.bag.export_pictures import DEFAULT_QUALITY
from interwild_ros.bag.export_tally import ExportTally, Say, Written
from interwild_ros.bag.frames import UNREADABLE
from interwild_ros.bag.messages import two_hands_of
from interwild_ros.bag.ordered import in_order
from interwild_ros.bag.rerun_hands import HandWriter
from interwild_ros.bag.rerun_pictures import write_pictures
from interwild_ros.bag.rerun_recording import check_whole, Recording, recording_file
from interwild_ros.bag.rerun_transforms import write_transforms
from interwild_ros.errors import AssetError, InputError
from interwild_ros.records import Side, TwoHands
from interwild_ros.whole import whole_file

SUFFIX: Final = '.rrd'


def write_rerun_file(
    source: ExportInput,
    path: Path,
    *,
    quality: int | None = DEFAULT_QUALITY,
    say: Say = lambda title, done, total: None,
) -> Written:
    """Write everything that there is to show into a file, which is whole or absent.

    :param path: its name ends in .rrd: viewers go by that, and no bag is overwritten by a slip.
    :param quality: of the JPEG files that raw pictures become, 1 to 100; None keeps their pixels.
    :raises AssetError: when a bag cannot be read to its end, or the file cannot be written.
    """
    if path.suffix != SUFFIX or path.is_dir():
        raise AssetError(f'cannot write {path}: wanted a file whose name ends in {SUFFIX}')
    tally = ExportTally()
    with whole_file(path) as new:
        with recording_file(new, source) as recording:
            write_pictures(recording, source, tally, quality=quality, say=say)
            _write_hands(recording, source, tally, say=say)
            write_transforms(recording, source, tally, say=say)
        check_whole(new)
        size_bytes = new.stat().st_size
    return tally.written(source, size_bytes)


def _write_hands(
    recording: Recording, source: ExportInput, tally: ExportTally, *, say: Say
) -> None:
    stream = source.hands
    if stream is None:
        return
    sides = [HandWriter(recording, side, source.topology, tally) for side in Side]
    for done, found in enumerate(_hands_in_order(stream), 1):
        if isinstance(found, InputError):
            tally.skip(found)
        else:
            tally.hands += 1
            recording.at(found.stamp_ns)
            for side, hand in zip(sides, (found.right, found.left), strict=True):
                side.write(hand)
        say('hands', done, len(stream.plan))


def _hands_in_order(stream: Stream) -> Iterator[TwoHands | InputError]:
    for recorded in in_order(stream.bag, stream.topics, stream.plan):
        try:
            yield two_hands_of(stream.bag.deserialize(recorded.image))
        except InputError as problem:
            yield problem
        except (AssetError, ValueError) as error:  # a side or a source of depth that is none
            yield InputError(UNREADABLE, str(error))
