"""How fast is `interwild analyze`, and how much memory does it take?

usage: python bench/analyze.py [--frames 2000] [--long-frames 8000] [--skip-memory]
                               [--threads 2] [--workers 0]

A bag is made on the spot: JPEG pictures of 640 x 480 with their CameraInfo, 30 a second. They show
the demo clip's two drawn hands, its first pictures forth and back, so that both hands are in view
and move all the time. The real command analyses it, with `--workers` if that is given; what it
takes with a bag of one frame (Python, networks, an empty report) is taken off, since every bag has
it; that further workers start is not. Beside it, each in a process of its own with `--threads`
threads, by default one a core: `decode_fps` reads and decodes the same bag and does nothing
else; `network_fps` runs the networks alone, over pictures in memory, where a follower looks for
the hands, frame by frame as the command must: where it looks next depends on what it has seen, so
that the batch is one frame on every device. `follow_fps` is that with what the follower does
between two frames, which no other work in its process can stand in for. They take turns of a
second, all others stopped, so that a machine that slows down slows all.

Memory is the sum of the largest resident sets of the command's processes, with a bag of `--frames`
and with one of `--long-frames`; libraries that they share are counted in each. The last line is
JSON; `of_the_slower` is to be 0.9 at least, and both peaks within 5 % of each other.
"""

from __future__ import annotations

from interwild_ros.openmp import wait_passively

wait_passively()  # as the command does; it must come before torch is loaded

import argparse
from collections.abc import Callable, Iterator, Sequence
import contextlib
from dataclasses import dataclass, field, replace
from itertools import islice
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
from tempfile import TemporaryDirectory
import time
from typing import Any

IMAGE, INFO = '/camera/image/compressed', '/camera/camera_info'
STEP_NS, FIRST_NS = 33_333_333, 1_700_000_000_000_000_000
OF_THE_SLOWER, GROWTH_LIMIT = 0.9, 0.05
TURN_SEC = 1.0
_LOOK_SEC = 0.002
_PICTURES = 48


def main() -> None:
    args = _arguments()
    if args.role:
        print(json.dumps(_ROLES[args.role](args)))
        return
    with TemporaryDirectory(dir=args.dir) as scratch:
        print(json.dumps(_measured(args, Path(scratch))))


def _measured(args: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Run everything in processes of their own: this one stays small, and loads nothing."""
    for name, frames in (('short', 1), ('whole', args.frames)):
        _child('make', args, bag=scratch / name, frames=frames)
    rounds = [_round(args, scratch, number) for number in range(args.rounds)]
    middle = sorted(rounds, key=lambda found: found['of_the_slower'])[len(rounds) // 2]
    result = {
        'name': 'analyze',
        'frames': args.frames,
        'threads': args.threads,
        'workers': args.workers or 'default',
        'batch': 1,
        **middle,
        'of_the_slower_wanted': OF_THE_SLOWER,
    }
    if not args.skip_memory:
        long_bag = scratch / 'long'
        _child('make', args, bag=long_bag, frames=args.long_frames)
        (ran,) = _in_turns([_command(args, long_bag, scratch)])
        result[f'peak_mb_{args.long_frames}'] = ran.peak_mb
        result['growth'] = round(ran.peak_mb / middle[f'peak_mb_{args.frames}'] - 1, 4)
        result['growth_limit'] = GROWTH_LIMIT
    return result


def _round(args: argparse.Namespace, scratch: Path, number: int) -> dict[str, Any]:
    """Return the figures of one round of turns."""
    whole = scratch / 'whole'
    commands = [_command(args, scratch / 'short', scratch), _command(args, whole, scratch)]
    parts = [_part(role, args, bag=whole, frames=args.frames) for role in ('decode', 'network')]
    fixed, ran, decode, network = _in_turns([*commands, *parts])
    fps = (args.frames - 1) / (ran.sec - fixed.sec)
    decode_fps, follow_fps = args.frames / decode.sec, args.frames / network.sec
    network_fps = follow_fps / network.said['looking']
    found = {
        'fps': round(fps, 2),
        'decode_fps': round(decode_fps, 2),
        'network_fps': round(network_fps, 2),
        'follow_fps': round(follow_fps, 2),
        'of_the_slower': round(fps / min(decode_fps, network_fps), 3),
        'of_following': round(fps / follow_fps, 3),
        f'peak_mb_{args.frames}': ran.peak_mb,
        'fixed_sec': round(fixed.sec, 2),
        'both_share': network.said['both_share'],
    }
    print(f'round {number}: {json.dumps(found)}', flush=True)
    return found


@dataclass
class Ran:
    """A process and its children.

    How long it was their turn, s; the largest resident set of each, MB; and what was printed.
    """

    sec: float = 0.0
    peaks_mb: dict[int, float] = field(default_factory=dict)
    said: Any = None

    @property
    def peak_mb(self) -> float:
        """Return the sum of what each took at most."""
        return round(sum(self.peaks_mb.values()), 1)


def _in_turns(commands: Sequence[Sequence[str]]) -> list[Ran]:
    """Run commands, each for a second at a time, until all have ended."""
    processes = [_begun(command) for command in commands]
    ran = [Ran() for _ in commands]
    left = list(zip(processes, ran, strict=True))
    try:
        while left:
            left = [(process, of) for process, of in left if _goes_on(process, of)]
    finally:
        for process, _ in left:
            os.killpg(process.pid, signal.SIGKILL)
    return ran


def _begun(command: Sequence[str]) -> subprocess.Popen[str]:
    """Start a process, and stop it: a part of this file when it is ready, another at once."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    if '--role' not in command:
        os.kill(process.pid, signal.SIGSTOP)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        raise SystemExit(f'{" ".join(command)} ended before it began')
    return process


def _goes_on(process: subprocess.Popen[str], ran: Ran) -> bool:
    """Give a process its turn, and return whether it has not ended."""
    began = time.perf_counter()
    os.killpg(process.pid, signal.SIGCONT)
    while (now := time.perf_counter()) < began + TURN_SEC:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            ran.sec += now - began
            ran.peaks_mb[pid] = usage.ru_maxrss / 1024
            _end(process, status, ran)
            return False
        time.sleep(_LOOK_SEC)
    os.killpg(process.pid, signal.SIGSTOP)
    ran.sec += time.perf_counter() - began
    ran.peaks_mb.update(_peaks_mb(process.pid))
    return True


def _peaks_mb(group: int) -> dict[int, float]:
    """Return the largest resident set of every process of a group so far, MB."""
    peaks = {}
    for folder in Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):  # it has ended
            pid = int(folder.name)
            if os.getpgid(pid) == group:
                _, named, size = (folder / 'status').read_text().partition('VmHWM:')
                if named:  # a process that has ended, and was not waited for, has no memory
                    peaks[pid] = int(size.split()[0]) / 1024
    return peaks


def _end(process: subprocess.Popen[str], status: int, ran: Ran) -> None:
    process.returncode = os.waitstatus_to_exitcode(status)
    text = process.stdout.read() if process.stdout else ''
    if process.returncode:
        raise SystemExit(f'{process.args} ended with exit code {process.returncode}: {text}')
    with contextlib.suppress(ValueError):  # the command says what it did in words
        ran.said = json.loads(text)


def _command(args: argparse.Namespace, bag: Path, scratch: Path) -> list[str]:
    flags = ['--out', str(scratch / 'out')]
    if args.workers:
        each = max(args.threads // args.workers, 1)
        flags += ['--workers', str(args.workers), '--threads', str(each)]
    return [sys.executable, '-m', 'interwild_ros.cli.main', 'analyze', str(bag), *flags]


def _part(role: str, args: argparse.Namespace, *, bag: Path, frames: int) -> list[str]:
    """Return the command that runs a part of this file."""
    own = ['--role', role, '--bag', str(bag), '--frames', str(frames)]
    return [sys.executable, str(Path(__file__).resolve()), *own, '--threads', str(args.threads)]


def _child(role: str, args: argparse.Namespace, *, bag: Path, frames: int) -> None:
    subprocess.run(
        _part(role, args, bag=bag, frames=frames), stdout=subprocess.DEVNULL, check=True
    )


def _say_ready() -> None:
    """Stop until it is this process's turn."""
    os.kill(os.getpid(), signal.SIGSTOP)


def make(args: argparse.Namespace) -> dict[str, Any]:
    """Write a bag."""
    from interwild_ros.bag.message_types import MessageTypes
    from interwild_ros.bag.write import write_bag

    kinds = {IMAGE: 'sensor_msgs/msg/CompressedImage', INFO: 'sensor_msgs/msg/CameraInfo'}
    types = MessageTypes(kinds.values())
    pictures, info = _jpegs(args.bag.with_name('pictures.npz')), _camera_info(types.new)
    image = types.new(kinds[IMAGE])
    image.format, image.header.frame_id = 'rgb8; jpeg compressed bgr8', 'camera'
    with write_bag(args.bag) as bag:
        for topic, kind in kinds.items():
            bag.add_topic(topic, kind)
        for number, at in enumerate(islice(_forth_and_back(len(pictures)), args.frames)):
            stamp_ns = FIRST_NS + number * STEP_NS
            image.data = pictures[at]
            for topic, message in ((INFO, info), (IMAGE, image)):
                stamp = message.header.stamp
                stamp.sec, stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
                bag.write(topic, types.serialize(message), received_ns=stamp_ns + 5_000_000)
    return {'bytes': sum(file.stat().st_size for file in args.bag.iterdir())}


def _jpegs(kept: Path) -> list[Any]:
    """Return the first pictures of the demo clip as JPEG files, drawn once a benchmark."""
    import cv2
    from interwild_ros.imaging.demo_clip import demo_clip
    import numpy as np

    if not kept.exists():
        clip = islice(demo_clip(frames=150), _PICTURES)
        np.savez(
            kept, *(cv2.imencode('.jpg', frame.image[..., ::-1])[1].ravel() for frame in clip)
        )
    with np.load(kept) as drawn:
        return list(drawn.values())


def _forth_and_back(count: int) -> Iterator[int]:
    while True:
        yield from range(count - 1) if count > 1 else (0,)
        yield from range(count - 1, 0, -1)


def _camera_info(new: Callable[[str], Any]) -> Any:
    import numpy as np

    info = new('sensor_msgs/msg/CameraInfo')
    info.header.frame_id, info.distortion_model = 'camera', 'plumb_bob'
    info.width, info.height, info.d = 640, 480, np.zeros(5)
    focal_px = 320 / np.tan(np.deg2rad(30))
    info.k = np.array([focal_px, 0, 319.5, 0, focal_px, 239.5, 0, 0, 1])
    info.r = np.eye(3).ravel()
    info.p = np.insert(info.k, (3, 6, 9), 0.0)
    return info


def decode(args: argparse.Namespace) -> dict[str, Any]:
    """Read and decode the bag, as the command does in a thread."""
    frames = _frames(args.bag)
    next(frames)  # opens the bag, and goes through it for its times
    _say_ready()
    return {'count': 1 + sum(1 for _ in frames)}


def network(args: argparse.Namespace) -> dict[str, Any]:
    """Run the networks alone, in one thread of Python, on pictures that are in memory."""
    from interwild_ros.config import Settings
    from interwild_ros.pipeline.following import Follower
    from interwild_ros.pipeline.pipeline import load_pipeline
    from interwild_ros.pipeline.warm_up import warm_up

    pipeline = load_pipeline(Settings(threads=args.threads))
    warm_up(pipeline)
    follower = Follower(pipeline)
    pictures = list(islice(_frames(args.bag), _PICTURES))
    times_sec, both = [], 0
    _say_ready()
    for number, at in enumerate(islice(_forth_and_back(len(pictures)), args.frames)):
        frame = replace(pictures[at], stamp_ns=FIRST_NS + number * STEP_NS)
        began = time.perf_counter()
        glimpse = follower.look(frame)
        looked = time.perf_counter()
        both += len(follower.place(glimpse).hands.hands) == 2
        times_sec.append((looked - began, time.perf_counter() - began))
    # others had their turns in what took so long
    own = [(looking, whole) for looking, whole in times_sec if whole < TURN_SEC / 2]
    looking, whole = map(sum, zip(*own, strict=True))
    return {'looking': looking / whole, 'both_share': round(both / args.frames, 3)}


def _frames(bag: Path) -> Iterator[Any]:
    from interwild_ros.bag.cameras import find_cameras, Wanted
    from interwild_ros.bag.frames import FrameMaker
    from interwild_ros.bag.ordered import camera_times, in_order, times_of
    from interwild_ros.bag.plan import plan_of
    from interwild_ros.bag.sturdy import open_sturdy
    from interwild_ros.config import Settings

    with open_sturdy(bag) as opened:
        (camera,) = find_cameras(opened, Wanted()).cameras
        plan = plan_of(camera_times(camera, times_of(opened, (camera,))), depth_slop_ns=0)
        for decoded in FrameMaker(opened, Settings()).decoded(in_order(opened, camera, plan)):
            yield decoded.frame


_ROLES = {'make': make, 'decode': decode, 'network': network}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--frames', type=int, default=2000)
    parser.add_argument('--long-frames', type=int, default=8000)
    parser.add_argument('--rounds', type=int, default=1)
    parser.add_argument('--skip-memory', action='store_true', help='leave out the longer bag')
    parser.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument('--workers', type=int, default=0, help='of the command; 0: its default')
    parser.add_argument('--dir', type=Path, help='where the bags are made; default: as tempfile')
    parser.add_argument('--role', choices=sorted(_ROLES), help=argparse.SUPPRESS)
    parser.add_argument('--bag', type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == '__main__':
    main()
