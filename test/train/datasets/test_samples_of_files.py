"""What the readers say, seen through the transforms: joints and fits of a hand are one hand."""

from interwild_ros.testing.tiny_datasets import write_interhand26m, write_mscoco
from interwild_ros.testing.tiny_reinterhand import write_ego_reinterhand, write_reinterhand
from interwild_ros.train.augmentation import Augmentation
from interwild_ros.train.datasets.interhand26m import read_interhand26m
from interwild_ros.train.datasets.mscoco import read_mscoco
from interwild_ros.train.datasets.pictures import load_picture
from interwild_ros.train.datasets.reinterhand import read_reinterhand
from interwild_ros.train.sources import AnnotatedPictures
import numpy as np
import pytest
import torch

SOURCES = {
    'interhand26m': (write_interhand26m, read_interhand26m),
    'mscoco': (write_mscoco, read_mscoco),
    'reinterhand': (write_reinterhand, read_reinterhand),
    'ego': (write_ego_reinterhand, lambda root: read_reinterhand(root, cam_mode='Ego')),
}


@pytest.fixture(params=SOURCES)
def samples(request, tmp_path, hand_models):
    write, read = SOURCES[request.param]
    write(tmp_path)
    turned = Augmentation(scale=1.1, rotation_rad=0.3)
    pictures = AnnotatedPictures(read(tmp_path), load_picture, hand_models, draw=lambda _: turned)
    return [pictures.sample(i, np.random.default_rng(0)) for i in range(len(pictures))]


def test_joints_and_fits_show_the_same_hand_in_the_picture(samples):
    for sample in samples:
        seen = (sample.validity.joints_seen * sample.validity.fit_joints_seen)[:, 0] > 0
        assert seen.any()
        differences = (sample.targets.joints - sample.targets.fit_joints)[seen]
        depth_counts = sample.validity.has_3d.reshape(())
        assert differences[:, :2].abs().max() < 1e-3
        assert (depth_counts * differences[:, 2]).abs().max() < 1e-3


def test_a_hand_has_a_fit_where_it_has_joints(samples):
    for sample in samples:
        has_joints = sample.validity.joints.reshape(2, 21)[:, 0]
        has_fit = sample.validity.vertices.reshape(2, 778)[:, 0]
        assert torch.equal(has_joints, has_fit)
