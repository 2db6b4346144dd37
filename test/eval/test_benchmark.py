"""The original's rows on made-up predictions, and what the means are means of."""

import json
from pathlib import Path

from interwild_ros.eval.benchmark import BenchmarkResult, score_picture, summarise
from interwild_ros.eval.pairs import found_pair, FoundPair, sides_of, TruePair
from interwild_ros.hand_model.joints import joint_regressor_21
from interwild_ros.records import HandBox, HandEstimate, PairEstimate, Side
from interwild_ros.testing.parity_hand import parity_right
from interwild_ros.train.datasets.boxes import around_joints, box_or_none, with_corners
from interwild_ros.train.datasets.cameras import onto_picture
from interwild_ros.train.datasets.hic import CAMERA
from interwild_ros.train.datasets.joint_orders import PAIR_FROM_INTERHAND
import numpy as np
import pytest

DATA = Path(__file__).parents[1] / 'data'
GOLDEN = json.loads((DATA / 'eval_units.json').read_text())
EXTRACT = np.load(DATA / 'eval_units.npz')  # pictures 0 and 2 of five
SETS = ('InterHand26M', 'HIC', 'ReInterHand')
RNG = np.random.default_rng(0)


@pytest.fixture(scope='module')
def regressor():
    return joint_regressor_21(parity_right()['J_regressor'].toarray())


class GoldenPicture:
    """One made-up prediction and truth, as each data set's evaluation sees it."""

    def __init__(self, inputs, number, regressor):
        prefix = f'out{number}/'
        self.out = {k.removeprefix(prefix): inputs[k] for k in inputs if k.startswith(prefix)}
        self.annotation = GOLDEN['annotations'][number]
        self.regressor = regressor
        joints_mm = inputs[f'annot{number}/joint_cam'][PAIR_FROM_INTERHAND].astype(np.float64)
        self.joints_cam_m = joints_mm.reshape(2, 21, 3) / 1000
        self.valid = inputs[f'annot{number}/joint_trunc'][PAIR_FROM_INTERHAND, 0]
        self.meshes = self.out['mano_mesh_cam_target'].reshape(2, 778, 3).astype(np.float64)
        self.wrists = [regressor[0] @ mesh for mesh in self.meshes]
        self.is_interacting = self.annotation['hand_type'] == 'interacting'

    def found(self):
        map_ = self.out['bb2img_trans']
        boxes = [self.out[f'{hand}hand_bbox'].reshape(2, 2) * 2 for hand in 'rl']
        joints = [self.out[f'{hand}mano_joint_cam'] for hand in 'rl']
        meshes = [self.out[f'{hand}mano_mesh_cam'].astype(np.float64) for hand in 'rl']
        return FoundPair(
            vertices_m=np.stack([mesh - self.regressor[0] @ mesh for mesh in meshes]),
            joints_m=np.concatenate([joint - joint[:1] for joint in joints]),
            left_from_right_m=self.out['rel_trans'],
            boxes_px=np.stack([(b @ map_[:, :2].T + map_[:, 2]).ravel() for b in boxes]),
        )

    def truth(self, data):
        return {
            'InterHand26M': self._interhand,
            'HIC': self._hic,
            'ReInterHand': self._reinterhand,
        }[data]()

    def _interhand(self):
        wrists = self.joints_cam_m[:, 0]
        return TruePair(
            vertices_m=self._counted_meshes(),
            left_from_right_m=wrists[1] - wrists[0],
            joints_m=(self.joints_cam_m - self.joints_cam_m[:, :1]).reshape(42, 3),
            joint_valid=self.valid,
            boxes_px=(self.annotation['rhand_bbox'], self.annotation['lhand_bbox']),
            is_interacting=self.is_interacting,
        )

    def _hic(self):
        boxes = tuple(
            _projected_box(mesh) if self._has_fit(side) else None
            for side, mesh in zip(Side, self.meshes, strict=True)
        )
        relative = self.wrists[1] - self.wrists[0]
        return TruePair(
            vertices_m=self._counted_meshes(),
            left_from_right_m=relative if self.is_interacting else None,
            joints_m=np.zeros((42, 3)),
            joint_valid=np.zeros(42),
            boxes_px=boxes,
            is_interacting=self.is_interacting,
        )

    def _reinterhand(self):
        joints = self.regressor @ self.meshes
        boxes = (
            self.out[f'{hand}hand_bbox_target'].tolist()
            if self.out[f'{hand}hand_bbox_valid']
            else None
            for hand in 'rl'
        )
        return TruePair(
            vertices_m=tuple(m - w for m, w in zip(self.meshes, self.wrists, strict=True)),
            left_from_right_m=self.out['rel_trans_target'],
            joints_m=(joints - joints[:, :1]).reshape(42, 3),
            joint_valid=np.ones(42),
            boxes_px=tuple(boxes),
            is_interacting=True,
        )

    def _has_fit(self, side):
        return self.annotation[f'mano_{side.label}']

    def _counted_meshes(self):
        sides = sides_of(self.annotation['hand_type'])
        return tuple(
            self.meshes[side] - self.wrists[side]
            if side in sides and self._has_fit(side)
            else None
            for side in Side
        )


def _projected_box(mesh):
    pixels = onto_picture(CAMERA, mesh)
    return box_or_none(with_corners(around_joints(pixels, np.ones(len(pixels), dtype=bool))))


def close(found, wanted):
    if wanted is None:
        assert found is None
    else:
        assert found == pytest.approx(wanted, abs=2e-4)


def mesh_errors(expected, data, number):
    """Return the golden's mesh errors of one picture, right and left."""
    if data == 'ReInterHand':
        return expected['mpvpe'][2 * number : 2 * number + 2]
    interacting = expected['mpvpe_ih'][2 * number : 2 * number + 2]
    single = expected['mpvpe_sh'][number]
    if single is None:
        return interacting
    is_right = GOLDEN['annotations'][number]['hand_type'] == 'right'
    return [single, None] if is_right else [None, single]


def joint_errors(expected, data, number):
    """Return the golden's joint errors in our order, or None where the data set has none."""
    if data == 'HIC':
        return None
    if data == 'ReInterHand':
        return np.array(expected['mpjpe'][number], dtype=float)
    is_interacting = GOLDEN['annotations'][number]['hand_type'] == 'interacting'
    rows = expected['mpjpe_ih' if is_interacting else 'mpjpe_sh'][number]
    return np.array(rows, dtype=float)[PAIR_FROM_INTERHAND]


@pytest.mark.parametrize('data', SETS)
@pytest.mark.parametrize('number', [0, 2])
def test_a_picture_scores_what_the_original_scores(regressor, data, number):
    picture = GoldenPicture(EXTRACT, number, regressor)
    score = score_picture(picture.found(), picture.truth(data))
    expected = GOLDEN[data]['per_sample']
    for found, wanted in zip(score.mpvpe_mm, mesh_errors(expected, data, number), strict=True):
        close(found, wanted)
    close(score.mrrpe_mm, expected['mrrpe'][number])
    close(score.rrve_mm, expected['rrve'][number])
    for found, wanted in zip(
        score.overlaps, expected['bbox_iou'][2 * number : 2 * number + 2], strict=True
    ):
        close(found, wanted and wanted[0])
    wanted = joint_errors(expected, data, number)
    if wanted is None:
        assert np.isnan(score.joint_errors_mm).all()
    else:
        np.testing.assert_allclose(score.joint_errors_mm, wanted, atol=2e-4)


PRINTED = {
    'bbox IoU': 'box_iou_percent',
    'MRRPE': 'mrrpe_mm',
    'MPVPE': 'mpvpe_all_mm',
    'MPVPE for all hand sequences': 'mpvpe_all_mm',
    'MPVPE for single hand sequences': 'mpvpe_single_mm',
    'MPVPE for interacting hand sequences': 'mpvpe_interacting_mm',
    'RRVE': 'rrve_mm',
    'RRVE for interacting hand sequences': 'rrve_mm',
    'MPJPE': 'mpjpe_all_mm',
    'MPJPE for all hand sequences': 'mpjpe_all_mm',
    'MPJPE for single hand sequences': 'mpjpe_single_mm',
    'MPJPE for interacting hand sequences': 'mpjpe_interacting_mm',
}


@pytest.mark.parametrize('data', SETS)
def test_the_row_is_what_the_original_prints(regressor, shared, data):
    inputs = np.load(shared / 'parity/golden_eval_inputs.npz')
    pictures = [GoldenPicture(inputs, number, regressor) for number in range(5)]
    result = summarise([score_picture(p.found(), p.truth(data)) for p in pictures], data)
    for line in GOLDEN[data]['printed']:
        title, value = line.removesuffix(' mm').split(': ')
        assert f'{getattr(result, PRINTED[title]):.2f}' == value, title


def pair(seed=0):
    """Return a prediction and the same as truth."""
    rng = np.random.default_rng(seed)
    found = FoundPair(
        vertices_m=rng.normal(scale=0.05, size=(2, 778, 3)),
        joints_m=rng.normal(scale=0.05, size=(42, 3)),
        left_from_right_m=rng.normal(scale=0.1, size=3),
        boxes_px=np.array([[10.0, 10, 60, 60], [70, 10, 120, 60]]),
    )
    truth = TruePair(
        vertices_m=(found.vertices_m[0], found.vertices_m[1]),
        left_from_right_m=found.left_from_right_m,
        joints_m=found.joints_m,
        joint_valid=np.ones(42),
        boxes_px=((10.0, 10.0, 60.0, 60.0), (70.0, 10.0, 120.0, 60.0)),
        is_interacting=True,
    )
    return found, truth


def test_the_truth_itself_scores_zero_and_every_box_is_found():
    result = summarise([score_picture(*pair(seed)) for seed in range(3)], 'synthetic')
    assert result.mpvpe_interacting_mm == result.mrrpe_mm == result.rrve_mm == 0
    assert result.mpjpe_all_mm == 0
    assert result.box_iou_percent == pytest.approx(100, abs=1e-4)
    assert result.box_recall == 1
    assert result.mpvpe_single_mm is result.mpjpe_single_mm is None  # no single hand was there


def test_a_box_that_misses_by_half_is_not_recalled():
    found, truth = pair()
    found.boxes_px[0] += (25.0, 0, 25, 0)
    result = summarise([score_picture(found, truth)], 'synthetic')
    assert result.box_recall == 0.5
    assert result.box_iou_percent == pytest.approx((100 / 3 + 100) / 2, abs=1e-3)


def test_without_a_picture_there_is_no_number():
    result = summarise([], 'hic')
    assert result.picture_count == 0
    assert {text for _, text in result.as_row()} == {'-'}


def test_the_row_reads_the_same_as_text_and_as_json():
    result = summarise([score_picture(*pair())], 'synthetic')
    assert BenchmarkResult(**json.loads(result.as_json())) == result
    assert dict(result.as_row())['MRRPE'] == '0.00'


def test_the_pipelines_word_on_a_frame_can_be_scored():
    found, truth = pair()
    right, left = (
        HandEstimate(
            box=HandBox(side, tuple(found.boxes_px[side]), 0.5),
            joints_image_px=np.zeros((21, 2)),
            joint_depths_m=np.zeros(21),
            pose=np.zeros(48),
            betas=np.zeros(10),
            joints_m=found.joints_m.reshape(2, 21, 3)[side],
            vertices_m=found.vertices_m[side],
        )
        for side in Side
    )
    estimate = PairEstimate(right, left, found.left_from_right_m, interacting=True)
    assert score_picture(found_pair(estimate), truth).rrve_mm == 0
