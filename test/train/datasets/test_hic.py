from interwild_ros.errors import AssetError
from interwild_ros.records import Side
from interwild_ros.testing.tiny_datasets import edited_json, write_hic, write_ply
from interwild_ros.train.datasets.hic import read_hic
from interwild_ros.train.datasets.pictures import check_pictures, load_picture
import numpy as np
import pytest


@pytest.fixture
def root(tmp_path):
    return tmp_path / 'HIC'


@pytest.mark.parametrize('form', ['ascii', 'binary_little_endian'])
def test_meshes_come_back_in_the_camera_frame(root, form):
    written = write_hic(root, form=form)
    annotations = read_hic(root)
    assert [a.image for a in annotations] == [w.path for w in written]
    assert [a.hand_type for a in annotations] == ['right', 'left', 'interacting']
    for annotation, truth in zip(annotations, written, strict=True):
        for side in Side:
            mesh_m = annotation.meshes_cam_m[side]
            assert (mesh_m is not None) == truth.has_hand[side]
            if mesh_m is not None:
                np.testing.assert_allclose(mesh_m, truth.hands.vertices_m[side], atol=1e-6)


def test_a_hand_box_is_a_fifth_larger_than_the_mesh_in_the_picture(root):
    for annotation, truth in zip(read_hic(write_at(root)), write_hic(root), strict=True):
        for side in Side:
            if not truth.has_hand[side]:
                assert annotation.hand_boxes[side] is None
                continue
            pixels = truth.camera.pixels(truth.hands.vertices_m[side])
            size = np.ptp(pixels, axis=0)
            wanted = [*(pixels.min(axis=0) - size / 10), *(pixels.max(axis=0) + size / 10)]
            np.testing.assert_allclose(annotation.hand_boxes[side], wanted, atol=1e-2)


def write_at(root):
    write_hic(root)
    return root


def test_the_truth_is_meshes_and_nothing_else(root):
    for annotation in read_hic(write_at(root)):
        assert not annotation.joint_valid.any()
        assert not annotation.joint_valid_2d.any()
        assert not annotation.left_from_right_valid
        assert annotation.fits == (None, None)
        assert annotation.person_box == (0, 0, 640, 480)
        assert annotation.person_scale == 1.0


def test_pictures_are_found(root):
    annotations = read_hic(write_at(root))
    check_pictures(annotations, thorough=True)
    assert load_picture(annotations[0]).shape == (480, 640, 3)


def test_a_missing_mesh_is_named_before_anything_is_read(root):
    write_hic(root)
    (root / '01' / 'mano' / '000002_left.ply').unlink()
    with pytest.raises(AssetError, match=r'1 meshes are missing: .*000002_left\.ply'):
        read_hic(root)


def test_a_mesh_of_another_kind_is_named(root):
    write_hic(root)
    write_ply(root / '01' / 'mano' / '000000_right.ply', np.zeros((10, 3)))
    with pytest.raises(AssetError, match=r'000000_right\.ply: 10 vertices, wanted 778'):
        read_hic(root)[0]


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        ({'image_id': 1}, 'images that annotations are of: 1 not there: 1'),
        ({'hand_type': 'none'}, 'a hand_type is none of right, left, interacting: .*none'),
        ({'left_mano_path': 5}, "entry 1: 'left_mano_path' is 5, wanted text or null"),
    ],
)
def test_what_does_not_fit_is_named(root, change, complaint):
    write_hic(root)
    with edited_json(root / 'HIC.json') as content:
        content['annotations'][1].update(change)
    with pytest.raises(AssetError, match=complaint):
        read_hic(root)


def test_a_missing_root_and_another_split_are_refused(root):
    with pytest.raises(AssetError, match=r'wanted a folder with HIC\.json'):
        read_hic(root)
    with pytest.raises(AssetError, match="no split 'train', wanted test"):
        read_hic(root, 'train')


def test_indices_work_as_in_a_list(root):
    annotations = read_hic(write_at(root))
    assert annotations[-1].name == annotations[2].name
    with pytest.raises(IndexError):
        annotations[3]
