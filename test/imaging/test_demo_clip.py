from pathlib import Path

from interwild_ros.errors import AssetError, InputError
from interwild_ros.geometry.camera import camera_from_info, project
from interwild_ros.geometry.camera_file import read_calibration
from interwild_ros.geometry.wrist_frame import wrist_quaternion_xyzw
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.imaging.demo_clip import ClipFrame, demo_clip, write_demo_clip
from interwild_ros.imaging.demo_motion import demo_paths, PERIOD_SEC
from interwild_ros.imaging.sources import open_source
from interwild_ros.records import Side
import numpy as np
import pytest
import torch

SMALL = (160, 120)


@pytest.fixture(scope='module')
def clip() -> list[ClipFrame]:
    """Ten frames of one round, and the first frame of the next."""
    return list(demo_clip(frames=11, rate_hz=2.0, size=SMALL))


def test_the_same_seed_gives_the_same_clip_and_another_seed_another(
    clip: list[ClipFrame],
) -> None:
    again = list(demo_clip(frames=2, rate_hz=2.0, size=SMALL))
    other = next(demo_clip(frames=1, size=SMALL, seed=1))
    for one, two in zip(clip, again, strict=False):
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.left.vertices_m, two.left.vertices_m)
    assert abs(other.image.astype(int) - clip[0].image).mean() > 1
    assert abs(other.right.betas - clip[0].right.betas).max() > 0.01


def test_frames_have_the_size_and_the_times_asked_for(clip: list[ClipFrame]) -> None:
    assert all(f.image.shape == (120, 160, 3) and f.image.dtype == np.uint8 for f in clip)
    assert [f.offset_ns for f in clip[:3]] == [0, 500_000_000, 1_000_000_000]
    assert (clip[0].camera.width, clip[0].camera.height) == SMALL
    assert not clip[0].camera.nominal


def test_pose_and_betas_make_the_vertices_and_joints(clip: list[ClipFrame]) -> None:
    pair = HandPair(*(read_stand_in(side) for side in Side))
    for frame in clip[::3]:
        hands = (frame.right, frame.left)
        pose, betas = (
            torch.tensor(np.stack([getattr(hand, name) for hand in hands])).float()
            for name in ('pose', 'betas')
        )
        vertices, joints = pair(pose, betas)
        for hand, v, j in zip(hands, vertices.numpy(), joints.numpy(), strict=True):
            wrist = hand.joints_m[0]
            np.testing.assert_allclose(hand.vertices_m - wrist, v - j[0], atol=1e-6)
            np.testing.assert_allclose(hand.joints_m - wrist, j - j[0], atol=1e-6)


def test_the_truth_agrees_with_itself(clip: list[ClipFrame]) -> None:
    for frame in clip:
        for hand in (frame.right, frame.left):
            px = project(frame.camera, hand.joints_m)
            np.testing.assert_allclose(hand.joints_image_px, px, atol=1e-9)
            quaternion = wrist_quaternion_xyzw(hand.joints_m, hand.side)
            np.testing.assert_allclose(hand.wrist_quaternion_xyzw, quaternion, atol=1e-6)
            inside = ((px > -0.5) & (px < np.array(SMALL) - 0.5)).all(1).mean()
            assert hand.visible == (inside >= 0.5)


def test_the_palms_face_the_camera_at_the_start(clip: list[ClipFrame]) -> None:
    for hand in (clip[0].right, clip[0].left):
        x, y, _, w = hand.wrist_quaternion_xyzw
        back_z = 1 - 2 * (x * x + y * y)  # the back's normal, along the optical axis
        assert back_z > 0.8
        assert w >= 0
    # the person's right hand is on the left of the picture, its thumb towards the middle
    assert clip[0].right.joints_image_px[0, 0] < clip[0].left.joints_image_px[0, 0]
    assert clip[0].right.joints_image_px[4, 0] > clip[0].right.joints_image_px[20, 0]


def test_hands_are_drawn_where_the_truth_says(clip: list[ClipFrame]) -> None:
    # a frame in which the right hand is elsewhere shows what is behind it
    first, later = clip[0], clip[5]
    shift = first.right.joints_image_px - later.right.joints_image_px
    assert np.linalg.norm(shift, axis=1).min() > 5
    palm = first.right.joints_image_px[[0, 5, 9, 13, 17]].mean(0).round().astype(int)
    difference = first.image[palm[1], palm[0]].astype(int) - later.image[palm[1], palm[0]]
    assert abs(difference).max() > 20


def test_the_motion_is_smooth_near_and_repeats() -> None:
    times = np.arange(0, PERIOD_SEC, 1 / 60)
    for path in demo_paths(times, np.random.default_rng(0)):
        closed = np.concatenate([path.wrists_m, path.wrists_m[:1]])
        speeds = np.linalg.norm(np.diff(closed, axis=0), axis=1) * 60
        assert speeds.max() < 1.5
        assert (path.wrists_m[:, 2] > 0.40).all()
        assert (path.wrists_m[:, 2] < 0.70).all()
        assert path.bends_rad.min() >= 0
        turns = np.diff(np.concatenate([path.angles_rad, path.angles_rad[:1]]), axis=0) * 60
        assert abs(turns).max() < 8


def test_the_clip_begins_again_where_it_ended(clip: list[ClipFrame]) -> None:
    np.testing.assert_allclose(clip[10].right.joints_m, clip[0].right.joints_m, atol=1e-9)
    np.testing.assert_allclose(clip[10].left.pose, clip[0].left.pose, atol=1e-9)


def test_the_clip_shows_what_it_is_for() -> None:
    frames = list(demo_clip(frames=25, rate_hz=5.0, size=(64, 48)))
    assert all(frame.right.visible for frame in frames)
    seen = [frame.left.visible for frame in frames]
    assert seen[0]
    assert seen[-1]
    assert not all(seen)  # the left hand leaves the picture and comes back
    gaps_m = [np.linalg.norm(f.right.joints_m[9] - f.left.joints_m[9]) for f in frames]
    assert max(gaps_m) > 0.25
    assert min(gaps_m) < 0.13
    crossed = [f for f in frames if boxes_overlap(f)]
    steps_m = [f.left.joints_m[0, 2] - f.right.joints_m[0, 2] for f in crossed]
    assert max(steps_m) > 0.08  # one hand before the other
    spans_m = [np.linalg.norm(f.right.joints_m[12] - f.right.joints_m[0]) for f in frames]
    assert max(spans_m) > 1.6 * min(spans_m)  # an open hand and a fist


def boxes_overlap(frame: ClipFrame) -> bool:
    right, left = frame.right.joints_image_px, frame.left.joints_image_px
    return bool(((right.min(0) < left.max(0)) & (left.min(0) < right.max(0))).all())


def test_a_written_clip_reads_back(tmp_path: Path) -> None:
    folder = tmp_path / 'new' / 'clip'
    write_demo_clip(folder, frames=3, size=SMALL)
    frames = list(demo_clip(frames=3, size=SMALL))
    pictures = list(open_source(str(folder)).pictures())
    assert len(pictures) == 3
    for picture, frame in zip(pictures, frames, strict=True):
        assert abs(picture.rgb.astype(int) - frame.image).mean() < 4  # JPEG
    found, camera = read_calibration(folder / 'camera_info.yaml'), frames[0].camera
    from_file = camera_from_info(
        width=found.width,
        height=found.height,
        K=found.K,
        D=(),
        P=found.P,
        distortion_model='',
        image_size=SMALL,
    )
    assert from_file == camera
    with np.load(folder / 'truth.npz') as truth:
        assert truth['offsets_ns'].tolist() == [frame.offset_ns for frame in frames]
        assert truth['vertices_m'].shape == (3, 2, 778, 3)
        assert truth['visible'].dtype == bool
        for number, frame in enumerate(frames):
            joints_m, pose = truth['joints_m'][number, 1], truth['pose'][number, 0]
            np.testing.assert_allclose(joints_m, frame.left.joints_m, rtol=1e-5)
            np.testing.assert_allclose(pose, frame.right.pose, atol=1e-6)


def test_a_clip_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        write_demo_clip(tmp_path / 'clip', frames=3, size=(0, 10))
    with pytest.raises(AssetError, match='no frames'):
        write_demo_clip(tmp_path / 'clip', frames=0, size=SMALL)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / 'mine').write_text('mine')
    with pytest.raises(AssetError, match='there already'):
        write_demo_clip(tmp_path, frames=1, size=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ['mine']
