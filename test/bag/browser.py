"""A real browser for tests of pages: headless Chromium, where one is installed."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import re
import shutil
import subprocess

import pytest

_NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome')
_CONSOLE = re.compile(r':(INFO|WARNING|ERROR):CONSOLE[:(]\d+\)?\]? ?"(.*?)", source', re.S)
# The browser advises plotly.js on how to be faster; nothing is wrong.
_ADVICE = 'willReadFrequently'


@dataclass(frozen=True)
class Seen:
    """What became of a page: its elements, what the console said, and a picture of it."""

    dom: str
    console: list[str]
    screenshot: Path


def find_browser() -> str:
    """Return the browser's path; without one the test is skipped."""
    named = [os.environ.get('CHROMIUM', ''), *_NAMES]
    found = next(filter(None, map(shutil.which, filter(None, named))), None)
    if found is None:
        pytest.skip('no Chromium here: apt install chromium, or name it in CHROMIUM')
    return found


def look_at(page: Path, folder: Path, *, height: int = 2400) -> Seen:
    """Open a page as a person without network would, and wait until it rests."""
    screenshot = folder / f'{page.stem}.png'
    command = [
        find_browser(),
        '--headless',
        '--no-sandbox',  # Chromium refuses root without it
        '--use-angle=swiftshader',
        '--enable-unsafe-swiftshader',  # WebGL without a graphics card
        '--host-resolver-rules=MAP * ~NOTFOUND',
        '--hide-scrollbars',
        '--enable-logging=stderr',
        '--virtual-time-budget=5000',
        f'--user-data-dir={folder / "profile"}',
        f'--window-size=1200,{height}',
        f'--screenshot={screenshot}',
        '--dump-dom',
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    said = [text for _, text in _CONSOLE.findall(done.stderr) if _ADVICE not in text]
    return Seen(done.stdout, said, screenshot)
