"""How steady, how late and how sure are followed hands? Filters, presence and the tracker at work.

usage: python bench/steady.py [--seeds 3] [--seconds 5] [--streams NAME ...] [--sequences NAME ...]
                              [--set SETTING=VALUE ...]

The stand-in hands move before a camera with f = 600 px and 640 x 480 px, 0.6 m away; networks are
simulated (interwild_ros.testing.simulated_sight: 3 px on 2D joints, 3 degrees of rotation, sizes
that are wrong by 1 to 2 %, 3 cm on left_from_right, sides told right in 90 % of the frames, boxes
missed and made up), so that the truth is known. The sequences:

* still, slow (0.3 Hz, 6 cm), fast (1.5 Hz, 15 cm, with rotations and fingers)
* occlusions: now one hand, now the other is hidden for 0.2 to 0.5 s
* leaving: the right hand leaves the picture and comes back
* crossing: both hands cross in the picture, one 10 cm behind the other, and cross back
* strangers: another person's hands pass 35 cm behind the own ones
* outliers: of 5 % of the hands a wrong size is read, or a wrong place

The streams: 30Hz, 10Hz and 60Hz; uneven: 30 Hz with a fifth of the frames dropped and stamps that
are off by up to 6 ms; far: 30 Hz, 1 m away; plain: 30 Hz, of networks that do not tell what a crop
shows, as the official ones; apart: 30 Hz, wrists placed without TransNet, whose noise is most of
the jitter of single frames. 1.4 m/s at 10 Hz is a hand's width a frame: no tracker follows that.
The columns, means over seeds and hands, the worst in brackets:

* jitter: mean second difference of the joints in mm/frame^2, of single frames and filtered
* lag in ms behind the truth: of the wrist's place, of its rotation and of the fingers
* lost, back: ms from a hand's disappearance to the first message without it, and from its return
  to the first one with it
* swaps: published hands that are nearest to the true hand of the other side
* false: published hands where no own hand can be seen; missed: share of those seen
* age: the most frames over which a pose was published again
* wrist: error in mm, 50th / 95th percentile, of single frames and filtered

The last line is JSON. `swaps`, `false_hands` and `oldest_pose_frames` are of all that ran; other
figures are of the stream 30Hz and of still, fast, or occlusions and leaving, unless their name
begins with another stream or sequence.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
import json
from typing import NamedTuple

from interwild_ros.config import Settings, settings_of
from interwild_ros.pipeline.following import Followed, Follower
from interwild_ros.pipeline.pipeline import load_pipeline, Pipeline
from interwild_ros.records import Array, Camera, Frame, Hand, NS_PER_SEC, Side, TwoHands
from interwild_ros.testing import simulated_worlds as worlds
from interwild_ros.testing.simulated_sight import SeenHand, SightNoise, SimulatedSight
from interwild_ros.testing.simulated_worlds import MakeWorld, TrueHand
from interwild_ros.tracking.steadiness import jitter_mm_per_frame2, lag_ms
import numpy as np
from scipy.spatial.transform import Rotation
import torch

CAMERA = Camera(640, 480, 600.0, 600.0, 319.5, 239.5)
IMAGE = np.zeros((CAMERA.height, CAMERA.width, 3), np.uint8)
NEAR_M, FAR_M = 0.6, 1.0
SETTLED_SEC = 1.0  # after which a sequence counts, for jitter, lag and errors
LEAST_MOTION = 1e-3  # m or rad: what moves less has no lag
REACH = 0.25  # of the distance: how far off a published hand may be and still be of a true hand

SEQUENCES: dict[str, MakeWorld] = {
    'still': worlds.moving(worlds.STILL),
    'slow': worlds.moving(worlds.SLOW),
    'fast': worlds.moving(worlds.FAST),
    'occlusions': worlds.occlusions,
    'leaving': worlds.leaving,
    'crossing': worlds.crossing,
    'strangers': worlds.strangers,
    'outliers': worlds.moving(worlds.SLOW),
}

TARGETS = {  # least, most
    'jitter_ratio': (5.0, np.inf),
    'apart_jitter_ratio': (5.0, np.inf),
    'lag_ms': (-np.inf, 25.0),
    'lag_rotation_ms': (-np.inf, 25.0),
    'lag_fingers_ms': (-np.inf, 25.0),
    'swaps': (0, 0),
    'oldest_pose_frames': (0, 1),
}


# How it is seen.


class Stream(NamedTuple):
    """How frames come, from how far, and how they are worked on."""

    name: str
    hz: float
    distance_m: float = NEAR_M
    uneven: bool = False
    tells_kinds: bool = True
    placement: str = 'auto'

    def stamps_ns(self, seconds: float, rng: np.random.Generator) -> Array:
        """Return when frames come."""
        stamps = np.arange(int(seconds * self.hz)) / self.hz
        if self.uneven:
            stamps = stamps[rng.random(len(stamps)) > 0.2]
            stamps = stamps + rng.uniform(0, 0.012, len(stamps))
        return (NS_PER_SEC * stamps).astype(np.int64)


STREAMS = (
    Stream('30Hz', 30.0),
    Stream('10Hz', 10.0),
    Stream('60Hz', 60.0),
    Stream('uneven', 30.0, uneven=True),
    Stream('far', 30.0, FAR_M),
    Stream('plain', 30.0, tells_kinds=False),
    Stream('apart', 30.0, placement='apart'),
)


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame: what was there, and what was said of it."""

    stamp_ns: int
    seen: tuple[SeenHand, ...]
    said: Followed

    def own(self, side: Side) -> SeenHand:
        """Return the person's own hand."""
        return next(h for h in self.seen if h.truth.is_own and h.truth.side is side)


def shoot(
    name: str, stream: Stream, pipeline: Pipeline, seed: int, seconds: float
) -> tuple[Shot, ...]:
    """Follow one sequence."""
    rng = np.random.default_rng((seed, list(SEQUENCES).index(name)))
    world = SEQUENCES[name](rng, stream.distance_m)
    noise = SightNoise(outliers=0.05 if name == 'outliers' else 0.0)
    placing = pipeline.with_settings(pipeline.settings.changed({'placement': stream.placement}))
    sight = SimulatedSight(placing, world, noise, seed=seed, tells_kinds=stream.tells_kinds)
    follow = Follower(sight)
    shots = []
    for stamp_ns in stream.stamps_ns(seconds, rng).tolist():
        said = follow(Frame(IMAGE, CAMERA, stamp_ns, 'camera'))
        shots.append(Shot(stamp_ns, sight.seen(CAMERA, stamp_ns), said))
    return tuple(shots)


# What is measured.


@dataclass(frozen=True, eq=False)
class HandFigures:
    """What one hand of one sequence comes to; None where nothing tells it."""

    jitter_raw: float | None
    jitter: float | None
    lags_ms: dict[str, float | None]
    lost_ms: list[float]
    back_ms: list[float]
    swaps: int
    false: int
    published: int
    missed: int
    visible: int
    age: int
    wrist_raw_mm: Array
    wrist_mm: Array


def measure(shots: Sequence[Shot], side: Side) -> HandFigures:
    visible = np.array([shot.own(side).is_visible for shot in shots])
    published = [_hand(shot.said.hands, side) for shot in shots]
    is_published = np.array([hand is not None for hand in published])
    places = [_place_of(hand, shot) for hand, shot in zip(published, shots, strict=True) if hand]
    lost_ms, back_ms = _waits_ms(shots, visible, is_published)
    settled = [s for s in shots if s.stamp_ns >= SETTLED_SEC * NS_PER_SEC]
    return HandFigures(
        jitter_raw=_jitter([s.said.raw for s in settled], side),
        jitter=_jitter([s.said.hands for s in settled], side),
        lags_ms=_lags_ms(settled, side),
        lost_ms=lost_ms,
        back_ms=back_ms,
        swaps=places.count('other side'),
        false=places.count('no own hand') + int((is_published & ~visible).sum()),
        published=int(is_published.sum()),
        missed=int((visible & ~is_published).sum()),
        visible=int(visible.sum()),
        age=_oldest(published),
        wrist_raw_mm=_wrist_errors_mm(settled, side, of='raw'),
        wrist_mm=_wrist_errors_mm(settled, side, of='hands'),
    )


def _hand(two_hands: TwoHands, side: Side) -> Hand | None:
    hand = (two_hands.right, two_hands.left)[side]
    return hand if isinstance(hand, Hand) else None


def _place_of(hand: Hand, shot: Shot) -> str:
    """Return where a published hand is."""

    def off_m(seen: SeenHand) -> float:
        return float(np.linalg.norm(seen.truth.wrist_m - hand.wrist_m))

    nearest = min(shot.seen, key=off_m)
    if not nearest.truth.is_own or off_m(nearest) > REACH * nearest.truth.wrist_m[2]:
        return 'no own hand'
    return 'own hand' if nearest.truth.side is hand.side else 'other side'


def _jitter(said: Iterable[TwoHands], side: Side) -> float | None:
    hands = [_hand(two_hands, side) for two_hands in said]
    nothing = np.full((21, 3), np.nan)
    return jitter_mm_per_frame2(np.stack([nothing if h is None else h.joints_m for h in hands]))


def _lags_ms(shots: Sequence[Shot], side: Side) -> dict[str, float | None]:
    pairs = [(s.stamp_ns, s.own(side).truth, _hand(s.said.hands, side)) for s in shots]
    there = [(stamp, truth, hand) for stamp, truth, hand in pairs if hand is not None]
    if len(there) < 20:
        return {'': None, '_rotation': None, '_fingers': None}
    stamps = np.array([stamp for stamp, _, _ in there])
    start = Rotation.from_rotvec(there[0][1].pose[:3])

    def lag(of: Callable[[TrueHand | Hand], Array]) -> float | None:
        found = np.stack([of(hand) for _, _, hand in there])
        true = np.stack([of(truth) for _, truth, _ in there])
        if np.ptp(true, axis=0).max() < LEAST_MOTION:
            return None
        return lag_ms(found, true, stamps)

    return {
        '': lag(lambda hand: hand.wrist_m),
        '_rotation': lag(lambda h: (Rotation.from_rotvec(h.pose[:3]) * start.inv()).as_rotvec()),
        '_fingers': lag(lambda hand: hand.pose[3:]),
    }


def _waits_ms(
    shots: Sequence[Shot], visible: Array, is_published: Array
) -> tuple[list[float], list[float]]:
    """Return how long after each change of visibility the messages say so."""
    lost_ms, back_ms = [], []
    for at in range(1, len(shots)):
        if visible[at] == visible[at - 1]:
            continue
        end = next((i for i in range(at, len(shots)) if visible[i] != visible[at]), len(shots))
        told = next((i for i in range(at, end) if is_published[i] == visible[at]), end - 1)
        waited_ms = (shots[told].stamp_ns - shots[at].stamp_ns) / 1e6
        (back_ms if visible[at] else lost_ms).append(waited_ms)
    return lost_ms, back_ms


def _oldest(published: Sequence[Hand | None]) -> int:
    """Return over how many frames a pose was published again, at most."""
    first_seen: dict[bytes, int] = {}
    oldest = 0
    for index, hand in enumerate(published):
        if hand is not None:
            key = hand.pose.tobytes() + hand.wrist_m.tobytes()
            oldest = max(oldest, index - first_seen.setdefault(key, index))
    return oldest


def _wrist_errors_mm(shots: Sequence[Shot], side: Side, *, of: str) -> Array:
    errors = []
    for shot in shots:
        hand, true = _hand(getattr(shot.said, of), side), shot.own(side)
        if hand is not None and true.is_visible:
            errors.append(1e3 * float(np.linalg.norm(hand.wrist_m - true.truth.wrist_m)))
    return np.array(errors)


# What is said.

Measure = Callable[[HandFigures], float | None]


@dataclass(frozen=True)
class Pool:
    """The figures of many hands."""

    hands: Sequence[HandFigures]

    def numbers(self, of: Measure) -> list[float]:
        """Return a figure of each hand that has it."""
        return [value for hand in self.hands if (value := of(hand)) is not None]

    def mean(self, of: Measure) -> float | None:
        """Return the mean over hands, None of none."""
        found = self.numbers(of)
        return float(np.mean(found)) if found else None

    def most(self, of: Measure) -> float | None:
        """Return the largest of all hands, None of none."""
        return max(self.numbers(of), default=None)

    def total(self, of: Measure) -> int:
        """Return the sum over hands."""
        return int(sum(self.numbers(of)))

    def share(self, of: Measure, out_of: Measure) -> float:
        """Return one sum over another."""
        return self.total(of) / max(self.total(out_of), 1)

    def waits_ms(self, of: Callable[[HandFigures], list[float]]) -> Array:
        """Return all waits of all hands."""
        return np.array([wait for hand in self.hands for wait in of(hand)])

    def error_mm(self, of: Callable[[HandFigures], Array], percentile: float) -> float | None:
        """Return a percentile over all frames of all hands, None of none."""
        errors = np.concatenate([of(hand) for hand in self.hands])
        return float(np.percentile(errors, percentile)) if errors.size else None

    def jitter_ratio(self) -> float | None:
        """Return how many times less filtered joints jitter than those of single frames."""
        raw, filtered = self.mean(lambda h: h.jitter_raw), self.mean(lambda h: h.jitter)
        return raw / filtered if raw and filtered else None

    def least_jitter_ratio(self) -> float | None:
        """Return that of the worst hand."""
        pairs = [(h.jitter_raw, h.jitter) for h in self.hands]
        return min((raw / jitter for raw, jitter in pairs if raw and jitter), default=None)


Pools = dict[tuple[str, str], Pool]  # by sequence and stream

COLUMNS = (
    *('jitter raw', 'filtered', 'lag', 'rotation', 'fingers', 'lost', 'back', 'swaps'),
    *('false', 'missed', 'age', 'wrist raw', 'filtered'),
)
LAGS = ('', '_rotation', '_fingers')


def row(pool: Pool) -> list[str]:
    waits = [pool.waits_ms(lambda h: h.lost_ms), pool.waits_ms(lambda h: h.back_ms)]
    errors: list[Callable[[HandFigures], Array]] = [lambda h: h.wrist_raw_mm, lambda h: h.wrist_mm]
    return [
        _text(pool.mean(lambda h: h.jitter_raw)),
        _text(pool.mean(lambda h: h.jitter)),
        *(_with_worst(pool.mean(lag), pool.most(lag)) for lag in map(_lag, LAGS)),
        *(f'{w.mean():.0f} ({w.max():.0f})' if w.size else '-' for w in waits),
        str(pool.total(lambda h: h.swaps)),
        str(pool.total(lambda h: h.false)),
        f'{pool.share(lambda h: h.missed, lambda h: h.visible):.1%}',
        _text(pool.most(lambda h: h.age), digits=0),
        *(' / '.join(_text(pool.error_mm(of, p)) for p in (50, 95)) for of in errors),
    ]


def _lag(name: str) -> Measure:
    return lambda hand: hand.lags_ms[name]


def line(name: str, cells: Iterable[str]) -> str:
    return f'{name:<19}' + ''.join(f'{cell:>14}' for cell in cells)


def _with_worst(mean: float | None, worst: float | None) -> str:
    return '-' if mean is None else f'{mean:.1f} ({_text(worst)})'


def _text(value: float | None, *, digits: int = 1) -> str:
    return '-' if value is None else f'{value:.{digits}f}'


def figures_of(pools: Pools) -> dict[str, float | None]:
    """Return all figures of what ran."""
    everything = Pool([hand for pool in pools.values() for hand in pool.hands])
    figures: dict[str, float | None] = {
        'swaps': everything.total(lambda h: h.swaps),
        'oldest_pose_frames': everything.most(lambda h: h.age),
        'false_hands': everything.total(lambda h: h.false),
        'false_share': everything.share(lambda h: h.false, lambda h: h.published),
    }
    for stream in STREAMS:
        of_stream = {name: pool for (name, at), pool in pools.items() if at == stream.name}
        prefix = '' if stream is STREAMS[0] else f'{stream.name}_'
        figures |= {f'{prefix}{key}': v for key, v in _figures_of_stream(of_stream).items()}
    return {key: None if v is None else round(v, 3) for key, v in figures.items()}


def _figures_of_stream(pools: dict[str, Pool]) -> dict[str, float | None]:
    figures: dict[str, float | None] = {}
    if still := pools.get('still'):
        figures['jitter_raw'] = still.mean(lambda h: h.jitter_raw)
        figures['jitter_filtered'] = still.mean(lambda h: h.jitter)
        figures['jitter_ratio'] = still.jitter_ratio()
        figures['jitter_ratio_worst'] = still.least_jitter_ratio()
    if fast := pools.get('fast'):
        for name in LAGS:
            figures[f'lag{name}_ms'] = fast.mean(_lag(name))
            figures[f'lag{name}_ms_worst'] = fast.most(_lag(name))
    if outliers := pools.get('outliers'):
        figures |= _figures_of_outliers(outliers)
    coming = [pools[name] for name in ('occlusions', 'leaving') if name in pools]
    figures |= _waits(Pool([hand for pool in coming for hand in pool.hands]))
    for name, pool in pools.items():
        figures[f'{name}_missed_share'] = pool.share(lambda h: h.missed, lambda h: h.visible)
    return figures


def _figures_of_outliers(pool: Pool) -> dict[str, float | None]:
    figures = {
        'outliers_jitter_raw': pool.mean(lambda h: h.jitter_raw),
        'outliers_jitter_filtered': pool.mean(lambda h: h.jitter),
    }
    for percentile in (50, 95):
        raw = pool.error_mm(lambda h: h.wrist_raw_mm, percentile)
        figures[f'outliers_wrist_raw_p{percentile}_mm'] = raw
        filtered = pool.error_mm(lambda h: h.wrist_mm, percentile)
        figures[f'outliers_wrist_filtered_p{percentile}_mm'] = filtered
    return figures


def _waits(pool: Pool) -> dict[str, float | None]:
    waits = {
        'lost_ms': pool.waits_ms(lambda h: h.lost_ms),
        'returned_ms': pool.waits_ms(lambda h: h.back_ms),
    }
    means = {name: float(w.mean()) for name, w in waits.items() if w.size}
    return means | {f'{name}_worst': float(w.max()) for name, w in waits.items() if w.size}


def missed_targets(figures: dict[str, float | None]) -> list[str]:
    """Say which targets are not reached, of those that ran."""
    return [
        f'{name} is {value}, wanted {least:g} to {most:g}'
        for name, (least, most) in TARGETS.items()
        if (value := figures.get(name)) is not None and not least <= value <= most
    ]


def main() -> None:
    args = _arguments()
    torch.set_num_threads(1)
    settings = Settings(weights='rule-made', device='cpu').changed(dict(args.set))
    pipeline = load_pipeline(settings)
    print(line('', COLUMNS))
    pools: Pools = {}
    for stream in (s for s in STREAMS if s.name in args.streams):
        for name in args.sequences:
            films = [
                shoot(name, stream, pipeline, seed, args.seconds) for seed in range(args.seeds)
            ]
            pool = Pool([measure(shots, side) for shots in films for side in Side])
            pools[name, stream.name] = pool
            print(line(f'{name} {stream.name}', row(pool)), flush=True)
    figures = figures_of(pools)
    missed = missed_targets(figures)
    for text in missed:
        print(f'missed: {text}')
    print(
        json.dumps(
            {'name': 'steady', 'seeds': args.seeds, **figures, 'targets_missed': len(missed)}
        )
    )


def _setting(text: str) -> tuple[str, float | str]:
    name, value = text.split('=')
    kinds = {described.name: described.type for described in settings_of(Settings)}
    return name, kinds[name](value)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    streams = [stream.name for stream in STREAMS]
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--seconds', type=float, default=5.0, help='of each sequence')
    parser.add_argument('--streams', nargs='+', choices=streams, default=streams)
    parser.add_argument('--sequences', nargs='+', choices=SEQUENCES, default=list(SEQUENCES))
    parser.add_argument('--set', type=_setting, action='append', default=[], metavar='NAME=VALUE')
    return parser.parse_args()


if __name__ == '__main__':
    main()
