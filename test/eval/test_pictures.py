"""Networks on a data set's pictures, scored."""

from dataclasses import replace

from interwild_ros.eval.benchmark import score_picture
from interwild_ros.eval.pairs import found_pairs
from interwild_ros.eval.pictures import EvaluationSet, joined, score_batches
from interwild_ros.eval.truth import joint_truth
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.records import Side
from interwild_ros.testing.some_annotations import IMAGE_SIZE, some_annotation
from interwild_ros.train.augmentation import UNCHANGED
from interwild_ros.train.forward import Predictions
from interwild_ros.train.transforms import make_sample
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

PICTURE = np.random.default_rng(0).integers(
    0, 256, (IMAGE_SIZE[1], IMAGE_SIZE[0], 3), dtype=np.uint8
)


def annotation_of(hand_models, seed):
    return some_annotation(hand_models, *Side, seed=seed)


@pytest.fixture(scope='module')
def compact():
    return build_networks('compact', 'rule-made')[0]


@pytest.fixture(scope='module')
def pictures(hand_models, compact):
    annotations = [
        replace(annotation_of(hand_models, seed), left_from_right_m=np.full(3, 0.2 * seed))
        for seed in range(3)
    ]
    return EvaluationSet(
        annotations, lambda _: PICTURE, joint_truth, hand_models, spaces=compact.spaces
    )


def test_every_picture_is_scored_whatever_the_batches(pictures, compact, hand_models):
    loaders = [DataLoader(pictures, batch_size=size, collate_fn=joined) for size in (1, 2)]
    one, two = (list(score_batches(loader, compact, hand_models)) for loader in loaders)
    errors_mm = np.array([[score.rrve_mm for score in scores] for scores in (one, two)])
    # rule-made weights make much of rounding, which differs with the batch
    np.testing.assert_allclose(errors_mm[0], errors_mm[1], rtol=1e-3)
    assert np.diff(errors_mm[0]).min() > 10  # the truths differ, so a wrong order would show


def test_pictures_are_those_of_training_without_augmentation(pictures, compact, hand_models):
    annotation = annotation_of(hand_models, 1)
    sample = make_sample(annotation, PICTURE, UNCHANGED, hand_models, compact.spaces)
    judged = pictures[1]
    torch.testing.assert_close(judged.pictures[0], sample.picture)
    torch.testing.assert_close(judged.image_from_input[0], sample.image_from_input)


def test_targets_said_as_predictions_score_zero(compact, hand_models):
    """The way into the networks' cells and the way out of them meet."""
    annotation = annotation_of(hand_models, 0)
    sample = make_sample(annotation, PICTURE, UNCHANGED, hand_models, compact.spaces)
    targets = sample.targets
    unused = torch.zeros(0)
    said = Predictions(
        box_centres=targets.box_centres[None],
        box_sizes=targets.box_sizes[None],
        box_scores=unused,
        crop_from_input=unused,
        joints=unused,
        projected=unused,
        joints_m=targets.joints_m[None],
        vertices_m=targets.vertices_m[None],
        pose=unused,
        betas=unused,
        left_from_right_m=targets.left_from_right_m[None],
    )
    (found,) = found_pairs(said, sample.image_from_input[None], compact.spaces)
    score = score_picture(found, joint_truth(annotation, hand_models))
    assert score.rrve_mm == pytest.approx(0, abs=1e-3)
    assert np.nanmax(score.joint_errors_mm) == pytest.approx(0, abs=1e-3)
    assert min(score.overlaps) > 0.9999
