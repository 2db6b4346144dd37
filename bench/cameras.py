"""Measure two cameras served by one hands node and by two, among real processes over DDS.

    python bench/cameras.py [--rate 15] [--size 640x480] [--seconds 15]
                            [--set PARAMETER:=VALUE ...]

Each camera is a process of its own and sends a moment of the demo clip at --rate, so that the
shipped networks see two hands in every picture. One listener hears hands, TF and markers of all.
What runs, one after the other:

* alone: one node, one camera
* shared: one node with the parameter `cameras`, which takes the newest picture of each in turn
* apart: a node for each camera

The last line is JSON. Per run and camera: pictures answered a second, and the milliseconds
from the stamp, which the camera sets when it sends, to the arrival of the hands. Per run: `rss_mb`
is the resident memory of all nodes, in which pages that they share count once each; `pss_mb` the
same with shared pages divided among those that hold them; `cores_*` what each process keeps busy.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import contextlib
from dataclasses import dataclass
import json
import os
from pathlib import Path
import subprocess
import tempfile
import time

from interwild_ros.ros.domain import free_domain_id, local_environment
from live import camera
from live.arguments import parameter, size
from live.listener import Listener, NODE
from live.pictures import draw
from live.processes import CpuShares, end, proportional_mb, resident_mb, running
import numpy as np
import rclpy

CAMERAS = ('front', 'wrist')
START_SEC = 60.0
WARM_UP_SEC = 2.0  # of each run, which does not count


@dataclass(frozen=True)
class Setup:
    """Nodes, by the arguments of ROS that each is started with, and what stands for its topics.

    `tops` has for each camera that sends what its `two_hands` is below.
    """

    nodes: tuple[tuple[str, ...], ...]
    tops: dict[str, str]


SETUPS = {
    'alone': Setup(nodes=(('-r', '__ns:=/front'),), tops={'front': f'/front{NODE}'}),
    'shared': Setup(
        nodes=(('-p', f'cameras:=[{", ".join(CAMERAS)}]'),),
        tops={name: f'{NODE}/{name}' for name in CAMERAS},
    ),
    'apart': Setup(
        nodes=tuple(('-r', f'__ns:=/{name}') for name in CAMERAS),
        tops={name: f'/{name}{NODE}' for name in CAMERAS},
    ),
}


def measure(setup: Setup, args: argparse.Namespace, pictures: Path) -> dict[str, object]:
    """Run one setup; return its figures by name."""
    listener = Listener(tuple(setup.tops.values()))
    with contextlib.ExitStack() as stack:
        stack.callback(listener.close)
        nodes = [stack.enter_context(running(*_node(args, own))) for own in setup.nodes]
        cameras = {
            name: stack.enter_context(running(*_camera(args, name, pictures)))
            for name in setup.tops
        }
        _await_answers(listener, setup, [*nodes, *cameras.values()])
        listener.spin(WARM_UP_SEC)
        shares = CpuShares(
            {f'node_{number}': node.pid for number, node in enumerate(nodes, 1)}
            | {f'camera_{name}': process.pid for name, process in cameras.items()}
            | {'listener': os.getpid()}
        )
        since_ns, since_sec = time.time_ns(), time.monotonic()
        listener.spin(args.seconds)
        seconds = time.monotonic() - since_sec
        found: dict[str, object] = {
            'rss_mb': round(sum(resident_mb(node.pid) for node in nodes), 1),
            'pss_mb': round(sum(proportional_mb(node.pid) for node in nodes), 1),
            **{f'cores_{name}': value for name, value in shares.cores().items()},
        }
        for name, top in setup.tops.items():
            ages_ms = listener.heard.ages_since(f'{top}/two_hands', since_ns)
            found[name] = _figures(ages_ms, seconds)
        for process in cameras.values():
            end(process)
    return found


def _node(args: argparse.Namespace, own: Sequence[str]) -> tuple[str, ...]:
    options = [word for setting in args.set for word in ('-p', setting)]
    module = ('-m', 'interwild_ros.ros.hands_node', '--ros-args', '--log-level', 'error')
    return (*module, *options, *own)


def _camera(args: argparse.Namespace, name: str, pictures: Path) -> tuple[str, ...]:
    own = (camera.__file__, str(pictures), str(args.rate), 'raw')
    return (*own, '--ros-args', '-r', f'__ns:=/{name}')


def _await_answers(
    listener: Listener, setup: Setup, processes: Sequence[subprocess.Popen[str]]
) -> None:
    """Wait until a picture of each camera was answered."""
    end_sec = time.monotonic() + START_SEC
    while not all(listener.heard.ages_ms[f'{top}/two_hands'] for top in setup.tops.values()):
        listener.spin(0.1)
        for process in processes:
            if process.poll() is not None:
                raise SystemExit(f'{process.args} ended with exit code {process.returncode}')
        if time.monotonic() > end_sec:
            raise SystemExit(f'not every camera was answered within {START_SEC:g} s')


def _figures(ages_ms: Sequence[float], seconds: float) -> dict[str, float]:
    if not ages_ms:
        return {'answered_hz': 0.0}
    p50, p95 = np.percentile(ages_ms, (50, 95))
    return {
        'answered_hz': round(len(ages_ms) / seconds, 2),
        'latency_p50_ms': round(float(p50), 2),
        'latency_p95_ms': round(float(p95), 2),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--rate', type=float, default=15.0, help='pictures a second and camera')
    parser.add_argument('--size', type=size, default=(640, 480), help='width x height, px')
    parser.add_argument('--seconds', type=float, default=15.0, help='length of each run')
    parser.add_argument(
        '--set', type=parameter, action='append', default=[], help='a parameter of the nodes'
    )
    return parser.parse_args()


def main() -> None:
    args = _arguments()
    os.environ.update(local_environment(free_domain_id()))
    found: dict[str, object] = {'name': 'cameras'}
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / 'pictures.npz'
        camera.save(pictures, *draw(args.size))
        rclpy.init()
        try:
            for name, setup in SETUPS.items():
                found[name] = measure(setup, args, pictures)
                print(f'{name:8}{json.dumps(found[name])}', flush=True)
        finally:
            rclpy.try_shutdown()
    found |= {'rate_hz': args.rate, 'size': '{}x{}'.format(*args.size), 'parameters': args.set}
    print(json.dumps(found))


if __name__ == '__main__':
    main()
