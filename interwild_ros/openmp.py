"""How OpenMP's threads wait for each other."""

from __future__ import annotations

import os
from typing import Final

PASSIVE_WAITING: Final = ('OMP_WAIT_POLICY', 'PASSIVE')


def wait_passively() -> None:
    """Let waiting OpenMP threads sleep instead of spin; to be called before torch is loaded.

    PyTorch's CPU threads meet many times a frame, and by default the first to arrive burn their
    core until the last one does. Where other processes want that core too, as beside a camera
    driver, frames then take several times as long. OMP_WAIT_POLICY, when it is set, stays.
    """
    os.environ.setdefault(*PASSIVE_WAITING)
