from dataclasses import replace

from interwild_ros.bag.accuracy import measure_accuracy
from interwild_ros.bag.read import open_bag
from interwild_ros.bag.write import write_bag
from interwild_ros.errors import AssetError
from interwild_ros.imaging.demo_clip import TRUTH_FILE, write_demo_clip
from interwild_ros.records import NoHand, Side
from interwild_ros.ros.hands_out import header_message, two_hands_message
from interwild_ros.testing.some_hands import some_hand, some_two_hands
import numpy as np
import pytest
from rclpy.serialization import serialize_message
from recorded import HANDS, PICTURES
from sensor_msgs.msg import CompressedImage

FRAMES = 3
MM = 0.001


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp('drawn') / 'clip'
    write_demo_clip(folder, frames=FRAMES, size=(160, 120))
    return folder


@pytest.fixture
def truth(clip):
    with np.load(clip / TRUTH_FILE) as file:
        return file['joints_m'].astype(np.float64)


@pytest.fixture
def meshes(clip):
    with np.load(clip / TRUTH_FILE) as file:
        return file['vertices_m'].astype(np.float64)


def hand_at(side, joints_m, vertices_m=None):
    hand = replace(some_hand(side), joints_m=joints_m)
    return hand if vertices_m is None else replace(hand, vertices_m=vertices_m)


def record(folder, clip, answers, left_from_right_m=None):
    """Write the clip's pictures in reverse order, and an answer (right, left) to each frame."""
    pictures = sorted(clip.glob('*.jpg'))
    with write_bag(folder) as bag:
        bag.add_topic(PICTURES, 'sensor_msgs/msg/CompressedImage')
        bag.add_topic(HANDS, 'interwild_ros/msg/TwoHands')
        for number, (frame, (right, left)) in enumerate(reversed(list(enumerate(answers)))):
            stamp_ns = (number + 1) * 1_000_000_000
            picture = CompressedImage(
                header=header_message(stamp_ns, 'cam'),
                format='jpeg',
                data=pictures[frame].read_bytes(),
            )
            hands = replace(some_two_hands(stamp_ns=stamp_ns), right=right, left=left)
            if left_from_right_m is not None:
                hands = replace(hands, left_from_right_m=left_from_right_m[frame])
            bag.write(PICTURES, serialize_message(picture), received_ns=stamp_ns)
            bag.write(HANDS, serialize_message(two_hands_message(hands)), received_ns=stamp_ns)
    return folder


def measured(folder, clip):
    with open_bag(folder) as bag:
        return measure_accuracy(bag, clip)


def test_the_truth_itself_has_no_error(tmp_path, clip, truth):
    answers = [[hand_at(side, truth[frame, side]) for side in Side] for frame in range(FRAMES)]
    found = measured(record(tmp_path / 'bag', clip, answers), clip)
    assert (found.hands, found.missed) == (2 * FRAMES, 0)
    for errors in (found.wrist_error_mm, found.joint_error_mm, found.shape_error_mm):
        assert errors.p99 < 0.001


def test_a_shifted_hand_has_the_shift_as_error_and_a_right_shape(tmp_path, clip, truth):
    shift_m = np.array([3.0, 4.0, 12.0]) * MM
    answers = [
        [hand_at(side, truth[frame, side] + shift_m) for side in Side] for frame in range(FRAMES)
    ]
    found = measured(record(tmp_path / 'bag', clip, answers), clip)
    assert found.wrist_error_mm.p50 == pytest.approx(13.0, abs=0.001)
    assert found.joint_error_mm.p95 == pytest.approx(13.0, abs=0.001)
    assert found.shape_error_mm.p99 < 0.001


def test_a_wrong_fingertip_counts_a_21st_and_leaves_the_wrist(tmp_path, clip, truth):
    bent = truth.copy()
    bent[:, :, 8, 2] += 21 * MM
    answers = [[hand_at(side, bent[frame, side]) for side in Side] for frame in range(FRAMES)]
    found = measured(record(tmp_path / 'bag', clip, answers), clip)
    assert found.wrist_error_mm.p99 < 0.001
    assert found.shape_error_mm.p50 == pytest.approx(1.0, abs=0.001)


def test_a_hand_that_was_not_tracked_is_missed(tmp_path, clip, truth):
    absent = NoHand(Side.LEFT, 0.0, 'low_score')
    answers = [[hand_at(Side.RIGHT, truth[frame, 0]), absent] for frame in range(FRAMES)]
    found = measured(record(tmp_path / 'bag', clip, answers), clip)
    assert (found.hands, found.missed) == (FRAMES, FRAMES)


def test_a_clip_without_truth_is_an_asset_error(small_bag, tmp_path):
    with pytest.raises(AssetError, match=r'truth\.npz'):
        measured(small_bag, tmp_path)


def test_the_papers_figures_are_means(tmp_path, clip, truth, meshes):
    thick, relative = meshes.copy(), truth[:, 1, 0] - truth[:, 0, 0]
    thick[0, Side.RIGHT, :, 2] += 12 * MM  # one hand of six
    relative[1, 0] += 9 * MM  # one frame of three
    answers = [
        [hand_at(side, truth[frame, side], thick[frame, side]) for side in Side]
        for frame in range(FRAMES)
    ]
    found = measured(record(tmp_path / 'bag', clip, answers, relative), clip)
    assert found.mpvpe_mm == pytest.approx(2.0, abs=0.002)
    assert found.mrrpe_mm == pytest.approx(3.0, abs=0.002)


def test_without_both_hands_nothing_relates_them(tmp_path, clip, truth):
    absent = NoHand(Side.LEFT, 0.0, 'low_score')
    answers = [[hand_at(Side.RIGHT, truth[frame, 0]), absent] for frame in range(FRAMES)]
    found = measured(record(tmp_path / 'bag', clip, answers), clip)
    assert found.mrrpe_mm is None
    assert found.mpvpe_mm > 0
