"""Processes that tests look for."""

from pathlib import Path


def processes_about(path):
    """Return the command lines, by process id, of running processes that name a path."""
    found = {}
    for entry in Path('/proc').glob('[0-9]*/cmdline'):
        try:
            words = entry.read_bytes().replace(b'\0', b' ').decode(errors='replace')
        except OSError:
            continue
        if str(path) in words:
            found[int(entry.parent.name)] = words
    return found
