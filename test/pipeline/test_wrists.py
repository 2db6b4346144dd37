from dataclasses import replace

from interwild_ros.config import Settings
from interwild_ros.geometry.camera import project
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.pipeline.wrists import NOISE, place_wrists, relation_covariance_m2
from interwild_ros.records import Camera, DepthSource, Frame, HandBox, HandEstimate, Side
import numpy as np
import pytest
import torch

CAMERA = Camera(640, 480, 600.0, 610.0, 330.0, 235.0)
WRISTS = (np.array([0.08, 0.05, 0.5]), np.array([-0.1, 0.02, 0.55]))
BETWEEN = WRISTS[Side.LEFT] - WRISTS[Side.RIGHT]
MODELS = HandPair(*(read_stand_in(side) for side in Side))
TOPOLOGY = MODELS.topology()


@pytest.fixture(scope='module')
def hands():
    """A right and a left hand as they are seen at their wrists, without an error."""
    pose = torch.zeros(2, 48)
    pose[:, 0] = 1.2
    with torch.inference_mode():
        vertices, joints = (x.numpy() for x in MODELS(pose, torch.zeros(2, 10)))
    return [
        HandEstimate(
            box=HandBox(side, (10.0, 20.0, 110.0, 140.0), 0.9),
            joints_image_px=project(CAMERA, joints[side] - joints[side][0] + WRISTS[side]),
            joint_depths_m=joints[side][:, 2] - joints[side][0, 2],
            pose=np.zeros(48),
            betas=np.zeros(10),
            joints_m=joints[side] - joints[side][0],
            vertices_m=vertices[side] - joints[side][0],
        )
        for side in Side
    ]


def place(found, between=BETWEEN, *, weight=0.0, depth_m=None, camera=CAMERA, **settings):
    image = np.zeros((camera.height, camera.width, 3), np.uint8)
    frame = Frame(image, camera, 7, 'camera', depth_m)
    return place_wrists(frame, found, between, Settings(**settings), TOPOLOGY, weight=weight)


def std_m(wrist, direction):
    direction = np.asarray(direction) / np.linalg.norm(direction)
    return np.sqrt(direction @ wrist.covariance_m2 @ direction)


@pytest.mark.parametrize('mode', ['auto', 'apart', 'together'])
@pytest.mark.parametrize('weight', [0.0, 1.0])
def test_hands_seen_without_error_are_where_they_are(hands, mode, weight):
    wrists = place(hands, weight=weight, placement=mode)
    for side in Side:
        wrist = wrists.of(side)
        np.testing.assert_allclose(wrist.metres, WRISTS[side], atol=1e-5)
        assert wrist.depth_source is DepthSource.INTRINSICS
        np.testing.assert_allclose(wrist.covariance_m2, wrist.covariance_m2.T, atol=1e-15)
        assert (np.linalg.eigvalsh(wrist.covariance_m2) > 0).all()
        assert wrists.by_size_m[side] == pytest.approx(WRISTS[side][2], abs=1e-5)
    assert wrists.disagreement_m == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize('mode', ['auto', 'apart', 'together'])
def test_no_way_of_placing_forgets_that_hands_differ_in_size(hands, mode):
    wrists = place(hands, weight=1.0, placement=mode)
    for side in Side:
        wrist = wrists.of(side)
        assert std_m(wrist, wrist.metres) > NOISE.common * np.linalg.norm(wrist.metres)


def test_a_lone_hand_is_as_unsure_along_its_ray_as_hands_differ_in_size(hands):
    wrist = place(hands[:1]).right
    size = np.hypot(NOISE.own, NOISE.common) * np.linalg.norm(wrist.metres)
    assert std_m(wrist, wrist.metres) == pytest.approx(size, rel=0.3)
    assert std_m(wrist, wrist.metres) > size
    assert std_m(wrist, (1, 0, 0)) < size / 3


@pytest.mark.parametrize('scale', [0.8, 1.3])
def test_a_hand_that_is_believed_larger_is_as_much_farther_away(hands, scale):
    grown = replace(hands[0], joints_m=scale * hands[0].joints_m)
    np.testing.assert_allclose(place([grown]).right.metres, scale * WRISTS[0], atol=1e-5)


def test_the_order_of_the_hands_does_not_matter(hands):
    off = np.add(BETWEEN, (0.0, 0.0, 0.04))
    for mode in ('auto', 'apart', 'together'):
        one, other = (place(found, off, placement=mode) for found in (hands, hands[::-1]))
        for side in Side:
            np.testing.assert_allclose(one.of(side).metres, other.of(side).metres, atol=1e-9)
        assert one.disagreement_m == pytest.approx(other.disagreement_m)


def test_a_hand_alone_has_no_disagreement_and_the_other_no_place(hands):
    for hand in hands:
        wrists = place([hand], weight=1.0)
        assert wrists.of(hand.side.other) is None
        assert wrists.by_size_m[hand.side.other] is None
        assert wrists.disagreement_m is None
        np.testing.assert_allclose(wrists.of(hand.side).metres, WRISTS[hand.side], atol=1e-5)
    nobody = place([])
    assert (nobody.right, nobody.left, nobody.disagreement_m) == (None, None, None)


def test_the_relation_is_surer_of_hands_that_interact():
    apart, between, interacting = (
        np.sqrt(np.diag(relation_covariance_m2(weight))) for weight in (0.0, 0.5, 1.0)
    )
    assert (interacting <= between).all()
    assert (between <= apart).all()
    assert interacting.sum() < between.sum() < apart.sum()


def test_the_relation_pulls_the_more_the_more_hands_interact(hands):
    off = np.add(BETWEEN, (0.05, 0.0, 0.0))

    def pulled(weight):
        wrists = place(hands, off, weight=weight)
        return (wrists.left.metres - wrists.right.metres - BETWEEN)[0]

    assert 0.001 < pulled(0.0) < pulled(0.5) < pulled(1.0) < 0.05


def test_the_pull_is_shared_by_both_hands_and_makes_both_surer(hands):
    off = np.add(BETWEEN, (0.0, 0.0, 0.05))
    free, pulled = (place(hands, off, weight=1.0, placement=m) for m in ('apart', 'auto'))
    assert pulled.right.metres[2] < free.right.metres[2]
    assert pulled.left.metres[2] > free.left.metres[2]
    for side in Side:
        one, other = free.of(side), pulled.of(side)
        assert std_m(other, (0, 0, 1)) < std_m(one, (0, 0, 1))


def test_apart_obeys_no_relation_and_still_says_how_far_off_it_is(hands):
    off = np.add(BETWEEN, (0.03, 0.0, 0.04))
    wrists = place(hands, off, weight=1.0, placement='apart')
    for side in Side:
        np.testing.assert_allclose(wrists.of(side).metres, WRISTS[side], atol=1e-5)
        alone = place([hands[side]])
        np.testing.assert_allclose(
            wrists.of(side).covariance_m2, alone.of(side).covariance_m2, rtol=0.05
        )
    assert wrists.disagreement_m == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize('mode', ['auto', 'apart', 'together'])
def test_a_relation_that_is_no_number_is_as_none(hands, mode):
    wrists = place(hands, np.array([np.nan, 0, 0]), weight=1.0, placement=mode)
    assert wrists.disagreement_m is None
    for side in Side:
        np.testing.assert_allclose(wrists.of(side).metres, WRISTS[side], atol=1e-5)


@pytest.mark.parametrize('mode', ['auto', 'apart', 'together'])
@pytest.mark.parametrize('off', [(0, 0, -2.0), (0, 0, 9.0), (5.0, 0, 0), (0, 0, 1e30)])
def test_whatever_the_relation_says_hands_stay_in_front_of_the_camera(hands, mode, off):
    wrists = place(hands, BETWEEN + off, weight=1.0, placement=mode)
    for side in Side:
        if wrists.of(side) is not None and mode != 'together':
            assert wrists.of(side).metres[2] > 0
            np.testing.assert_allclose(wrists.of(side).metres, WRISTS[side], atol=0.05)


def test_guesses_beyond_the_edge_hardly_move_the_hand(hands):
    """The same error of the same joints, in a picture that ends before them and in one beyond."""
    columns = hands[0].joints_image_px[:, 0]
    edge = int(np.median(columns))
    shaken = hands[0].joints_image_px + np.where(columns > edge, 8.0, 0.0)[:, None]
    seen = replace(hands[0], joints_image_px=shaken)
    whole = place([seen]).right.metres
    ends = place([seen], camera=replace(CAMERA, width=edge + 1)).right.metres
    off_whole, off_ends = (np.linalg.norm(m - WRISTS[0]) for m in (whole, ends))
    assert off_ends < 0.6 * off_whole


def depth_about(hand, wrist_m, off_m):
    """Return a depth picture of one hand that is `off_m` farther away, before a wall."""
    depth_m = np.full((CAMERA.height, CAMERA.width), 1.5, np.float32)
    points = hand.vertices_m + wrist_m
    for (x, y), z in zip(np.rint(project(CAMERA, points)).astype(int), points[:, 2], strict=True):
        near = depth_m[y - 2 : y + 3, x - 2 : x + 3]
        np.minimum(near, z + off_m, out=near)
    return depth_m


@pytest.mark.parametrize('mode', ['auto', 'apart', 'together'])
def test_depth_replaces_what_was_known_along_the_ray_and_nothing_across_it(hands, mode):
    depth_m = depth_about(hands[0], WRISTS[0], 0.03)
    before = place(hands, weight=1.0, placement=mode)
    after = place(hands, weight=1.0, placement=mode, depth_m=depth_m)
    assert after.right.depth_source is DepthSource.DEPTH_IMAGE
    assert after.right.metres[2] == pytest.approx(WRISTS[0][2] + 0.03, abs=0.006)
    assert np.sqrt(after.right.covariance_m2[2, 2]) < 0.01
    assert std_m(after.right, after.right.metres) < 0.2 * std_m(before.right, before.right.metres)
    ray = after.right.metres / after.right.metres[2]
    across = np.eye(3) - np.outer(ray, (0, 0, 1))
    one, other = (across @ w.right.covariance_m2 @ across.T for w in (before, after))
    np.testing.assert_allclose(other, one, atol=1e-12)


def test_depth_moves_the_hand_along_the_ray_through_its_middle(hands):
    before = place(hands[:1]).right
    after = place(hands[:1], depth_m=depth_about(hands[0], WRISTS[0], 0.03)).right
    middle = (hands[0].vertices_m + before.metres).mean(0)
    moved = after.metres - before.metres
    np.testing.assert_allclose(np.cross(moved, middle), 0, atol=1e-9)


def test_depth_of_one_hand_leaves_the_other_where_it_was(hands):
    depth_m = depth_about(hands[0], WRISTS[0], 0.03)
    before, after = place(hands), place(hands, depth_m=depth_m)
    assert after.left.depth_source is DepthSource.INTRINSICS
    np.testing.assert_array_equal(after.left.metres, before.left.metres)
    np.testing.assert_array_equal(after.left.covariance_m2, before.left.covariance_m2)


def test_what_the_size_says_is_kept_beside_what_depth_says(hands):
    wrists = place(hands[:1], depth_m=depth_about(hands[0], WRISTS[0], 0.03))
    assert wrists.by_size_m[Side.RIGHT] == pytest.approx(WRISTS[0][2], abs=1e-5)
    assert wrists.right.metres[2] > wrists.by_size_m[Side.RIGHT] + 0.02


@pytest.mark.parametrize('metres', [np.nan, 5.0, 0.05])
def test_depth_that_cannot_be_of_the_hand_changes_nothing(hands, metres):
    depth_m = np.full((CAMERA.height, CAMERA.width), metres, np.float32)
    before, after = place(hands), place(hands, depth_m=depth_m)
    for side in Side:
        assert after.of(side).depth_source is DepthSource.INTRINSICS
        np.testing.assert_array_equal(after.of(side).metres, before.of(side).metres)


def test_depth_is_a_measurement_without_a_calibration_too(hands):
    nominal = replace(CAMERA, nominal=True)
    depth_m = depth_about(hands[0], WRISTS[0], 0.03)
    wrists = place(hands, depth_m=depth_m, camera=nominal)
    assert wrists.right.depth_source is DepthSource.DEPTH_IMAGE
    assert wrists.left.depth_source is DepthSource.NOMINAL
