"""`interwild export`: what this package has or makes, in a form that other programs read."""

from __future__ import annotations

import argparse

from interwild_ros.cli import export_onnx, export_rrd

# each: a FLAG of which one is given, add_arguments(parser, group of these flags), run(args)
_TARGETS = (export_rrd, export_onnx)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of every target."""
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    flags = parser.add_mutually_exclusive_group(required=True)
    for target in _TARGETS:
        target.add_arguments(parser, flags)


def run(args: argparse.Namespace) -> int:
    """Write the target that is asked for."""
    target = next(t for t in _TARGETS if getattr(args, t.FLAG.removeprefix('--')) is not None)
    code: int = target.run(args)
    return code
