from interwild_ros.errors import InputError, SettingError
from interwild_ros.tracking.manifolds import (
    DIRECTIONS,
    quaternion_from_axis_angle,
    ROTATIONS,
    VECTORS,
)
from interwild_ros.tracking.one_euro import OneEuro, OneEuroSettings
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

SEC = 1_000_000_000
FRAME = SEC // 30
SETTINGS = OneEuroSettings(min_cutoff_hz=1.0, beta=2.0, derivative_cutoff_hz=1.0)
STEADY = OneEuroSettings(min_cutoff_hz=1.0, beta=0.0)


def filtered(values, settings=SETTINGS, manifold=VECTORS, frame_ns=FRAME):
    one_euro = OneEuro(settings, manifold)
    return np.array([one_euro(v, i * frame_ns) for i, v in enumerate(values)])


def as_published(values, rate_hz, min_cutoff, beta, d_cutoff):
    """Return what algorithm 1 of the paper makes of numbers, written down as it stands there."""

    def alpha(cutoff):
        tau = 1 / (2 * np.pi * cutoff)
        return 1 / (1 + tau * rate_hz)

    results, x_prev, dx_prev = [], None, 0.0
    for x in values:
        if x_prev is None:
            x_hat = x
        else:
            dx = (x - x_prev) * rate_hz
            dx_prev = alpha(d_cutoff) * dx + (1 - alpha(d_cutoff)) * dx_prev
            a = alpha(min_cutoff + beta * abs(dx_prev))
            x_hat = a * x + (1 - a) * x_prev
        results.append(x_hat)
        x_prev = x_hat
    return results


def test_numbers_are_filtered_as_the_paper_says():
    values = np.cumsum(np.random.default_rng(0).normal(0, 0.05, 200))
    wanted = as_published(values, SEC / FRAME, 1.0, 2.0, 1.0)
    np.testing.assert_allclose(filtered(values), wanted, rtol=1e-9)


def test_the_first_value_comes_out_as_it_went_in():
    for value in (3.0, np.arange(3.0), np.ones((4, 2))):
        np.testing.assert_array_equal(OneEuro(SETTINGS)(value, 5), value)


def test_a_constant_stays_constant():
    np.testing.assert_allclose(filtered([np.array([1.0, -2.0, 3.0])] * 50), [[1, -2, 3]] * 50)


def test_a_step_without_beta_is_answered_as_by_a_low_pass_of_that_cutoff():
    found = filtered([0.0] + [1.0] * 60, STEADY, frame_ns=SEC // 1000)
    tau_sec = 1 / (2 * np.pi * STEADY.min_cutoff_hz)
    elapsed = np.arange(61) / 1000
    np.testing.assert_allclose(found, 1 - np.exp(-elapsed / tau_sec), atol=2e-3)


def test_a_step_never_overshoots():
    found = filtered([0.0] + [1.0] * 100)
    assert (np.diff(found) >= 0).all()
    assert found[-1] <= 1
    assert found[-1] == pytest.approx(1, abs=1e-3)


def test_a_higher_beta_follows_a_step_sooner():
    betas = (0.0, 0.5, 2.0, 8.0)
    steps = [0.0] + [1.0] * 30
    late = [(filtered(steps, OneEuroSettings(1.0, beta)) < 0.63).sum() for beta in betas]
    assert late == sorted(late, reverse=True)
    assert late[0] > late[-1]


def test_white_noise_loses_most_of_its_jitter():
    noise = np.random.default_rng(1).normal(0, 0.003, (600, 3))
    before = np.diff(noise, 2, axis=0).std()
    after = np.diff(filtered(noise)[30:], 2, axis=0).std()
    assert after < before / 6


def test_the_deviation_of_white_noise_is_that_of_a_low_pass():
    noise = np.random.default_rng(2).normal(0, 1, 20_000)
    ratio = 2 * np.pi * STEADY.min_cutoff_hz * FRAME / SEC
    part = ratio / (1 + ratio)
    found = filtered(noise, STEADY)[100:].std()
    assert found == pytest.approx(np.sqrt(part / (2 - part)), rel=0.05)


def test_the_rows_of_a_block_do_not_know_each_other():
    rng = np.random.default_rng(3)
    block = np.cumsum(rng.normal(0, 0.1, (60, 5, 3)), axis=0)
    together = filtered(block)
    for row in range(5):
        np.testing.assert_allclose(together[:, row], filtered(block[:, row]))


def test_each_row_of_a_block_may_have_settings_of_its_own():
    rng = np.random.default_rng(12)
    block = np.cumsum(rng.normal(0, 0.1, (60, 3, 4)), axis=0)
    settings = [SETTINGS, STEADY, OneEuroSettings(3.0, 0.5, 2.0)]
    for manifold in (VECTORS, ROTATIONS):
        together = filtered(block, settings, manifold)
        for row, own in enumerate(settings):
            alone = filtered(block[:, row], own, manifold)
            np.testing.assert_allclose(together[:, row], alone, atol=1e-12)


def test_a_block_of_other_rows_than_the_settings_is_refused():
    for value in (0.0, np.zeros(3), np.zeros((1, 3)), np.zeros((2, 2, 3))):
        with pytest.raises(InputError) as error:
            OneEuro([SETTINGS, STEADY])(value, 0)
        assert error.value.cause == 'bad_shape'


def test_turning_the_world_turns_filtered_vectors_directions_and_rotations():
    turn = Rotation.from_quat(np.random.default_rng(4).normal(size=4))
    path = np.cumsum(np.random.default_rng(5).normal(0, 0.1, (80, 3)), axis=0) + np.eye(3)[2]
    for manifold in (VECTORS, DIRECTIONS):
        turned = filtered(turn.apply(path), manifold=manifold)
        np.testing.assert_allclose(turned, turn.apply(filtered(path, manifold=manifold)))
    quaternions = Rotation.from_rotvec(path).as_quat()
    plain = Rotation.from_quat(filtered(quaternions, manifold=ROTATIONS))
    for left, right in ((turn, None), (None, turn)):
        moved = _between(left, Rotation.from_rotvec(path), right).as_quat()
        found = Rotation.from_quat(filtered(moved, manifold=ROTATIONS))
        wanted = _between(left, plain, right)
        assert (found * wanted.inv()).magnitude().max() < 1e-9


def _between(left, rotation, right):
    rotation = left * rotation if left is not None else rotation
    return rotation * right if right is not None else rotation


def test_the_sign_of_quaternions_changes_nothing():
    rng = np.random.default_rng(6)
    rotations = Rotation.from_rotvec(np.cumsum(rng.normal(0, 0.3, (100, 3)), axis=0))
    quaternions = rotations.as_quat()
    signs = rng.choice([-1.0, 1.0], (100, 1))
    found = filtered(signs * quaternions, manifold=ROTATIONS)
    np.testing.assert_allclose(found, filtered(quaternions, manifold=ROTATIONS), atol=1e-12)
    assert (found[:, 3] >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)


def test_rotations_about_one_axis_are_filtered_as_their_angles_are_also_past_half_a_turn():
    angles = np.cumsum(np.random.default_rng(7).normal(0.1, 0.05, 150))  # more than two turns
    quaternions = quaternion_from_axis_angle(angles[:, None] * (0.0, 0.6, 0.8))
    found = filtered(quaternions, manifold=ROTATIONS)
    wanted = quaternion_from_axis_angle(filtered(angles)[:, None] * (0.0, 0.6, 0.8))
    np.testing.assert_allclose(np.abs((found * wanted).sum(1)), 1, atol=1e-12)


def test_a_half_turn_there_and_back_stays_finite_and_a_rotation():
    half = [[0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 1e-17]] * 20
    found = filtered(half, manifold=ROTATIONS)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)


def test_noisy_rotations_lose_most_of_their_jitter():
    noise = np.random.default_rng(8).normal(0, np.radians(1.5), (300, 15, 3))
    base = Rotation.from_quat(np.random.default_rng(9).normal(size=(15, 4)))
    quaternions = [(Rotation.from_rotvec(n) * base).as_quat() for n in noise]
    found = filtered(quaternions, manifold=ROTATIONS)
    off = np.array([ROTATIONS.difference(q, base.as_quat()) for q in found[30:]])
    assert np.diff(off, 2, axis=0).std() < np.diff(noise, 2, axis=0).std() / 4
    assert off.std() < noise.std() / 2


def test_time_is_that_of_the_stamps():
    even = filtered([0.0, 1.0, 1.0, 1.0], STEADY, frame_ns=FRAME)
    slow = filtered([0.0, 1.0, 1.0, 1.0], STEADY, frame_ns=2 * FRAME)
    assert (slow[1:] > even[1:]).all()
    late = OneEuro(STEADY)
    late(0.0, 0)
    assert late(1.0, 2 * FRAME) == slow[1]


def test_the_same_stamp_twice_changes_nothing():
    once, twice = OneEuro(SETTINGS), OneEuro(SETTINGS)
    for i, value in enumerate(np.random.default_rng(10).normal(size=(20, 3))):
        first = twice(value, i * FRAME)
        np.testing.assert_array_equal(twice(value + 9, i * FRAME), first)
        np.testing.assert_array_equal(once(value, i * FRAME), first)


def test_time_going_back_begins_anew():
    one_euro = OneEuro(SETTINGS)
    one_euro(0.0, 10 * SEC)
    one_euro(0.1, 10 * SEC + FRAME)
    assert one_euro(7.0, 9 * SEC) == 7.0


def test_after_a_reset_nothing_is_remembered():
    used, new = OneEuro(SETTINGS), OneEuro(SETTINGS)
    for i in range(5):
        used(float(i), i * FRAME)
    used.reset()
    for i, value in enumerate((3.0, -1.0, 4.0)):
        assert used(value, (9 + i) * FRAME) == new(value, (9 + i) * FRAME)


def test_a_refused_value_leaves_the_filter_as_it_was():
    used, new = OneEuro(SETTINGS), OneEuro(SETTINGS)
    for one_euro in (used, new):
        one_euro(np.zeros(3), 0)
    for bad in (np.full(3, np.nan), np.zeros(2)):
        with pytest.raises(InputError):
            used(bad, FRAME)
    np.testing.assert_array_equal(used(np.ones(3), 2 * FRAME), new(np.ones(3), 2 * FRAME))


def test_what_the_caller_does_to_arrays_does_not_reach_the_filter():
    one_euro, value = OneEuro(SETTINGS), np.zeros(3)
    result = one_euro(value, 0)
    value += 5
    result += 7
    np.testing.assert_array_equal(one_euro(value, 0), np.zeros(3))


def test_any_order_of_stamps_leaves_finite_values_of_their_kind():
    rng = np.random.default_rng(11)
    filters = {m.name: OneEuro(SETTINGS, m) for m in (VECTORS, DIRECTIONS, ROTATIONS)}
    for _ in range(2000):
        stamp_ns = int(rng.choice([0, 1, rng.integers(10 * SEC), 10**18]))
        vector = rng.normal(size=3) * 10.0 ** rng.integers(-6, 7)
        assert np.isfinite(filters['vectors'](vector, stamp_ns)).all()
        direction = filters['directions'](rng.choice([-1, 1]) * vector, stamp_ns)
        quaternion = filters['quaternions'](rng.normal(size=4), stamp_ns)
        assert np.linalg.norm(direction) == pytest.approx(1)
        assert np.linalg.norm(quaternion) == pytest.approx(1)


@pytest.mark.parametrize(
    'values',
    [
        {'min_cutoff_hz': 0.0},
        {'min_cutoff_hz': np.nan},
        {'beta': -1.0},
        {'beta': np.inf},
        {'derivative_cutoff_hz': 0.0},
    ],
)
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(SettingError):
        OneEuroSettings(**values)
