"""What summary.json says of an analysis, for showing: of any version, what is missing is empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

from interwild_ros.errors import AssetError

_NONE = '–'
SUMMARY_FILE = 'summary.json'
_TABLES = ('assets', 'settings', 'topics', 'software')
# said in places of their own, or by the series itself
_ELSEWHERE = frozenset(
    (
        'timings',  # which differ from run to run, and the page does not
        *('format', 'bag', 'camera', 'frames', 'warnings', 'recorded', 'tracked', *_TABLES),
        *('first_stamp_ns', 'last_stamp_ns', 'duration_sec', 'rate_hz', 'median_step_ms'),
        *('gap_count', 'gaps', 'damage', 'unknown_types'),
    )
)


@dataclass(frozen=True)
class Said:
    """What is told of one bag and camera.

    `frames_in` pictures of the bag; `tables` maps a title to names and values as text, empty
    tables left out.
    """

    bag: str = ''
    camera: str = ''
    frames_in: int | None = None
    warnings: tuple[str, ...] = ()
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_said(path: Path) -> Said:
    """Return what a summary says; a missing file is a warning and nothing else.

    :raises AssetError: when there is a file that is no JSON object.
    """
    if not path.is_file():
        return Said(warnings=(f'{path.name} is missing: settings and assets are not known',))
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise AssetError(f'cannot read {path}: {error}') from error
    if not isinstance(found, dict):
        raise AssetError(f'{path} holds a {type(found).__name__}, wanted a JSON object')
    return said_of(found)


def said_of(found: Mapping[str, Any]) -> Said:
    """Return what is told by what summary.json holds."""
    frames = _mapping(found.get('frames'))
    tables = {
        'Skipped pictures': frames.get('skipped'),
        **{name.capitalize(): _mapping(found.get(name)) for name in _TABLES},
        'More': {n: value for n, value in found.items() if n not in _ELSEWHERE and value},
    }
    texts = {title: _texts(table) for title, table in tables.items()}
    texts['Assets'].pop('warnings', None)  # they are among the others
    return Said(
        bag=_name(found.get('bag')),
        camera=_name(found.get('camera')),
        frames_in=_count(frames.get('in')),
        warnings=_lines(found.get('warnings')),
        tables={title: table for title, table in texts.items() if table},
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(value: Any) -> str:
    return '' if value is None else str(value)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _texts(value: Any) -> dict[str, str]:
    return dict(_flat(_mapping(value), ''))


def _flat(values: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    """Yield names and values, of tables within tables too: `files.0.name`."""
    for name, value in values.items():
        if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
            value = {str(number): entry for number, entry in enumerate(value)}
        if isinstance(value, dict):
            yield from _flat(value, f'{above}{name}.')
        else:
            yield f'{above}{name}', _text(value)


def _lines(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(map(_text, value)) if isinstance(value, list) else ()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value or _NONE
    if isinstance(value, list):
        return ', '.join(map(_text, value)) or _NONE
    return f'{value:g}' if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
