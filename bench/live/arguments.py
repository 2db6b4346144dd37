"""Arguments that benchmarks of the running node share."""

from __future__ import annotations

import argparse
import re


def size(text: str) -> tuple[int, int]:
    """Return the width and the height of pictures in px: 640x480."""
    width, height = text.split('x')
    return int(width), int(height)


def parameter(text: str) -> str:
    """Return a parameter of the node with its value, as ROS writes it.

    :raises ArgumentTypeError: where it is written otherwise.
    """
    if not re.fullmatch(r'\w+:=.+', text):
        raise argparse.ArgumentTypeError(f'{text!r}, wanted PARAMETER:=VALUE')
    return text
