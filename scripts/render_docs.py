"""Render what is said once in the code: config/*.yaml, and the README's tables.

    python scripts/render_docs.py           writes what is out of date
    python scripts/render_docs.py --check   only says what is, with exit code 1

In the README a table stands between `<!-- begin NAME -->` and `<!-- end NAME -->`; the names are
those of `TABLES` below.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
import re
import sys
import textwrap
from typing import Any

from interwild_ros.config import CameraSettings, Setting, Settings, settings_of

ROOT = Path(__file__).resolve().parent.parent

YAML_HEAD = """\
# Every setting of {node} with its default: copy this file, and keep what you change.
# Made from interwild_ros/config.py by scripts/render_docs.py; do not edit it here.
/**:
  ros__parameters:
"""


def main() -> int:
    """Write every file that is out of date, or with --check only name them."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--check', action='store_true', help='write nothing, fail when stale')
    check_only = parser.parse_args().check
    stale = {path: text for path, text in rendered().items() if _text_of(path) != text}
    for path, text in stale.items():
        print(
            f'{path.relative_to(ROOT)} is {"out of date: make fix" if check_only else "written"}'
        )
        if not check_only:
            path.write_text(text)
    return 1 if check_only and stale else 0


def rendered() -> dict[Path, str]:
    """Return every file that is made here, with the text that it should have."""
    readme = ROOT / 'README.md'
    files = {
        ROOT / 'config/hands.yaml': parameter_file('hands_node', Settings),
        ROOT / 'config/camera.yaml': parameter_file('camera_node', CameraSettings),
    }
    if readme.is_file():
        files[readme] = with_tables(readme.read_text())
    return files


def parameter_file(node: str, kind: type) -> str:
    """Return a ROS parameter file with every setting's default, and its help as a comment."""
    return YAML_HEAD.format(node=node) + '\n'.join(map(_yaml_entry, settings_of(kind)))


def settings_table(kind: type) -> str:
    """Return a Markdown table of the settings of one node."""
    rows = (
        (f'`{s.name}`', _code(yaml_value(s.default)), _cell(_limits(s)), _cell(s.help))
        for s in settings_of(kind)
    )
    return _table(('parameter', 'default', 'allowed', 'what'), rows)


def message_table(name: str) -> str:
    """Return a Markdown table of the fields of one message, from the comments of its file."""
    rows = []
    for line in (ROOT / 'msg' / f'{name}.msg').read_text().splitlines():
        code, _, comment = line.partition('#')
        if code.strip() and '=' not in code:
            kind, field = code.split()
            rows.append((f'`{field}`', f'`{kind}`', _cell(comment.strip())))
    return _table(('field', 'type', 'what'), rows)


TABLES: dict[str, Callable[[], str]] = {
    'hands_node parameters': lambda: settings_table(Settings),
    'camera_node parameters': lambda: settings_table(CameraSettings),
    'TwoHands': lambda: message_table('TwoHands'),
    'Hand': lambda: message_table('Hand'),
    'HandTopology': lambda: message_table('HandTopology'),
}


def with_tables(text: str) -> str:
    """Return a Markdown text with every marked table rendered anew.

    :raises KeyError: when a marker names no table.
    """

    def replace(match: re.Match[str]) -> str:
        return f'{match[1]}\n{TABLES[match[2]]()}{match[3]}'

    marked = r'(<!-- begin ([^>]+) -->)\n.*?(<!-- end \2 -->)'
    return re.sub(marked, replace, text, flags=re.DOTALL)


def yaml_value(value: Any) -> str:
    """Return a value as YAML: texts are quoted, so that none reads as a number or a switch."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f'[{", ".join(map(yaml_value, value))}]'
    return f"'{value}'" if isinstance(value, str) else repr(value)


def _yaml_entry(setting: Setting) -> str:
    comments = textwrap.wrap(setting.help, 90) + ([limits] if (limits := _limits(setting)) else [])
    lines = [f'# {comment}' for comment in comments]
    lines.append(f'{setting.name}: {yaml_value(setting.default)}')
    return ''.join(f'    {line}\n' for line in lines)


def _limits(setting: Setting) -> str:
    """Return unit, range and whether it can change, as a person reads them."""
    unit_and_range = ' '.join(filter(None, (setting.range_text(), setting.unit)))
    return ', '.join(filter(None, (unit_and_range, 'fixed at start' if setting.fixed else '')))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ('---',) * len(head), *rows)
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def _cell(text: str) -> str:
    return text.replace('|', '\\|')


def _code(text: str) -> str:
    return f'`{text}`'


def _text_of(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


if __name__ == '__main__':
    sys.exit(main())
