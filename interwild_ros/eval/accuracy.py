"""The whole pipeline against truth, from pictures, with its own detector and placement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
import json

from interwild_ros.eval.annotated_camera import camera_of
from interwild_ros.eval.benchmark import PictureScore, RECALL_OVERLAP, score_picture, summarise
from interwild_ros.eval.metrics import MM_PER_M, mrrpe_mm
from interwild_ros.eval.pairs import found_pair
from interwild_ros.eval.truth import TruthOf
from interwild_ros.geometry.regions import overlap
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.pipeline.pipeline import Pipeline
from interwild_ros.records import Array, Frame, Hand, Image, PairEstimate, Side, TwoHands
from interwild_ros.train.annotations import Annotation
from interwild_ros.train.mano_targets import pose_fits
import numpy as np


@dataclass(frozen=True)
class BetweenWrists:
    """Errors of the left wrist seen from the right one, in mm.

    By TransNet alone, by the wrists placed each by itself, and by both weighed against each other.
    """

    transnet_mm: float
    solve_mm: float
    fused_mm: float


@dataclass(frozen=True, eq=False)
class PictureAccuracy:
    """What the pipeline made of one picture; by side, None is what has no truth.

    `wrist_mm`: how far a placed wrist is off in the camera's frame. `swapped`: whether a visible
    hand was found as the other one. `scores` are the networks', `present` says what is there.
    `between` is how far the left wrist is off, seen from the right one, where both hands are
    published.
    """

    score: PictureScore
    wrist_mm: tuple[float | None, float | None]
    swapped: tuple[bool | None, bool | None]
    scores: tuple[float, float]
    present: tuple[bool, bool]
    between: BetweenWrists | None = None


@dataclass(frozen=True)
class AccuracyResult:
    """The means over all pictures; None where nothing counted.

    `swaps` counts visible hands that were found as the other one. `presence_accuracy` is the
    share of hands that the best threshold on the networks' score, `presence_threshold`, tells
    rightly, with present and absent ones weighing the same. `both_published` pictures have both
    hands, and both are published: over these are the means of `BetweenWrists`.
    """

    picture_count: int
    mpvpe_single_mm: float | None
    mpvpe_interacting_mm: float | None
    mrrpe_mm: float | None
    rrve_mm: float | None
    box_recall: float | None
    box_iou_percent: float | None
    wrist_position_mm: float | None
    wrist_position_median_mm: float | None
    both_published: int
    transnet_mrrpe_mm: float | None
    solve_mrrpe_mm: float | None
    fused_mrrpe_mm: float | None
    swaps: int
    visible_hands: int
    presence_accuracy: float | None
    presence_threshold: float | None

    def as_json(self, name: str) -> str:
        """Return one line of JSON under this name."""
        rounded = {
            key: round(value, 4) if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }
        return json.dumps({'name': name, **rounded})


def judge(
    pipeline: Pipeline,
    annotation: Annotation,
    image: Image,
    truth_of: TruthOf,
    hand_models: HandPair,
) -> PictureAccuracy:
    """Run the pipeline on a picture whose fits hold in its camera's frame."""
    frame = Frame(image, camera_of(annotation), stamp_ns=0, frame_id='')
    pair = pipeline.estimate(frame)
    placed = pipeline.place(frame, pair)
    right, left = annotation.hand_boxes
    return PictureAccuracy(
        score=score_picture(found_pair(pair), truth_of(annotation, hand_models)),
        wrist_mm=_wrist_errors_mm(placed, annotation, hand_models),
        swapped=(_swapped(pair, annotation, Side.RIGHT), _swapped(pair, annotation, Side.LEFT)),
        scores=(pair.right.box.score, pair.left.box.score),
        present=(right is not None, left is not None),
        between=_between(pipeline, frame, pair, placed, annotation),
    )


def _between(
    pipeline: Pipeline,
    frame: Frame,
    pair: PairEstimate,
    placed: TwoHands,
    annotation: Annotation,
) -> BetweenWrists | None:
    if len(placed.hands) < len(Side) or not annotation.left_from_right_valid:
        return None
    apart = pipeline.with_settings(pipeline.settings.changed({'placement': 'apart'}))
    alone = apart.place(frame, pair)
    return BetweenWrists(
        *(
            mrrpe_mm(found, annotation.left_from_right_m)
            for found in (pair.left_from_right_m, _relative_m(alone), _relative_m(placed))
        )
    )


def _relative_m(placed: TwoHands) -> Array:
    right, left = placed.hands
    return np.asarray(left.wrist_m - right.wrist_m)


def summarise_accuracy(pictures: Sequence[PictureAccuracy]) -> AccuracyResult:
    """Return the means over pictures."""
    row = summarise([picture.score for picture in pictures], 'pipeline')
    wrists = [mm for picture in pictures for mm in picture.wrist_mm if mm is not None]
    swapped = [s for picture in pictures for s in picture.swapped if s is not None]
    accuracy, threshold = _presence(pictures)
    between = [picture.between for picture in pictures if picture.between is not None]
    return AccuracyResult(
        picture_count=len(pictures),
        mpvpe_single_mm=row.mpvpe_single_mm,
        mpvpe_interacting_mm=row.mpvpe_interacting_mm,
        mrrpe_mm=row.mrrpe_mm,
        rrve_mm=row.rrve_mm,
        box_recall=row.box_recall,
        box_iou_percent=row.box_iou_percent,
        wrist_position_mm=_mean(wrists),
        wrist_position_median_mm=float(np.median(wrists)) if wrists else None,
        both_published=len(between),
        transnet_mrrpe_mm=_mean([b.transnet_mm for b in between]),
        solve_mrrpe_mm=_mean([b.solve_mm for b in between]),
        fused_mrrpe_mm=_mean([b.fused_mm for b in between]),
        swaps=sum(swapped),
        visible_hands=len(swapped),
        presence_accuracy=accuracy,
        presence_threshold=threshold,
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _wrist_errors_mm(
    placed: TwoHands, annotation: Annotation, hand_models: HandPair
) -> tuple[float | None, float | None]:
    posed = pose_fits(annotation.fits, hand_models, annotation.image_size, is_mirrored=False)
    right, left = (
        _wrist_error_mm(hand, posed.joints_m[side, 0].numpy())
        if posed.present[side] and annotation.hand_boxes[side] is not None
        else None
        for side, hand in zip(Side, (placed.right, placed.left), strict=True)
    )
    return right, left


def _wrist_error_mm(hand: object, true_wrist_m: Array) -> float | None:
    if not isinstance(hand, Hand):
        return None
    return float(np.linalg.norm(hand.joints_m[0] - true_wrist_m)) * MM_PER_M


def _swapped(pair: PairEstimate, annotation: Annotation, side: Side) -> bool | None:
    box = annotation.hand_boxes[side]
    if box is None:
        return None
    found = (pair.right.box.corners, pair.left.box.corners)
    own, other = overlap(found[side], box), overlap(found[1 - side], box)
    return own <= RECALL_OVERLAP < other


def _presence(pictures: Sequence[PictureAccuracy]) -> tuple[float | None, float | None]:
    """Return the best balanced share of hands told rightly, and the threshold that does it."""
    scores = np.array([score for picture in pictures for score in picture.scores])
    present = np.array([there for picture in pictures for there in picture.present], bool)
    if not len(scores) or present.all() or not present.any():
        return None, None
    thresholds = np.unique(scores)
    over = scores >= thresholds[:, None]
    shares = (over[:, present].mean(1) + (~over[:, ~present]).mean(1)) / 2
    best = int(shares.argmax())
    return float(shares[best]), float(thresholds[best])
