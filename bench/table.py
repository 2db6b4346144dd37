"""Run the benchmarks one after the other, and print all that they found as one table.

usage: python bench/table.py [NAME ...]        (`make bench` runs all)

Each is a process of its own, and its last line is JSON. The table is Markdown, as
docs/PERFORMANCE.md keeps it: a row a figure, figures within figures with a dot between their
names. A benchmark that fails is named at the end, and the exit code is 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import json
import os
from pathlib import Path
import platform
import subprocess
import sys
from typing import Any

FOLDER = Path(__file__).parent
RUNS = {
    'forward': ('forward.py',),
    'forward compact': ('forward.py', '--variant', 'compact'),
    'node': ('node.py',),
    'node compressed': ('node.py', '--compressed', '--size', '1280x720'),
    'cameras': ('cameras.py',),
    'analyze': ('analyze.py',),
    'steady': ('steady.py',),
    'placement': ('placement.py',),
    'accuracy': ('accuracy.py',),
    'photos': ('photos.py',),
    'synthetic': ('synthetic.py',),
    'datasets': ('datasets.py',),
    'transnet': ('transnet.py',),
    'residuals': ('residuals.py',),
}
KEYS_LEFT_OUT = ('name', 'variant')


def main() -> int:
    args = _arguments()
    unknown = set(args.names) - RUNS.keys()
    if unknown:
        print(f'{sorted(unknown)} are no benchmarks, wanted {list(RUNS)}', file=sys.stderr)
        return 2
    failed = []
    print(f'Machine: {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}')
    print('\n| benchmark | figure | value |\n| --- | --- | --- |')
    for name in args.names or RUNS:
        found = _found(RUNS[name])
        if found is None:
            failed.append(name)
            continue
        for key, value in _figures(found):
            print(f'| {name} | `{key}` | {value} |', flush=True)
    for name in failed:
        print(f'{name} failed: {" ".join(RUNS[name])}', file=sys.stderr)
    return bool(failed)


def _found(run: tuple[str, ...]) -> dict[str, Any] | None:
    """Return what the last line of a benchmark says, None when it failed."""
    script, *arguments = run
    command = [sys.executable, str(FOLDER / script), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return None
    try:
        found: dict[str, Any] = json.loads(lines[-1])
    except ValueError:
        return None
    return found


def _figures(found: dict[str, Any], before: str = '') -> Iterator[tuple[str, Any]]:
    for key, value in found.items():
        if isinstance(value, dict):
            yield from _figures(value, f'{before}{key}.')
        elif key not in KEYS_LEFT_OUT:
            yield f'{before}{key}', value


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(':')[2].strip() for line in lines if line.startswith('model name'))
    return next(names, platform.processor())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('names', nargs='*', metavar='NAME', help=', '.join(RUNS))
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main())
