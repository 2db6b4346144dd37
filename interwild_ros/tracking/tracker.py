"""Where to look in the next frame: hands are followed, and the detector runs only now and then.

A followed hand's box comes from its last joints and their motion. The detector runs on a schedule,
while a hand is missing, and when in doubt. Labels stay with the tracks, whatever crosses or passes
them; only the evidence of many frames exchanges them. What disagrees with what is seen is dropped
and sought anew. Time is that of the stamps, never of a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from interwild_ros.config import Checked, setting
from interwild_ros.records import Box, Candidate, NS_PER_SEC, Side
from interwild_ros.tracking.boxes import cut, enlarged, hull, image_box, on_pixels
from interwild_ros.tracking.handedness import evidence_after
from interwild_ros.tracking.matching import Boxes, claims, Sought, weight, WHOLE
from interwild_ros.tracking.track import are_one_hand, begun, Observed, Track

__all__ = ['WHOLE', 'Observed', 'Sought', 'Tracker', 'TrackerSettings']

_PAIR_REGION = 2.1  # of the box around both hands' boxes: 2.5 of their joints' extent
_HAND_REGION = 4.2  # of a single hand's box
_TIMES_OUTBID = 2  # detections in a row that drop a hand
_YOUNG_SEC = 1.0
_ONE_HAND_YOUNG_SEC = 0.25  # two tracks on one hand, one of them young, before one is dropped
_ONE_HAND_OLD_SEC = 1.0  # and both old: hands that cross are apart by then


@dataclass(frozen=True)
class TrackerSettings(Checked):
    """How hands are followed from frame to frame."""

    detect_every: int = setting(
        10, 'the detector runs every so many frames while all goes well', low=1, high=100000
    )
    look_every: int = setting(3, 'the same while one hand is missing', low=1, high=100000)
    longest_gap_ms: float = setting(
        250.0,
        'time between two frames over which everything begins anew',
        unit='ms',
        low=1.0,
        high=60000.0,
    )
    exchange_at: float = setting(
        8.0,
        'evidence against the labels of the hands over which they are exchanged; one hand gains '
        'at most 14 a second',
        low=3.0,
        high=1000.0,
    )
    evidence_memory_sec: float = setting(
        2.0, 'time in which evidence about labels fades', unit='s', low=0.1, high=1000.0
    )


class Tracker:
    """Follows the two hands of a person; `seek` goes before a frame, `take` after it."""

    def __init__(self, settings: TrackerSettings | None = None, *, frames_before: int = 0) -> None:
        """Begin without hands.

        :param frames_before: how many frames another one took before, since it began anew: both
            then run the detector in the same frames.
        """
        self._settings = settings or TrackerSettings()
        self._image_size: tuple[int, int] | None = None
        self._exchanges = 0
        self.reset()
        self._frames = frames_before

    @property
    def exchanges(self) -> int:
        """Return how often since birth evidence relabelled hands."""
        return self._exchanges

    def use(self, settings: TrackerSettings) -> None:
        """Go on with other settings."""
        self._settings = settings

    def reset(self) -> None:
        """Forget everything: hands are sought in the whole region of interest."""
        self._tracks: list[Track | None] = [None, None]
        self._stamp_ns: int | None = None
        self._answer: tuple[int, Sought] | None = None
        self._frames = 0
        self._looked_nearby = False
        self._must_detect = False
        self._one_hand_since_ns: int | None = None

    def seek(self, stamp_ns: int, image_size: tuple[int, int]) -> Sought:
        """Return where to look in a frame.

        A stamp from before the last frame, one after a gap and an image of another size begin
        everything anew. A stamp that was just sought gives the same answer again, also when its
        frame was taken since.

        :param image_size: (width, height) px.
        """
        if self._image_size not in (None, image_size):
            self.reset()
        self._image_size = image_size
        if self._answer is None or self._answer[0] != stamp_ns:
            self._begin_anew_unless_continued(stamp_ns)
            self._answer = stamp_ns, self._sought(stamp_ns, image_size)
        return self._answer[1]

    def take(
        self,
        stamp_ns: int,
        right: Observed | None,
        left: Observed | None,
        *,
        detected: tuple[Candidate, ...] | None,
    ) -> None:
        """Learn what was made of a frame. One that was just taken changes nothing.

        :param right: None, not present, or joints that are no numbers: the hand is lost.
        :param detected: what the detector proposed, None where it did not run.
        """
        if stamp_ns == self._stamp_ns:
            return
        self._begin_anew_unless_continued(stamp_ns)
        self._count(stamp_ns, detected)
        self._stamp_ns = stamp_ns
        self._tracks = [
            self._followed(track, observed, stamp_ns)
            for track, observed in zip(self._tracks, (right, left), strict=True)
        ]
        self._drop_one_of_one_hand(stamp_ns)
        if detected is not None:
            self._drop_outbid(stamp_ns, detected)
        self._exchange_if_mislabelled()

    def _begin_anew_unless_continued(self, stamp_ns: int) -> None:
        if self._stamp_ns is None:
            return
        elapsed_sec = (stamp_ns - self._stamp_ns) / NS_PER_SEC
        if not 0 <= elapsed_sec <= self._settings.longest_gap_ms / 1000:
            self.reset()

    def _sought(self, stamp_ns: int, image_size: tuple[int, int]) -> Sought:
        """Predict the boxes; a hand whose box has left the image is lost."""
        image = image_box(image_size)
        for side in Side:
            track = self._tracks[side]
            if track is not None and cut(track.predicted(stamp_ns), image) is None:
                self._tracks[side] = None
        boxes = self._boxes(stamp_ns)
        if boxes == (None, None):
            return WHOLE
        right, left = (track is not None and track.is_unsure(stamp_ns) for track in self._tracks)
        detects = right or left or self._is_detection_due()
        looks_nearby = detects and (self._is_settled() or not self._looked_nearby)
        region = _nearby(boxes, image) if looks_nearby else None
        right_turn, left_turn = (0.0 if t is None else t.turn for t in self._tracks)
        return Sought(
            boxes,
            detects=detects,
            region=region,
            is_unsure=(right, left),
            turns=(right_turn, left_turn),
        )

    def _boxes(self, stamp_ns: int) -> Boxes:
        """Predict on whole pixels.

        So two runs over the same frames that began differently soon seek, and read, exactly the
        same: of a crop that is shifted a little networks make about the same joints.
        """
        right, left = self._tracks
        return (
            None if right is None else on_pixels(right.predicted(stamp_ns)),
            None if left is None else on_pixels(left.predicted(stamp_ns)),
        )

    def _is_settled(self) -> bool:
        return all(track is not None and not track.is_doubtful for track in self._tracks)

    def _is_detection_due(self) -> bool:
        followed = self._followed_tracks()
        if self._must_detect:
            return True
        every = self._settings.detect_every
        if len(followed) < len(Side):
            every = self._settings.look_every
        elif any(track.times_outbid for track in followed):
            every = min(every, self._settings.look_every)
        return self._frames % every == 0

    def _count(self, stamp_ns: int, detected: tuple[Candidate, ...] | None) -> None:
        """Count a frame, and note where the detector last looked."""
        self._frames += 1
        if detected is None:
            return
        self._must_detect = False
        sought_ns, sought = self._answer or (None, WHOLE)
        self._looked_nearby = sought_ns == stamp_ns and sought.region is not None

    def _followed(
        self, track: Track | None, observed: Observed | None, stamp_ns: int
    ) -> Track | None:
        if observed is None or not observed.can_be_followed:
            self._must_detect = self._must_detect or track is not None
            return None
        if track is None:
            return begun(observed, stamp_ns)
        evidence = evidence_after(
            track.evidence,
            observed.told_kinds,
            (stamp_ns - track.stamp_ns) / NS_PER_SEC,
            memory_sec=self._settings.evidence_memory_sec,
            most=self._settings.exchange_at,
        )
        return track.followed_by(observed, stamp_ns, evidence=evidence)

    def _followed_tracks(self) -> list[Track]:
        return [track for track in self._tracks if track is not None]

    def _drop(self, side: Side) -> None:
        """Lose a hand, and have the detector look for it in the next frame."""
        self._tracks[side] = None
        self._must_detect = True

    def _drop_one_of_one_hand(self, stamp_ns: int) -> None:
        """Drop the weaker of two tracks that have been on one hand for some time."""
        right, left = self._tracks
        if right is None or left is None or not are_one_hand(right, left):
            self._one_hand_since_ns = None
            return
        if self._one_hand_since_ns is None:
            self._one_hand_since_ns = stamp_ns
        age_sec = (stamp_ns - max(right.began_ns, left.began_ns)) / NS_PER_SEC
        patience_sec = _ONE_HAND_YOUNG_SEC if age_sec < _YOUNG_SEC else _ONE_HAND_OLD_SEC
        if (stamp_ns - self._one_hand_since_ns) / NS_PER_SEC >= patience_sec:
            self._drop(_weaker(right, left))
            self._one_hand_since_ns = None

    def _drop_outbid(self, stamp_ns: int, detected: tuple[Candidate, ...]) -> None:
        """Drop hands that the detector contradicts twice in a row.

        It contradicts when it proposes nothing near a hand, and elsewhere a free candidate that
        speaks more for that side than the last frame spoke for the hand (`Track.support`).
        """
        claimed = claims(self._boxes(stamp_ns), detected)
        for side in Side:
            track = self._tracks[side]
            if track is None:
                continue
            bid = max((weight(candidate, side) for candidate in claimed.free), default=0.0)
            is_outbid = not claimed.is_supported[side] and bid > track.support
            times = track.times_outbid + 1 if is_outbid else 0
            self._tracks[side] = replace(track, times_outbid=times)
            if times >= _TIMES_OUTBID:
                self._drop(side)

    def _exchange_if_mislabelled(self) -> None:
        if sum(t.evidence for t in self._followed_tracks()) >= -self._settings.exchange_at:
            return
        right, left = (track and replace(track, evidence=0.0) for track in self._tracks)
        self._tracks = [left, right]
        self._exchanges += 1


def _nearby(boxes: Boxes, image: Box) -> Box | None:
    """Return the part of the image about followed hands; None when that is all of it."""
    followed = [box for box in boxes if box is not None]
    scale = _PAIR_REGION if len(followed) == len(Side) else _HAND_REGION
    region = cut(enlarged(hull(followed), scale), image)
    return None if region == image else region


def _weaker(right: Track, left: Track) -> Side:
    """Return the side with less evidence for its label, of equals the one that began later."""
    is_left = (left.evidence, -left.began_ns) <= (right.evidence, -right.began_ns)
    return Side.LEFT if is_left else Side.RIGHT
