"""`interwild doctor`: what is installed, what is missing, and where that comes from."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json

from interwild_ros.cli.diagnosis import diagnose, Diagnosis, Finding
from interwild_ros.cli.flags import add_setting_flags, given_settings
from interwild_ros.config import Settings

_SETTINGS = ('variant', 'weights', 'mano_dir', 'device', 'require_gpu')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's flags."""
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    add_setting_flags(parser, Settings, title='what would run', only=_SETTINGS)


def run(args: argparse.Namespace) -> int:
    """Print the findings; 0 when everything needed to run is there, else 1."""
    diagnosis = diagnose(Settings(**given_settings(args, Settings)))
    print(_as_json(diagnosis) if args.json else _as_table(diagnosis))
    return 0 if diagnosis.is_ready else 1


def _as_json(diagnosis: Diagnosis) -> str:
    content = {
        'is_ready': diagnosis.is_ready,
        'missing': [finding.name for finding in diagnosis.missing],
        'findings': [asdict(finding) for finding in diagnosis.findings],
    }
    return json.dumps(content, indent=2)


def _as_table(diagnosis: Diagnosis) -> str:
    lines: list[str] = []
    part = ''
    for finding in diagnosis.findings:
        if finding.part != part:
            part = finding.part
            lines.append(f'{part[0].upper()}{part[1:]}')
        lines += _rows(finding)
    return '\n'.join([*lines, '', _verdict(diagnosis)])


def _rows(finding: Finding) -> list[str]:
    mark = 'ok' if finding.found else ('MISSING' if finding.needed else 'absent')
    rows = [f'  {mark:8}{finding.name:20}{finding.detail}']
    indent = ' ' * 30
    rows += [f'{indent}sha256 {digest}' for digest in finding.sha256]
    if finding.source:
        rows.append(f'{indent}{"better" if finding.found else "from"}: {finding.source}')
    return rows


def _verdict(diagnosis: Diagnosis) -> str:
    if diagnosis.is_ready:
        return 'Everything needed to run is here.'
    names = ', '.join(finding.name for finding in diagnosis.missing)
    return f'Not ready to run; missing: {names}.'
