from interwild_ros.records import Side
from interwild_ros.train.annotations import joints_of
from interwild_ros.train.augmentation import Augmentation, UNCHANGED
from interwild_ros.train.synthetic.domains import HELD_OUT, STUDIO, WILD
from interwild_ros.train.transforms import make_sample
import numpy as np
import pytest

TURNED = Augmentation(rotation_rad=0.4, scale=1.1, is_mirrored=True)


@pytest.fixture(scope='module')
def annotated(pictures):
    return [pictures.annotated(index) for index in range(6)]


def test_an_annotation_and_its_picture_are_the_same_whenever_they_are_asked_for(pictures):
    annotation, picture = pictures.annotated(2)
    np.testing.assert_array_equal(pictures.picture(pictures[2]), picture)
    np.testing.assert_array_equal(pictures[2].joints_px, annotation.joints_px)
    assert picture.shape == (*annotation.image_size[::-1], 3)


def test_there_are_as_many_as_were_asked_for(pictures):
    assert len(pictures) == 20
    with pytest.raises(IndexError):
        pictures[20]


@pytest.mark.parametrize('augmentation', [UNCHANGED, TURNED])
def test_they_become_samples_whose_fits_agree_with_their_joints(
    domain, annotated, hand_models, augmentation
):
    for annotation, picture in annotated:
        sample = make_sample(annotation, picture, augmentation, hand_models)
        seen = sample.validity.joints_seen[:, 0] > 0
        off = (sample.targets.joints - sample.targets.fit_joints)[seen].abs()
        # detector cells of 8 px; mirrored fits are moved as their wrists are, no more
        exact = 0.01 if augmentation is UNCHANGED else 0.3
        assert off[:, :2].max() < (exact if domain.has_3d else 0.8)
        if domain.has_3d:
            assert off[:, 2].max() < 1e-3


def test_the_wild_knows_no_depths_and_no_relative_translation(annotated):
    for annotation, _ in annotated:
        if annotation.has_3d:
            continue
        assert not annotation.left_from_right_valid
        assert not np.any(annotation.left_from_right_m)
        assert not np.any(annotation.joints_cam_m)
        assert not np.any(annotation.joint_depths_m)


def test_the_wilds_fits_do_not_tell_where_hands_are_to_each_other(pictures, scene_maker):
    if pictures.has_3d:
        pytest.skip('only the wild hides it')
    off = []
    for index in range(20):
        fits = pictures[index].fits
        if None in fits:
            continue
        scene = scene_maker.make([index])
        apart = fits[Side.LEFT].trans[2] - fits[Side.RIGHT].trans[2]
        true = float(scene.trans_m[0, Side.LEFT, 2] - scene.trans_m[0, Side.RIGHT, 2])
        off.append(abs(apart - true))
        assert fits[0].camera.focal[0] != fits[1].camera.focal[0]
    assert len(off) > 5
    assert np.median(off) > 5e-3


def test_hands_that_are_not_there_have_nothing(pictures):
    for index in range(12):
        annotation = pictures[index]
        for side in Side:
            if annotation.fits[side] is None:
                assert annotation.hand_boxes[side] is None
                assert not annotation.joint_valid[joints_of(side)].any()


def test_hand_types_name_the_hands_that_are_there(pictures):
    for index in range(12):
        annotation = pictures[index]
        right, left = (fit is not None for fit in annotation.fits)
        wanted = 'interacting' if right and left else 'right' if right else 'left'
        assert annotation.hand_type == wanted


def test_the_domains_differ_in_light_and_colour():
    from interwild_ros.train.synthetic.crops import CropMaker

    brightness = {}
    for domain in (STUDIO, WILD, HELD_OUT):
        made = CropMaker(domain, seed=3).make(range(24)).pictures.float()
        edges = made[:, :, [0, -1], :]
        brightness[domain.name] = float(edges.median(-1).values.mean())
    assert brightness['studio'] < 0.5 * brightness['wild']
    assert brightness['studio'] < 0.5 * brightness['held_out']
