"""Command-line flags made from settings, so that both always agree."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any

from interwild_ros.config import Setting, settings_of
from interwild_ros.errors import AssetError

_PATHS = ('weights', 'mano_dir', 'camera_info')
_RULE_MADE = 'rule-made'  # weights that are no file: networks.rule_weights


def add_setting_flags(
    parser: argparse.ArgumentParser, kind: type, *, title: str, only: Collection[str] = ()
) -> None:
    """Add a flag for each setting of a dataclass: `--mano-dir` for mano_dir.

    :param title: heading of the flags in the help text.
    :param only: names of the settings to offer, in this order; empty offers all.
    """
    group = parser.add_argument_group(title)
    settings = {setting.name: setting for setting in settings_of(kind)}
    for name in only or settings:
        _add_flag(group, settings[name])


def add_camera_info_flag(group: argparse._ActionsContainer) -> None:
    """Add the flag that names where a recorded camera is described."""
    group.add_argument(
        '--camera-info', default='', metavar='TOPIC', help='default: camera_info beside the image'
    )


def add_depth_flag(group: argparse._ActionsContainer) -> None:
    """Add the flag that names where the depth of a recorded camera is."""
    group.add_argument(
        '--depth',
        default='',
        metavar='TOPIC',
        help='depth that is aligned to the image; --use-depth takes the one that is found',
    )


def given_settings(args: argparse.Namespace, kind: type) -> dict[str, Any]:
    """Return the settings that were given on the command line, checked.

    :raises SettingError: for a value that is out of range.
    """
    given = {
        setting.name: getattr(args, setting.name)
        for setting in settings_of(kind)
        if getattr(args, setting.name, None) is not None
    }
    kind(**given)
    return given


def with_whole_paths(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings with paths that hold in any folder: nodes run in another one.

    :raises AssetError: for a file or a folder that is not there.
    """
    return {
        name: existing_path(Path(value)) if _is_path(name, value) else value
        for name, value in settings.items()
    }


def existing_path(path: Path) -> str:
    """Return a path that holds in any folder.

    :raises AssetError: when there is nothing.
    """
    path = path.expanduser().absolute()
    if not path.exists():
        raise AssetError(f'{path}: no such file or folder')
    return str(path)


def _is_path(name: str, value: Any) -> bool:
    return name in _PATHS and value not in ('', _RULE_MADE)


def _add_flag(group: argparse._ArgumentGroup, setting: Setting) -> None:
    flag = f'--{setting.name.replace("_", "-")}'
    if setting.type is bool:
        group.add_argument(
            flag,
            dest=setting.name,
            action=argparse.BooleanOptionalAction,
            default=None,
            help=_help(setting),
        )
        return
    group.add_argument(
        flag,
        dest=setting.name,
        type=_names if setting.type is tuple else setting.type,
        choices=setting.choices or None,
        default=None,
        metavar=None if setting.choices else _metavar(setting),
        help=_help(setting),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(','))


def _metavar(setting: Setting) -> str:
    if setting.type is tuple:
        return 'NAME,NAME'
    return (setting.unit or setting.type.__name__).upper().replace('%', 'PERCENT')


def _help(setting: Setting) -> str:
    text = setting.help.replace('%', '%%')
    if setting.type in (str, tuple) and not setting.default:
        return text
    return f'{text} (default: {setting.default})'
