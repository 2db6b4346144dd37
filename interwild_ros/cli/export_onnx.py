"""`interwild export --onnx DIR`: the networks for other engines, such as TensorRT."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

from interwild_ros.cli.flags import add_setting_flags, given_settings
from interwild_ros.cli.interrupts import signals_as_interrupts
from interwild_ros.config import Settings
from interwild_ros.errors import SettingError

FLAG = '--onnx'
_SETTINGS = ('variant', 'weights', 'axis_angle')


def add_arguments(parser: argparse.ArgumentParser, targets: Any) -> None:
    """Add the target's flags.

    :param targets: the group of flags of which one is given.
    """
    targets.add_argument(
        FLAG,
        type=Path,
        metavar='DIR',
        help='write body.onnx, hand.onnx and trans.onnx, checked; needs the extra onnx',
    )
    add_setting_flags(parser, Settings, title=f'for {FLAG}: which networks', only=_SETTINGS)


def run(args: argparse.Namespace) -> int:
    """Write the files, and print how far they are off the networks."""
    with signals_as_interrupts():
        said = export(args)
    print(json.dumps(said, indent=2) if args.json else _as_table(said))
    return 0


def export(args: argparse.Namespace) -> dict[str, Any]:
    """Write the files, and return what was checked.

    :raises SettingError: for flags that do not fit.
    :raises AssetError: without the extra, and when weights or files stand in the way.
    """
    if args.bag is not None:
        raise SettingError(f'{FLAG} is given with the bag {args.bag}: wanted export {FLAG} DIR')
    # a recording is written without PyTorch
    from interwild_ros.geometry.rotations import convention_named
    from interwild_ros.networks.checkpoint import build_networks
    from interwild_ros.networks.onnx_files import export_onnx

    given = given_settings(args, Settings)
    settings = Settings(**{name: given[name] for name in _SETTINGS if name in given})
    folder = args.onnx.expanduser().absolute()
    networks, weights = build_networks(
        settings.variant,
        settings.weights,
        axis_angle=convention_named(settings.axis_angle),
    )
    checked = export_onnx(networks, weights, folder)
    return {
        'folder': str(folder),
        'variant': networks.variant.name,
        'weights': weights.name,
        'weights_meaningful': weights.meaningful,
        'checked': [asdict(difference) for difference in checked],
    }


def _as_table(said: dict[str, Any]) -> str:
    lines = [
        f'{said["folder"]}: {said["variant"]}, weights {said["weights"]}',
        f'{"in ONNX Runtime":32}{"off by at most":>16}{"allowed":>12}',
    ]
    for row in said['checked']:
        name = f'{row["file"]} {row["tensor"]}'
        lines.append(f'{name:32}{row["difference"]:16.2e}{row["tolerance"]:12.0e}')
    if not said['weights_meaningful']:
        lines.append('these weights are made by a rule, not trained: their hands mean nothing')
    return '\n'.join(lines)
