"""From pictures to the paper's row: what each picture scores, and the plain means of it.

Source: NETWORKS.md section 17.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
import json

from interwild_ros.eval import metrics
from interwild_ros.eval.pairs import FoundPair, TruePair
from interwild_ros.geometry.regions import overlap
from interwild_ros.records import Array, Side
import numpy as np

RECALL_OVERLAP = 0.5  # a box that overlaps the truth by more is found


@dataclass(frozen=True, eq=False)
class PictureScore:
    """One picture's errors; None is what has no truth.

    By side `mpvpe_mm` and `overlaps`; `joint_errors_mm` (42,) with NaN.
    """

    is_interacting: bool
    mpvpe_mm: tuple[float | None, float | None]
    mrrpe_mm: float | None
    rrve_mm: float | None
    joint_errors_mm: Array
    overlaps: tuple[float | None, float | None]


@dataclass(frozen=True)
class BenchmarkResult:
    """The means over a data set; None where nothing counted.

    MPJPE is a mean of joint means, and 'all' of it that of both columns' joint means, as in the
    original. `box_iou_percent` is of the reported boxes; `box_recall` is the share of true boxes
    that are overlapped by more than RECALL_OVERLAP.
    """

    data: str
    picture_count: int
    mpvpe_single_mm: float | None
    mpvpe_interacting_mm: float | None
    mpvpe_all_mm: float | None
    mrrpe_mm: float | None
    rrve_mm: float | None
    mpjpe_single_mm: float | None
    mpjpe_interacting_mm: float | None
    mpjpe_all_mm: float | None
    box_iou_percent: float | None
    box_recall: float | None

    def as_row(self) -> tuple[tuple[str, str], ...]:
        """Return titles and values as text, the paper's first."""
        return tuple((title, _text(getattr(self, name))) for name, title in _TITLES)

    def as_json(self) -> str:
        """Return one line of JSON."""
        return json.dumps(asdict(self))


_TITLES = (
    ('mpvpe_all_mm', 'MPVPE all'),
    ('mpvpe_single_mm', 'MPVPE single'),
    ('mpvpe_interacting_mm', 'MPVPE interacting'),
    ('mrrpe_mm', 'MRRPE'),
    ('rrve_mm', 'RRVE'),
    ('mpjpe_all_mm', 'MPJPE all'),
    ('mpjpe_single_mm', 'MPJPE single'),
    ('mpjpe_interacting_mm', 'MPJPE interacting'),
    ('box_iou_percent', 'box IoU %'),
    ('box_recall', 'box recall'),
)


def score_picture(found: FoundPair, truth: TruePair) -> PictureScore:
    """Compare what was found with what counts."""
    right, left = (_side_score(found, truth, side) for side in Side)
    relative, meshes = truth.left_from_right_m, truth.vertices_m
    mrrpe = rrve = None
    if relative is not None:
        mrrpe = metrics.mrrpe_mm(found.left_from_right_m, relative)
        if truth.is_interacting and meshes[0] is not None and meshes[1] is not None:
            both = np.stack([meshes[0], meshes[1]])
            rrve = metrics.rrve_mm(found.vertices_m, found.left_from_right_m, both, relative)
    return PictureScore(
        is_interacting=truth.is_interacting,
        mpvpe_mm=(right[0], left[0]),
        mrrpe_mm=mrrpe,
        rrve_mm=rrve,
        joint_errors_mm=metrics.joint_errors_mm(found.joints_m, truth.joints_m, truth.joint_valid),
        overlaps=(right[1], left[1]),
    )


def summarise(scores: Sequence[PictureScore], data: str) -> BenchmarkResult:
    """Return the row of a data set; the order of the pictures does not matter."""
    single = [score for score in scores if not score.is_interacting]
    interacting = [score for score in scores if score.is_interacting]
    joints = [_joint_means(column) for column in (single, interacting)]
    overlaps = _counted(value for score in scores for value in score.overlaps)
    iou = _mean(overlaps)
    return BenchmarkResult(
        data=data,
        picture_count=len(scores),
        mpvpe_single_mm=_mean(_hands(single)),
        mpvpe_interacting_mm=_mean(_hands(interacting)),
        mpvpe_all_mm=_mean(_hands(scores)),
        mrrpe_mm=_mean(_counted(score.mrrpe_mm for score in scores)),
        rrve_mm=_mean(_counted(score.rrve_mm for score in scores)),
        mpjpe_single_mm=_mean(joints[0]),
        mpjpe_interacting_mm=_mean(joints[1]),
        mpjpe_all_mm=_mean(joints[0] + joints[1]),
        box_iou_percent=None if iou is None else 100 * iou,
        box_recall=_mean([float(value > RECALL_OVERLAP) for value in overlaps]),
    )


def _side_score(
    found: FoundPair, truth: TruePair, side: Side
) -> tuple[float | None, float | None]:
    """Return the mesh error in mm and the overlap of the boxes of one hand."""
    mesh, box = truth.vertices_m[side], truth.boxes_px[side]
    error = None if mesh is None else metrics.mpvpe_mm(found.vertices_m[side], mesh)
    return error, None if box is None else overlap(found.boxes_px[side].tolist(), box)


def _hands(scores: Sequence[PictureScore]) -> list[float]:
    return _counted(error for score in scores for error in score.mpvpe_mm)


def _joint_means(scores: Sequence[PictureScore]) -> list[float]:
    """Return the mean of each joint that counted in any picture."""
    if not scores:
        return []
    errors = np.stack([score.joint_errors_mm for score in scores])
    counts = np.isfinite(errors).sum(axis=0)
    sums = np.nansum(errors, axis=0)
    means: list[float] = (sums[counts > 0] / counts[counts > 0]).tolist()
    return means


def _counted(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _text(value: float | None) -> str:
    return '-' if value is None else f'{value:.2f}'
