"""The whole pipeline against truth: what counts as an error, and as none."""

from dataclasses import replace
import json

from interwild_ros.config import Settings
from interwild_ros.eval.accuracy import (
    camera_of,
    judge,
    PictureAccuracy,
    summarise_accuracy,
)
from interwild_ros.eval.data_sets import open_data
from interwild_ros.geometry.camera import undistort_px
from interwild_ros.geometry.placement import place_joints
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.pipeline.pipeline import load_pipeline
from interwild_ros.records import Side
from interwild_ros.train.annotations import joints_of
from interwild_ros.train.mano_targets import pose_fits
import numpy as np
import pytest

COUNT = 4


@pytest.fixture(scope='module')
def hand_models():
    return HandPair(*(read_stand_in(side) for side in Side)).eval()


@pytest.fixture(scope='module')
def data():
    return open_data('synthetic', synthetic_count=COUNT)


@pytest.fixture(scope='module')
def judged(data, hand_models):
    pipeline = load_pipeline(Settings(weights='rule-made', device='cpu'))
    return [
        judge(pipeline, *data.annotations.annotated(i), data.truth_of, hand_models)
        for i in range(COUNT)
    ]


def test_only_hands_that_are_there_are_scored(data, judged):
    for i, picture in enumerate(judged):
        annotation = data.annotations[i]
        for side in Side:
            is_there = annotation.hand_boxes[side] is not None
            assert picture.present[side] == is_there
            assert (picture.swapped[side] is not None) == is_there
            if not is_there:
                assert picture.wrist_mm[side] is None


def test_the_json_line_has_what_is_promised(judged):
    line = json.loads(summarise_accuracy(judged).as_json('accuracy'))
    assert line['name'] == 'accuracy'
    assert line['picture_count'] == COUNT
    promised = ('mpvpe_single_mm', 'mpvpe_interacting_mm', 'mrrpe_mm', 'box_recall')
    assert set(line) >= {*promised, 'wrist_position_mm', 'swaps'}


def with_scores(picture: PictureAccuracy, scores, present) -> PictureAccuracy:
    return replace(picture, scores=scores, present=present)


def test_the_threshold_that_tells_hands_apart_is_found(judged):
    rows = [((0.9, 0.1), (True, False)), ((0.2, 0.7), (False, True)), ((0.8, 0.6), (True, True))]
    pictures = [with_scores(judged[0], *row) for row in rows]
    result = summarise_accuracy(pictures)
    assert result.presence_accuracy == 1.0
    assert result.presence_threshold == pytest.approx(0.6)


def test_scores_that_say_nothing_tell_half(judged):
    pictures = [with_scores(judged[0], (0.5, 0.5), (True, False))]
    assert summarise_accuracy(pictures).presence_accuracy == pytest.approx(0.5)


def test_true_joints_are_placed_where_the_hands_are(data, hand_models):
    """The camera that is judged with is the one that the truth is seen by."""
    annotation = data.annotations[0]
    camera = camera_of(annotation)
    posed = pose_fits(annotation.fits, hand_models, annotation.image_size, is_mirrored=False)
    for side in Side:
        if posed.present[side]:
            joints_m = posed.joints_m[side].numpy()
            rays = undistort_px(camera, annotation.joints_px[joints_of(side)])
            wrist = place_joints(joints_m - joints_m[0], rays, (camera.fx, camera.fy))
            np.testing.assert_allclose(wrist.metres, joints_m[0], atol=1e-4)
