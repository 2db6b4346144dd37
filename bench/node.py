"""Measure the hands node among real processes over DDS: latency, rate, drops, load, memory.

    python bench/node.py [--rate 30] [--size 640x480] [--compressed] [--frames 1000]
                         [--set PARAMETER:=VALUE ...]

Camera, node and listener are processes of their own. The camera sends a moment of the demo clip,
there and back, so that the shipped networks see two hands, which are placed, followed and
published; the listener hears hands, TF and markers as bytes, as a subscriber in C++ would. Latency
is the time on arrival minus the stamp, which the camera sets when it sends. What runs:

* main: pictures at --rate until the node has worked on --frames of them
* unloaded: a third of the rate that the node can reach by the times it took in main
* overload: three times that rate: only the newest picture may be worked on, so the 99th
  percentile may grow by the time of the networks for one picture, and no further
* naive: the hands that were published in main, published again by one more process in turns by the
  package and as typed messages, field by field

The last line is JSON. `overhead_ms` is the median time of decoding, placing, following, making and
publishing all messages, as the node measures it and tells in /diagnostics; `transport_ms` what the
median latency unloaded has beyond that and the networks: the picture's way in, the message's way
out. FASTRTPS_DEFAULT_PROFILES_FILE=config/fast_dds.xml shortens it for raw pictures.
Keys that begin with main_, unloaded_ and overload_ are of one run: latency, pictures a second
(sent, answered), `drops` (sent but not answered), of these `drops_before` (lost before the node
took them) and `drops_inside` (pushed out by a newer one), and the cores that each process keeps
busy. `start_sec` is the time from the node's start as a process until its networks have run once
and it says the topology of its hands, which is when it can answer. `rss_*_mb`
is the node's resident memory after so many frames. `ours_*` and `naive_*` are per frame: wall and
processor time to make and publish it, and the markers' age on arrival.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
import json
import os
from pathlib import Path
from statistics import median
import subprocess
import tempfile
import time

from interwild_ros.bag.messages import card_of, topology_of, two_hands_of
from interwild_ros.msg import TwoHands
from interwild_ros.ros.domain import free_domain_id, local_environment
from live import camera, wrapping
from live.arguments import parameter, size
from live.listener import Heard, Listener, NODE, Report
from live.pictures import draw
from live.processes import CpuShares, end, resident_mb, running
import numpy as np
import rclpy
from rclpy.serialization import deserialize_message
from visualization_msgs.msg import MarkerArray

OVERHEAD_LIMITS_MS = {'raw': 3.0, 'compressed': 6.0}
GROWTH_LIMIT_MB = 20.0
START_LIMIT_SEC = 10.0
EARLY_FRAMES = 200
RUN_SEC = 15.0
OVERLOAD = 3.0
WARM_UP_SEC = 1.5  # of each run, which does not count: hands appear after some frames
DRAIN_SEC = 1.0
STALL_TIMEOUT_SEC = 60.0
STAGES = ('overhead_ms', 'decode_ms', 'placement_ms', 'messages_ms', 'networks_ms')
COUNTS = ('frames_in', 'frames_out', 'frames_dropped', 'frames_skipped')


@dataclass(frozen=True)
class Run:
    """What came of one camera: see the module for the meaning of the figures."""

    ages_ms: list[float]
    sent: int
    answered: int
    counts: dict[str, int]
    stages: dict[str, float]
    rates_hz: dict[str, float]
    cores: dict[str, float]

    def percentile(self, share: float) -> float:
        """Return a percentile of the latency in ms."""
        return round(float(np.percentile(self.ages_ms, share)), 2)

    def figures(self) -> dict[str, float]:
        """Return what is told of the run."""
        drops = self.sent - self.answered
        return {
            **{f'latency_p{share}_ms': self.percentile(share) for share in (50, 95, 99)},
            **self.rates_hz,
            'drops': drops,
            'drops_before': self.sent - self.counts['frames_in'],
            'drops_inside': self.counts['frames_dropped'],
            'skipped': self.counts['frames_skipped'],
            **{f'cores_{name}': value for name, value in self.cores.items()},
        }

    @property
    def transport_ms(self) -> float:
        """Return the median latency beyond what the node measures of itself."""
        inside_ms = self.stages['overhead_ms'] + self.stages['networks_ms']
        return round(self.percentile(50) - inside_ms, 3)


class Bench:
    """The node and the listener of all runs."""

    def __init__(
        self, args: argparse.Namespace, folder: Path, node: subprocess.Popen[str]
    ) -> None:
        self._transport = transport_of(args)
        self._pictures = folder / 'pictures.npz'
        self._node = node
        self.listener = Listener()

    def run(self, rate: float, *, frames: int | None = None) -> tuple[Run, dict[str, float]]:
        """Send pictures for a while, or until so many more were worked on.

        Return what came of it, and the node's memory on the way.
        """
        before = self._report()
        self.listener.empty()
        arguments = (str(self._pictures), str(rate), self._transport)
        with running(camera.__file__, *arguments) as process:
            self._await_first_answer()
            self.listener.spin(WARM_UP_SEC)
            shares = CpuShares(
                {'camera': process.pid, 'node': self._node.pid, 'listener': os.getpid()}
            )
            since_ns, since_sec = time.time_ns(), time.monotonic()
            memory_mb = self._listen(before, frames)
            seconds = time.monotonic() - since_sec
            cores = shares.cores()
            ages_ms = self._ages_ms(since_ns)
            sent = int(end(process))
        self.listener.spin(DRAIN_SEC)
        heard, after = self.listener.heard, self._report()
        counts = {key: int(after.values[key]) - int(before.values[key]) for key in COUNTS}
        sending_sec = self._sending_sec(heard)
        run = Run(
            ages_ms=ages_ms,
            sent=sent,
            answered=len(heard.ages_ms[f'{NODE}/two_hands']),
            counts=counts,
            stages=_stages(heard, since_sec),
            rates_hz={
                'sent_hz': round(sent / sending_sec, 2),
                'answered_hz': round(len(ages_ms) / seconds, 2),
            },
            cores=cores,
        )
        return run, memory_mb

    def _ages_ms(self, since_ns: int) -> list[float]:
        return self.listener.heard.ages_since(f'{NODE}/two_hands', since_ns)

    @staticmethod
    def _sending_sec(heard: Heard) -> float:
        """Return the time from the first stamp that was answered to the last."""
        stamps_ns = [stamp_ns for stamp_ns, _ in heard.ages_ms[f'{NODE}/two_hands']]
        return 1e-9 * (stamps_ns[-1] - stamps_ns[0])

    def _listen(self, before: Report, frames: int | None) -> dict[str, float]:
        if frames is None:
            self.listener.spin(RUN_SEC)
            return {}
        marks = sorted({min(EARLY_FRAMES, frames), frames})
        return {f'rss_{mark}_mb': self._memory_at(mark, before) for mark in marks}

    def _memory_at(self, frames: int, before: Report) -> float:
        """Wait until the node has worked on so many frames since; return its memory then."""
        since = int(before.values['frames_out'])
        moved_at_sec, last = time.monotonic(), 0
        while (done := int(self._report().values['frames_out']) - since) < frames:
            if done > last:
                moved_at_sec, last = time.monotonic(), done
            if time.monotonic() - moved_at_sec > STALL_TIMEOUT_SEC:
                raise SystemExit(f'the node finished no frame for {STALL_TIMEOUT_SEC:g} s')
        return resident_mb(self._node.pid)

    def _await_first_answer(self) -> None:
        topic = f'{NODE}/two_hands'
        self._await(lambda: self.listener.heard.ages_ms[topic], 'the node answered no picture')

    def _await(self, is_there: Callable[[], object], failure: str, look_sec: float = 0.1) -> None:
        """Listen until something is there."""
        end_sec = time.monotonic() + STALL_TIMEOUT_SEC
        while not is_there():
            self.listener.spin(look_sec)
            self._check_node()
            if time.monotonic() > end_sec:
                raise SystemExit(f'{failure} for {STALL_TIMEOUT_SEC:g} s')

    def _report(self) -> Report:
        report = self.listener.next_report(STALL_TIMEOUT_SEC)
        self._check_node()
        if report is None:
            raise SystemExit(f'the node said nothing for {STALL_TIMEOUT_SEC:g} s')
        return report

    def _check_node(self) -> None:
        if self._node.poll() is not None:
            raise SystemExit(f'the node ended with exit code {self._node.returncode}')

    def await_topology(self) -> None:
        """Wait until the node says what its hands are, which it does when it is ready."""
        self._await(lambda: self.listener.topology, 'the node said no topology', look_sec=0.02)

    def await_node(self) -> str:
        """Wait until the node listens, and return what runs its networks."""
        while (report := self._report()).values['state'] != 'active':
            pass
        return report.values.get('engine', 'unknown')

    def naive(self, folder: Path) -> dict[str, float]:
        """Publish in two ways the last hands that were heard; return the figures of both."""
        path = folder / 'hands.pickle'
        messages = [deserialize_message(data, TwoHands) for data in self.listener.hands]
        hands = [two_hands for m in messages if len((two_hands := two_hands_of(m)).hands) == 2]
        topology = self.listener.topology
        if not hands or topology is None:
            raise SystemExit('the node has published no two hands: there is nothing to compare')
        wrapping.save(path, hands, topology_of(topology), card_of(topology, device='cpu'))
        for way in wrapping.TOPICS.values():
            self.listener.listen(MarkerArray, f'{way}/markers')
            self.listener.listen(TwoHands, f'{way}/two_hands')
        self.listener.empty()
        with running(wrapping.__file__, str(path)) as process:
            while process.poll() is None:
                self.listener.spin(0.1)
            if process.returncode:
                raise SystemExit(f'the comparison ended with exit code {process.returncode}')
            figures = json.loads(end(process))
        for way, top in wrapping.TOPICS.items():
            ages_ms = self.listener.heard.ages_since(f'{top}/markers', 0)
            figures[f'{way}_markers_age_ms'] = round(median(ages_ms), 2)
        return {**figures, 'both_hands_share': round(len(hands) / len(messages), 2)}


def _stages(heard: Heard, since_sec: float) -> dict[str, float]:
    """Return the middle of what the node reported of its stages."""
    reports = [report for report in heard.reports if report.at_sec >= since_sec]
    found = {key: [report.number(key) for report in reports] for key in STAGES}
    return {
        key: round(median([value for value in values if value is not None]), 3)
        for key, values in found.items()
    }


def transport_of(args: argparse.Namespace) -> str:
    """Return the value of the setting image_transport."""
    return 'compressed' if args.compressed else 'raw'


def measure(args: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Run everything; return the figures by name."""
    camera.save(folder / 'pictures.npz', *draw(args.size))
    parameters = [f'image_transport:={transport_of(args)}', *args.set]
    options = [word for given in parameters for word in ('-p', given)]
    module = ('-m', 'interwild_ros.ros.hands_node', '--ros-args', '--log-level', 'error')
    rclpy.init()
    began_sec = time.monotonic()
    with running(*module, *options) as node:
        bench = Bench(args, folder, node)
        try:
            bench.await_topology()
            start_sec = time.monotonic() - began_sec
            engine = bench.await_node()
            main_run, memory_mb = bench.run(args.rate, frames=args.frames)
            naive = bench.naive(folder)
            reachable_hz = _reachable_hz(main_run)
            unloaded, _ = bench.run(reachable_hz / OVERLOAD)
            overload, _ = bench.run(reachable_hz * OVERLOAD)
        finally:
            bench.listener.close()
            rclpy.try_shutdown()
    early_mb, *_, late_mb = (*memory_mb.values(), *memory_mb.values())
    runs = {'main': main_run, 'unloaded': unloaded, 'overload': overload}
    return {
        **main_run.stages,
        'overhead_limit_ms': OVERHEAD_LIMITS_MS[transport_of(args)],
        'transport_ms': unloaded.transport_ms,
        **_growth(unloaded, overload),
        'reachable_hz': round(reachable_hz, 2),
        **naive,
        **{f'{name}_{key}': v for name, run in runs.items() for key, v in run.figures().items()},
        **memory_mb,
        'growth_mb': round(late_mb - early_mb, 1),
        'growth_limit_mb': GROWTH_LIMIT_MB,
        'start_sec': round(start_sec, 2),
        'start_limit_sec': START_LIMIT_SEC,
        'engine': engine,
    }


def _reachable_hz(run: Run) -> float:
    """Return how many pictures a second the node can work on, one after the other."""
    return 1e3 / (run.stages['overhead_ms'] + run.stages['networks_ms'])


def _growth(unloaded: Run, overload: Run) -> dict[str, float]:
    p99_ms = {'unloaded': unloaded.percentile(99), 'overload': overload.percentile(99)}
    inference_ms = unloaded.stages['networks_ms']
    return {
        'p99_unloaded_ms': p99_ms['unloaded'],
        'p99_overload_ms': p99_ms['overload'],
        'overload_growth_ms': round(p99_ms['overload'] - p99_ms['unloaded'], 2),
        'overload_growth_limit_ms': inference_ms,
        'inference_ms': inference_ms,
        'inference_overload_ms': overload.stages['networks_ms'],
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--rate', type=float, default=30.0, help='pictures a second')
    parser.add_argument('--size', type=size, default=(640, 480), help='width x height, px')
    parser.add_argument('--compressed', action='store_true', help='send JPEG')
    parser.add_argument('--frames', type=int, default=1000, help='frames to be worked on')
    parser.add_argument(
        '--set', type=parameter, action='append', default=[], help='a parameter of the node'
    )
    return parser.parse_args()


def main() -> None:
    args = _arguments()
    os.environ.update(local_environment(free_domain_id()))
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(args, Path(folder))
    for key, value in figures.items():
        print(f'{key:28}{value:>12}')
    result = {
        'name': 'node',
        **figures,
        'frames': args.frames,
        'size': '{}x{}'.format(*args.size),
        'transport': transport_of(args),
        'parameters': args.set,
    }
    print(json.dumps(result))


if __name__ == '__main__':
    main()
