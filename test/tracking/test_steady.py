from dataclasses import replace

from interwild_ros.errors import InputError, SettingError
from interwild_ros.tracking.one_euro import OneEuroSettings
from interwild_ros.tracking.steadiness import jitter_mm_per_frame2, lag_ms
from interwild_ros.tracking.steady import HandParameters, SteadyHand, SteadySettings
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

SEC = 1_000_000_000
FRAME = SEC // 30
WRIST = np.array([0.05, 0.03, 0.5])
RAY = WRIST / np.linalg.norm(WRIST)
BLOCKS = ('wrist_cam_m', 'root_rad', 'fingers_rad', 'betas')


def hand(stamp_ns=0, wrist=WRIST, root=(0.1, 2.0, -0.3), fingers=0.1, betas=0.5):
    return HandParameters(
        stamp_ns=stamp_ns,
        wrist_cam_m=np.asarray(wrist, float),
        root_rad=np.asarray(root, float),
        fingers_rad=np.broadcast_to(fingers, (15, 3)).astype(float),
        betas=np.broadcast_to(betas, (10,)).astype(float),
    )


def random_hand(rng, stamp_ns):
    return hand(
        stamp_ns,
        wrist=WRIST + rng.normal(0, 0.2, 3),
        root=rng.normal(0, 2, 3),
        fingers=rng.normal(0, 2, (15, 3)),
        betas=rng.normal(size=10),
    )


def wander(count, seed=0, first_ns=0):
    rng = np.random.default_rng(seed)
    root, fingers = np.array([0.1, 2.0, -0.3]), rng.normal(0, 0.3, (15, 3))
    wrist, hands = WRIST.copy(), []
    for i in range(count):
        wrist = wrist + rng.normal(0, 0.01, 3)
        root = root + rng.normal(0, 0.1, 3)
        fingers = fingers + rng.normal(0, 0.1, (15, 3))
        hands.append(hand(first_ns + i * FRAME, wrist, root, fingers, rng.normal(size=10)))
    return hands


def wrists(positions, settings=None):
    steady = SteadyHand(settings)
    return np.array([steady(hand(i * FRAME, p)).wrist_cam_m for i, p in enumerate(positions)])


def assert_same(one, other, blocks=BLOCKS, atol=0.0):
    assert one.stamp_ns == other.stamp_ns
    for name in blocks:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=atol)


def test_the_first_frame_comes_out_as_it_went_in():
    for raw in wander(1):
        assert_same(SteadyHand()(raw), raw, atol=1e-12)


def test_a_hand_that_does_not_move_comes_out_as_it_went_in():
    steady = SteadyHand()
    for i in range(60):
        raw = hand(i * FRAME)
        assert_same(steady(raw), raw, atol=1e-12)


def test_a_result_keeps_its_own_stamp_and_the_input_stays_as_it_was():
    steady, raw = SteadyHand(), wander(5)
    before = [hand(h.stamp_ns, h.wrist_cam_m, h.root_rad, h.fingers_rad, h.betas) for h in raw]
    assert [steady(h).stamp_ns for h in raw] == [h.stamp_ns for h in raw]
    for one, other in zip(raw, before, strict=True):
        assert_same(one, other)


def test_a_resting_hand_loses_most_of_its_jitter():
    noise = np.random.default_rng(1).normal(0, 0.003, (300, 3))
    found = wrists(WRIST + noise)[30:]
    assert jitter_mm_per_frame2(found) < jitter_mm_per_frame2(WRIST + noise[30:]) / 6
    assert found.std(0).max() < 0.0015


def test_noise_along_the_ray_does_not_disturb_the_direction():
    noise = np.random.default_rng(2).normal(0, 0.02, 200)
    found = wrists(WRIST + noise[:, None] * RAY)
    np.testing.assert_allclose(np.cross(found, RAY), 0, atol=1e-12)


def test_the_distance_is_filtered_by_its_own_settings():
    noise = np.random.default_rng(3).normal(0, 0.015, (200, 3))
    free = OneEuroSettings(min_cutoff_hz=1000.0)
    hard = OneEuroSettings(min_cutoff_hz=0.1)
    found = wrists(WRIST + noise, SteadySettings(direction=free, distance=hard))
    distance = np.linalg.norm(found[30:], axis=1)
    across = found[30:] / distance[:, None] - RAY
    assert np.diff(distance).std() < 0.1 * 0.015
    assert np.diff(across, axis=0).std() > 0.9 * 0.015


def test_root_and_fingers_are_filtered_by_their_own_settings():
    noise = np.random.default_rng(4).normal(0, 0.02, (200, 16, 3))
    free = OneEuroSettings(min_cutoff_hz=1000.0)
    hard = OneEuroSettings(min_cutoff_hz=0.1)
    steady = SteadyHand(SteadySettings(root=free, fingers=hard))
    found = [steady(hand(i * FRAME, root=n[0], fingers=n[1:])) for i, n in enumerate(noise)]
    assert np.diff([h.root_rad for h in found], axis=0).std() > 0.9 * 0.02
    assert np.diff([h.fingers_rad for h in found], axis=0).std() < 0.1 * 0.02


@pytest.mark.parametrize('axis', [0, 1, 2])
def test_fast_motion_comes_less_than_a_frame_late(axis):
    stamps = np.arange(300) * FRAME
    path = np.tile(WRIST, (300, 1))
    path[:, axis] += 0.15 * np.sin(2 * np.pi * 1.5 * stamps / SEC)
    found = wrists(path)
    assert 0 < lag_ms(found[:, axis], path[:, axis], stamps) < 33.3
    assert 0.9 < np.ptp(found[60:, axis]) / 0.3 < 1.05


def test_a_faster_hand_lags_less():
    stamps = np.arange(300) * FRAME
    lags = []
    for amplitude in (0.01, 0.05, 0.15):
        path = WRIST + amplitude * np.sin(2 * np.pi * stamps / SEC)[:, None] * (1, 0, 0)
        lags.append(lag_ms(wrists(path)[:, 0], path[:, 0], stamps))
    assert lags == sorted(lags, reverse=True)


def test_turning_the_world_about_the_camera_turns_the_steadied_hand():
    turn = Rotation.from_rotvec([0.3, -0.9, 0.5])
    plain, turned = SteadyHand(), SteadyHand()
    for raw in wander(80):
        root = Rotation.from_rotvec(raw.root_rad)
        other = replace(
            raw, wrist_cam_m=turn.apply(raw.wrist_cam_m), root_rad=(turn * root).as_rotvec()
        )
        one, two = plain(raw), turned(other)
        np.testing.assert_allclose(turn.apply(one.wrist_cam_m), two.wrist_cam_m, atol=1e-12)
        off = turn * Rotation.from_rotvec(one.root_rad) * Rotation.from_rotvec(two.root_rad).inv()
        assert off.magnitude() < 1e-7
        assert_same(one, two, ('fingers_rad', 'betas'))


def test_axis_angles_whole_turns_apart_are_steadied_to_the_same_rotations():
    one, other = SteadyHand(), SteadyHand()
    for i, raw in enumerate(wander(60)):
        size = np.linalg.norm(raw.fingers_rad, axis=1, keepdims=True)
        turned = raw.fingers_rad * (1 - (i % 2) * 2 * np.pi / size)
        a = one(raw).fingers_rad
        b = other(replace(raw, fingers_rad=turned)).fingers_rad
        off = Rotation.from_rotvec(a) * Rotation.from_rotvec(b).inv()
        assert off.magnitude().max() < 1e-7


def test_angles_past_half_a_turn_come_out_past_half_a_turn():
    steady = SteadyHand()
    rng = np.random.default_rng(5)
    for i in range(30):
        raw = hand(i * FRAME, root=rng.normal((0.0, 3.6, 0.0), 0.05))
        assert np.linalg.norm(steady(raw).root_rad - raw.root_rad) < 0.3


def test_after_a_long_gap_the_motion_begins_anew():
    for gap_ms, is_new in ((240, False), (260, True)):
        steady = SteadyHand(SteadySettings(longest_gap_ms=250.0))
        steady(hand(0))
        raw = hand(gap_ms * 1_000_000, WRIST + 0.1, fingers=0.7)
        found = steady(raw)
        same = np.allclose(found.wrist_cam_m, raw.wrist_cam_m)
        assert same == is_new
        assert np.allclose(found.fingers_rad, raw.fingers_rad) == is_new


def test_when_time_goes_back_all_begins_anew():
    steady = SteadyHand()
    for raw in wander(10, first_ns=5 * SEC):
        steady(raw)
    raw = hand(2 * SEC, WRIST + 0.1, betas=7.0)
    assert_same(steady(raw), raw, atol=1e-12)


def test_a_lost_hand_comes_back_where_it_is_with_the_shape_it_had():
    steady = SteadyHand()
    for raw in wander(60):
        last = steady(raw)
    steady.lose()
    raw = hand(60 * FRAME, WRIST + 0.2, root=(0.0, 0.0, 1.0), betas=5.0)
    found = steady(raw)
    assert_same(found, raw, ('wrist_cam_m', 'root_rad', 'fingers_rad'), atol=1e-12)
    np.testing.assert_array_equal(found.betas, last.betas)


def test_after_a_reset_nothing_is_remembered():
    used, new = SteadyHand(), SteadyHand()
    for raw in wander(60):
        used(raw)
    used.reset()
    for raw in wander(5, seed=6, first_ns=60 * FRAME):
        assert_same(used(raw), new(raw))


def test_the_same_stamp_twice_changes_nothing():
    once, twice = SteadyHand(), SteadyHand()
    rng = np.random.default_rng(7)
    for raw in wander(20):
        first = twice(raw)
        assert_same(twice(random_hand(rng, raw.stamp_ns)), first)
        assert_same(once(raw), first)


def test_dropped_frames_leave_the_hand_close_to_where_it_is():
    rng = np.random.default_rng(8)
    steady = SteadyHand()
    for i in np.sort(rng.choice(300, 120, replace=False)):
        where = WRIST + 0.1 * np.sin(2 * np.pi * 0.5 * i / 30) * np.array([1, 0, 0])
        assert np.linalg.norm(steady(hand(int(i) * FRAME, where)).wrist_cam_m - where) < 0.03


def test_any_order_of_frames_leaves_a_finite_hand():
    rng = np.random.default_rng(9)
    steady = SteadyHand()
    stamp_ns = 0
    for _ in range(1500):
        step = rng.choice([0, 1, FRAME, FRAME, 3 * FRAME, SEC, 100 * SEC, -FRAME, -SEC])
        stamp_ns += int(step)
        if rng.random() < 0.02:
            steady.lose()
        raw = random_hand(rng, stamp_ns)
        if rng.random() < 0.05:
            raw = replace(raw, wrist_cam_m=-raw.wrist_cam_m * 1e6)
        found = steady(raw)  # its record refuses what is not finite
        assert found.stamp_ns == stamp_ns
        assert np.linalg.norm(found.wrist_cam_m) < 1e8


@pytest.mark.parametrize(
    ('change', 'cause'),
    [
        ({'wrist_cam_m': np.zeros(3)}, 'no_direction'),
        ({'wrist_cam_m': np.full(3, np.nan)}, 'not_finite'),
        ({'fingers_rad': np.zeros(45)}, 'bad_shape'),
        ({'betas': np.full(10, np.inf)}, 'not_finite'),
    ],
)
def test_what_is_no_hand_is_refused_at_birth(change, cause):
    with pytest.raises(InputError) as error:
        replace(hand(), **change)
    assert error.value.cause == cause


def test_a_gap_that_is_no_time_is_refused():
    for gap in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(SettingError):
            SteadySettings(longest_gap_ms=gap)
