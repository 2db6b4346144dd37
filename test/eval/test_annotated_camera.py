"""The camera of an annotated picture, which turns what is read about lines of sight."""

from dataclasses import replace

from interwild_ros.config import Settings
from interwild_ros.eval.annotated_camera import camera_of
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.records import Side
from interwild_ros.testing.some_annotations import IMAGE_SIZE, some_annotation
from interwild_ros.train.annotations import StudyCamera
import numpy as np
import pytest

OWN = StudyCamera(np.array([525.0, 520.0]), np.array([310.0, 240.0]))


@pytest.fixture(scope='module')
def annotation(hand_models):
    return some_annotation(hand_models, *Side, seed=0)


def test_it_is_that_of_the_fits(annotation):
    study, camera = annotation.fits[0].camera, camera_of(annotation)
    assert (camera.width, camera.height) == IMAGE_SIZE
    found = (camera.fx, camera.fy, camera.cx, camera.cy)
    assert found == pytest.approx((*study.focal, *study.principal))


def test_it_is_the_annotations_own_where_it_has_one(annotation):
    camera = camera_of(replace(annotation, camera=OWN))
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (525.0, 520.0, 310.0, 240.0)
    assert camera.distortion_model == 'none'


def test_a_fisheye_keeps_its_lens(annotation):
    lens = np.array([0.1, -0.02, 0.003, 0.0])
    camera = camera_of(replace(annotation, camera=replace(OWN, fisheye=lens)))
    assert camera.distortion_model == 'equidistant'
    assert camera.distortion == tuple(lens)


def test_without_any_it_is_the_one_that_the_node_takes(annotation):
    camera = camera_of(replace(annotation, fits=(None, None)))
    assert camera == camera_from_fov(*IMAGE_SIZE, Settings().nominal_fov_deg)
    assert camera.nominal
