"""`interwild export BAG --rrd FILE`: a recording with its hands for rerun's viewer."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

from interwild_ros.bag.export_input import open_export_input, Wish
from interwild_ros.bag.export_pictures import DEFAULT_QUALITY
from interwild_ros.cli.flags import add_camera_info_flag, add_setting_flags, given_settings
from interwild_ros.cli.interrupts import signals_as_interrupts
from interwild_ros.cli.progress import ProgressLine
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError, SettingError

FLAG = '--rrd'
_SETTINGS = ('mirrored_image', 'image_is_rectified')


def add_arguments(parser: argparse.ArgumentParser, targets: Any) -> None:
    """Add the target's flags.

    :param targets: the group of flags of which one is given.
    """
    targets.add_argument(
        FLAG,
        type=Path,
        metavar='FILE',
        help='write pictures, hands and transforms of BAG for the rerun viewer; needs the extra '
        'rerun',
    )
    group = parser.add_argument_group(f'for {FLAG}')
    group.add_argument(
        'bag',
        nargs='?',
        type=Path,
        metavar='BAG',
        help='a bag with two_hands, a folder of `interwild analyze`, or any bag of a camera',
    )
    group.add_argument(
        '--images', type=Path, metavar='BAG', help='the bag that has the pictures, if another'
    )
    group.add_argument(
        '--camera', default='', metavar='TOPIC', help='image topic, where there are several'
    )
    add_camera_info_flag(group)
    group.add_argument(
        '--topic', default='', metavar='TOPIC', help='two_hands to show, where there are several'
    )
    pixels = group.add_mutually_exclusive_group()
    pixels.add_argument(
        '--image-quality',
        type=int,
        default=DEFAULT_QUALITY,
        metavar='PERCENT',
        help='of the JPEG that raw pictures become, 1 to 100; default: %(default)s',
    )
    pixels.add_argument(
        '--exact-images', action='store_true', help='keep raw pictures without loss'
    )
    add_setting_flags(
        parser,
        Settings,
        title='how the hands were seen; a folder of `interwild analyze` says it itself',
        only=_SETTINGS,
    )


def run(args: argparse.Namespace) -> int:
    """Write the file, and print what is in it."""
    progress = ProgressLine()
    with signals_as_interrupts():
        try:
            said = export_rrd(args, progress)
        finally:
            progress.end()
    print(json.dumps(said, indent=2) if args.json else _as_table(said))
    return 0


def export_rrd(args: argparse.Namespace, progress: ProgressLine) -> dict[str, Any]:
    """Write the file, and return what is in it.

    :raises SettingError: for flags that do not fit.
    :raises AssetError: without the extra, and when a bag or the file stands in the way.
    """
    if args.bag is None:
        raise SettingError(f'{FLAG} is given without a bag: wanted export BAG {FLAG} FILE')
    if not 1 <= args.image_quality <= 100:
        raise SettingError(f'--image-quality is {args.image_quality}, wanted 1 to 100')
    write_rerun_file = _writer()
    wish = Wish(
        bag=args.bag,
        images=args.images,
        camera=args.camera,
        info=args.camera_info,
        hands=args.topic,
        settings=given_settings(args, Settings),
    )
    path = args.rrd.expanduser().absolute()
    with open_export_input(wish, lambda count: progress.show('reading', count, 0)) as source:
        written = write_rerun_file(
            source,
            path,
            quality=None if args.exact_images else args.image_quality,
            say=progress.show,
        )
    topics = {
        'camera': source.pictures.topic if source.pictures else '',
        'hands_topic': source.hands.topic if source.hands else '',
    }
    return {'file': str(path), 'bag': source.name, **topics, **asdict(written)}


def _writer() -> Any:
    """Return what writes the file.

    :raises AssetError: where rerun is not installed.
    """
    try:
        from interwild_ros.bag.rerun_file import write_rerun_file
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition('.')[0] != 'rerun':
            raise
        raise AssetError(
            f'{FLAG} needs the package rerun-sdk: pip install "interwild_ros[rerun]"'
        ) from error
    return write_rerun_file


def _as_table(said: dict[str, Any]) -> str:
    tracked, lost = said['tracked'], said['lost']
    skipped = ', '.join(f'{count} {cause}' for cause, count in said['skipped'].items())
    lines = [
        f'{said["bag"]} {said["camera"] or said["hands_topic"]}',
        f'  frames      {said["frames"]}, {said["duration_sec"]:.2f} s',
        f'  pictures    {said["pictures"]}',
        f'  hands       right {tracked["right"]}, left {tracked["left"]}; lost '
        f'right {lost["right"]}, left {lost["left"]} times',
        f'  transforms  {said["transforms"]}',
        *([f'  skipped     {skipped}'] if skipped else []),
        *(f'  !           {warning}' for warning in said['warnings']),
        f'  {said["file"]}, {said["size_bytes"] / 1e6:.1f} MB',
    ]
    return '\n'.join(lines)
