from interwild_ros.errors import InputError
from interwild_ros.tracking import manifolds
from interwild_ros.tracking.manifolds import DIRECTIONS, ROTATIONS, VECTORS
import numpy as np
import pytest
from scipy.spatial.transform import Rotation


def random_quaternions(count, seed=0):
    quaternions = np.random.default_rng(seed).normal(size=(count, 4))
    return quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True)


def random_directions(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


PAIRS = [
    (VECTORS, random_directions(50, 1), random_directions(50, 2)),
    (DIRECTIONS, random_directions(50, 1), random_directions(50, 2)),
    (ROTATIONS, random_quaternions(50, 1), random_quaternions(50, 2)),
]


@pytest.mark.parametrize(('manifold', 'start', 'to'), PAIRS, ids=lambda p: getattr(p, 'name', ''))
def test_moving_by_the_difference_arrives(manifold, start, to):
    start, to = manifold.checked(start), manifold.checked(to)
    arrived = manifold.moved(start, manifold.difference(to, start))
    np.testing.assert_allclose(arrived, to, atol=1e-12)


@pytest.mark.parametrize(('manifold', 'start', 'to'), PAIRS, ids=lambda p: getattr(p, 'name', ''))
def test_half_the_difference_leaves_the_other_half(manifold, start, to):
    whole = manifold.difference(to, start)
    rest = manifold.difference(to, manifold.moved(start, whole / 2))
    np.testing.assert_allclose(rest, whole / 2, atol=1e-9)


@pytest.mark.parametrize(('manifold', 'start', 'to'), PAIRS, ids=lambda p: getattr(p, 'name', ''))
def test_nothing_is_no_distance_from_itself(manifold, start, to):
    start = manifold.checked(start)
    nothing = manifold.difference(start, start)
    np.testing.assert_allclose(nothing, 0, atol=1e-12)
    np.testing.assert_allclose(manifold.moved(start, nothing), start, atol=1e-12)


def test_quaternions_agree_with_scipys_rotations():
    axis_angles = random_directions(100) * np.linspace(0, 9, 100)[:, None]
    found = manifolds.quaternion_from_axis_angle(axis_angles)
    wanted = Rotation.from_rotvec(axis_angles)
    np.testing.assert_allclose(np.abs((found * wanted.as_quat()).sum(1)), 1)
    back = manifolds.axis_angle_from_quaternion(found)
    np.testing.assert_allclose(back, wanted.as_rotvec(), atol=1e-9)


def test_the_difference_of_rotations_is_the_turn_in_the_worlds_axes():
    start, to = random_quaternions(50, 1), random_quaternions(50, 2)
    wanted = (Rotation.from_quat(to) * Rotation.from_quat(start).inv()).as_rotvec()
    np.testing.assert_allclose(ROTATIONS.difference(to, start), wanted, atol=1e-9)


def test_a_quaternion_and_its_opposite_are_the_same_rotation():
    start, to = random_quaternions(50, 1), random_quaternions(50, 2)
    one = ROTATIONS.difference(to, start)
    for a, b in ((-to, start), (to, -start), (-to, -start)):
        np.testing.assert_allclose(ROTATIONS.difference(a, b), one, atol=1e-12)
    np.testing.assert_allclose(ROTATIONS.checked(-to), ROTATIONS.checked(to))


def test_opposite_directions_are_half_a_turn_apart_and_can_be_reached():
    for start in (*random_directions(20), *np.eye(3), *-np.eye(3)):
        swing = DIRECTIONS.difference(-start, start)
        np.testing.assert_allclose(np.linalg.norm(swing), np.pi)
        np.testing.assert_allclose(DIRECTIONS.moved(start, swing), -start, atol=1e-12)


def test_the_turn_between_two_axis_angles_is_scipys_angle():
    rng = np.random.default_rng(5)
    for one, other in rng.normal(0, 2, (50, 2, 3)):
        wanted = (Rotation.from_rotvec(one) * Rotation.from_rotvec(other).inv()).magnitude()
        assert manifolds.turn_rad(one, other) == pytest.approx(wanted, abs=1e-7)
    assert manifolds.turn_rad(one, one) == 0


@pytest.mark.parametrize('angle', [1e-12, 1e-6, 1.0, np.pi - 1e-9, np.pi, np.pi + 1.0, 7.0])
def test_a_turn_about_one_axis_is_the_angle_up_to_pi(angle):
    start, axis = 0.4, np.array([0.0, 0.6, 0.8])
    wanted = abs((angle + np.pi) % (2 * np.pi) - np.pi)
    found = manifolds.turn_rad((start + angle) * axis, start * axis)
    assert found == pytest.approx(wanted, abs=1e-14)


def test_a_product_of_quaternions_turns_by_the_right_one_first():
    left, right = random_quaternions(50, 1), random_quaternions(50, 2)
    wanted = (Rotation.from_quat(left) * Rotation.from_quat(right)).as_quat()
    turn = manifolds.axis_angle_from_quaternion(left)
    found = ROTATIONS.moved(right, turn)
    np.testing.assert_allclose(np.abs((found * wanted).sum(1)), 1)


def test_a_few_opposite_directions_leave_the_others_as_they_are():
    start, to = random_directions(10, 1), random_directions(10, 2)
    alone = DIRECTIONS.difference(to, start)
    to[3] = -start[3]
    found = DIRECTIONS.difference(to, start)
    np.testing.assert_allclose(np.linalg.norm(found[3]), np.pi)
    np.testing.assert_array_equal(np.delete(found, 3, 0), np.delete(alone, 3, 0))


def test_an_axis_angle_near_itself_is_itself_however_often_it_turns():
    axis_angles = random_directions(200) * np.linspace(0, 20, 200)[:, None]
    quaternions = manifolds.quaternion_from_axis_angle(axis_angles)
    for sign in (1, -1):
        found = manifolds.axis_angle_near(sign * quaternions, axis_angles)
        np.testing.assert_allclose(found, axis_angles, atol=1e-7)


def test_an_axis_angle_near_another_is_the_same_rotation_and_the_nearest_one():
    quaternions = random_quaternions(100)
    shortest = manifolds.axis_angle_from_quaternion(quaternions)
    near = random_directions(100, 3) * 4
    found = manifolds.axis_angle_near(quaternions, near)
    same = manifolds.quaternion_from_axis_angle(found)
    np.testing.assert_allclose(np.abs((same * quaternions).sum(1)), 1)
    axis = shortest / np.linalg.norm(shortest, axis=1, keepdims=True)
    off = np.linalg.norm(found - near, axis=1)
    for turns in (-2, -1, 0, 1, 2):
        other = shortest + turns * 2 * np.pi * axis
        assert (off <= np.linalg.norm(other - near, axis=1) + 1e-9).all()


def test_whole_turns_stay_whole_turns_where_there_is_no_turn():
    turn = np.array([0.0, 2 * np.pi, 0.0])
    np.testing.assert_allclose(manifolds.axis_angle_near(np.array([0, 0, 0, 1.0]), turn), turn)
    none = manifolds.axis_angle_near(np.array([0, 0, 0, -1.0]), np.zeros(3))
    np.testing.assert_array_equal(none, 0)


@pytest.mark.parametrize(
    ('manifold', 'value', 'cause'),
    [
        (VECTORS, [np.nan, 0.0], 'not_finite'),
        (DIRECTIONS, [0.0, 0.0, 0.0], 'no_direction'),
        (DIRECTIONS, [1.0, 0.0], 'bad_shape'),
        (ROTATIONS, np.zeros(4), 'no_direction'),
        (ROTATIONS, np.ones((4, 3)), 'bad_shape'),
        (ROTATIONS, 1.0, 'bad_shape'),
        (ROTATIONS, [np.inf, 0.0, 0.0, 1.0], 'not_finite'),
    ],
)
def test_what_is_no_value_is_refused(manifold, value, cause):
    with pytest.raises(InputError) as error:
        manifold.checked(value)
    assert error.value.cause == cause


def test_a_checked_value_is_a_copy():
    given = np.ones(3)
    kept = VECTORS.checked(given)
    given[:] = 5
    np.testing.assert_array_equal(kept, 1)
