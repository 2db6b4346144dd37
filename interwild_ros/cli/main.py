"""The command `interwild`: one verb a module, each loaded only when it is called."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module, metadata
import sys

from interwild_ros.errors import InterwildError
from interwild_ros.openmp import wait_passively

# verb: (module with add_arguments(parser) and run(args) -> exit code, one line of help)
_VERBS = {
    'analyze': (
        'interwild_ros.cli.analyze',
        'see the hands in every frame of recorded bags, in order, as messages, tables and figures',
    ),
    'compare': (
        'interwild_ros.cli.compare',
        'say how far the hands of a result are from those of another, or from the truth',
    ),
    'demo': (
        'interwild_ros.cli.demo',
        'run camera and hands nodes on a clip, record them, draw and report what came out',
    ),
    'doctor': (
        'interwild_ros.cli.doctor',
        'say what is installed, which assets were found and what is missing',
    ),
    'evaluate': (
        'interwild_ros.cli.evaluate',
        'score weights on a data set, and print the row of the paper',
    ),
    'export': (
        'interwild_ros.cli.export',
        'write recordings with their hands for the rerun viewer, or the networks as ONNX',
    ),
    'play': (
        'interwild_ros.cli.play',
        'play a recorded bag with /clock, and run the hands node on every frame of it',
    ),
    'train': (
        'interwild_ros.cli.train',
        'train networks by a recipe, go on after a break, and export what came out',
    ),
}

_REFUSED = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code: 2 for a refusal, 130 for Ctrl-C.

    :param arguments: command line without the program's name; None takes the process's own.
    """
    wait_passively()
    try:
        words = list(sys.argv[1:] if arguments is None else arguments)
        args = _parse(words)
        code: int = args.run(args)
        return code
    except InterwildError as error:
        print(f'interwild: {error}', file=sys.stderr)
        return _REFUSED
    except ImportError as error:
        print(f'interwild: {error}; `interwild doctor` says what is missing', file=sys.stderr)
        return _REFUSED
    except KeyboardInterrupt:
        print('interwild: interrupted', file=sys.stderr)
        return _INTERRUPTED


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='interwild', description='Metric two-hand meshes from camera images, on ROS 2.'
    )
    parser.add_argument('--version', action='version', version=f'interwild {_version()}')
    verbs = parser.add_subparsers(metavar='VERB', required=True)
    for verb, (module_name, summary) in _VERBS.items():
        verb_parser = verbs.add_parser(verb, help=summary, description=f'{summary.capitalize()}.')
        if verb in words:
            module = import_module(module_name)
            module.add_arguments(verb_parser)
            verb_parser.set_defaults(run=module.run)
    return parser.parse_args(words)


def _version() -> str:
    try:
        return metadata.version('interwild_ros')
    except metadata.PackageNotFoundError:
        return 'unknown (not installed)'


if __name__ == '__main__':
    sys.exit(main())
