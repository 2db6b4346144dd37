from dataclasses import replace

from interwild_ros.geometry.camera import project
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.imaging.demo_clip import ClipFrame, ClipHand, demo_clip
from interwild_ros.imaging.overlay import draw_overlay, SIDE_COLOURS
from interwild_ros.records import (
    Camera,
    DepthSource,
    Hand,
    HandBox,
    Image,
    NoHand,
    Side,
    Topology,
    TwoHands,
)
import numpy as np
import pytest

SIZE = (320, 240)


@pytest.fixture(scope='module')
def frame() -> ClipFrame:
    return next(demo_clip(frames=1, size=SIZE))


@pytest.fixture(scope='module')
def topology() -> Topology:
    return HandPair(*(read_stand_in(side) for side in Side)).topology()


def found(truth: ClipHand) -> Hand:
    low, high = truth.joints_image_px.min(0) - 8, truth.joints_image_px.max(0) + 8
    return Hand(
        box=HandBox(truth.side, (*map(float, low), *map(float, high)), 0.5),
        joints_image_px=truth.joints_image_px,
        pose=truth.pose,
        betas=truth.betas,
        joints_m=truth.joints_m,
        vertices_m=truth.vertices_m,
        wrist_quaternion_xyzw=truth.wrist_quaternion_xyzw,
        reprojection_error_px=1.0,
        depth_source=DepthSource.INTRINSICS,
    )


def result(right: Hand | None, left: Hand | None) -> TwoHands:
    return TwoHands(
        stamp_ns=0,
        frame_id='cam',
        right=right or NoHand(Side.RIGHT, 0.0, 'low_score'),
        left=left or NoHand(Side.LEFT, 0.0, 'low_score'),
        interacting=False,
        left_from_right_m=np.zeros(3) if right and left else None,
    )


def moved(before: Image, after: Image) -> np.ndarray:
    return abs(after.astype(int) - before).max(2) > 0


def test_nothing_found_leaves_the_picture_alone_but_for_the_lines_that_say_so(
    frame: ClipFrame, topology: Topology
) -> None:
    drawn = draw_overlay(frame.image, result(None, None), topology, frame.camera)
    np.testing.assert_array_equal(drawn[:-40], frame.image[:-40])
    assert drawn is not frame.image


@pytest.mark.parametrize('side', list(Side), ids=[side.label for side in Side])
def test_a_line_below_says_of_each_hand_whether_it_is_there(
    frame: ClipFrame, topology: Topology, side: Side
) -> None:
    """The left hand's stands on the left, and its words are the reason of absence."""

    def drawn(reason: str) -> Image:
        hands = result(None, None)
        absent = {side.label: NoHand(side, 0.0, reason)}
        return draw_overlay(frame.image, replace(hands, **absent), topology, frame.camera)

    one, other = drawn('not_found'), drawn('gathering')
    assert (one == drawn('not found')).all()  # words are told apart by blanks
    columns = np.flatnonzero(moved(one, other).any(0))
    middle = SIZE[0] // 2
    assert (columns < middle).all() if side is Side.LEFT else (columns > middle).all()
    rows = np.flatnonzero(moved(one, other).any(1))
    assert rows.min() > SIZE[1] - 40


def test_the_line_below_is_in_the_hands_colour_and_says_how_sure_it_is(
    frame: ClipFrame, topology: Topology
) -> None:
    black = np.zeros_like(frame.image)

    def line(covariance: np.ndarray | None) -> np.ndarray:
        hand = replace(found(frame.left), wrist_covariance_m2=covariance)
        drawn = draw_overlay(black, result(None, hand), topology, frame.camera)
        return drawn[-24:, : SIZE[0] // 2].astype(float)

    unknown, sure, unsure = line(None), line(1e-4 * np.eye(3)), line(4e-2 * np.eye(3))
    tint = np.array(SIDE_COLOURS[Side.LEFT]) - np.mean(SIDE_COLOURS[Side.LEFT])
    assert (sure @ tint).max() > 0
    assert (unknown != sure).any()
    assert (sure != unsure).any()


@pytest.mark.parametrize('was_detected', [True, False])
def test_corners_show_the_region_and_their_colour_whether_the_detector_looked(
    frame: ClipFrame, topology: Topology, was_detected: bool
) -> None:
    grey = np.full_like(frame.image, 128)
    nobody = result(None, None)
    without = draw_overlay(grey, nobody, topology, frame.camera)
    hands = replace(nobody, region=(60.0, 40.0, 220.0, 180.0), was_detected=was_detected)
    drawn = draw_overlay(grey, hands, topology, frame.camera)
    changed = moved(without, drawn)
    for x, y in ((60, 40), (220, 40), (60, 180), (220, 180)):
        assert changed[y, x]
    assert not changed[110, 60]  # only the corners, not the whole frame
    assert not changed[44:176, 64:216].any()
    assert not changed[:38].any()
    other = draw_overlay(
        grey, replace(hands, was_detected=not was_detected), topology, frame.camera
    )
    assert (drawn[40, 60] != other[40, 60]).any()


@pytest.mark.parametrize(
    'region',
    [
        (-50.0, -20.0, 1000.0, 900.0),
        (0.0, 0.0, 319.0, 239.0),
        (100.0, 100.0, 100.5, 100.5),
        (1e9, 1e9, 2e9, 2e9),
        (-1e9, -1e9, -1e8, -1e8),
        (float('inf'), 0.0, float('nan'), 10.0),
    ],
)
def test_a_region_outside_the_picture_is_drawn_at_its_edge(
    frame: ClipFrame, topology: Topology, region: tuple[float, ...]
) -> None:
    hands = replace(result(None, None), region=region)
    drawn = draw_overlay(frame.image, hands, topology, frame.camera)
    without = draw_overlay(frame.image, result(None, None), topology, frame.camera)
    assert moved(without, drawn).any()


def test_the_picture_given_is_not_changed(frame: ClipFrame, topology: Topology) -> None:
    before = frame.image.copy()
    both = result(found(frame.right), found(frame.left))
    draw_overlay(frame.image, both, topology, frame.camera, notes=('a note',))
    np.testing.assert_array_equal(frame.image, before)


@pytest.mark.parametrize('side', list(Side), ids=[side.label for side in Side])
def test_a_hand_is_drawn_in_its_own_colour_at_its_own_place(
    frame: ClipFrame, topology: Topology, side: Side
) -> None:
    truth = (frame.right, frame.left)[side]
    hand = found(truth)
    one = result(hand, None) if side is Side.RIGHT else result(None, hand)
    drawn = draw_overlay(np.full_like(frame.image, 128), one, topology, frame.camera)
    points = project(frame.camera, truth.vertices_m).round().astype(int)
    on_mesh = drawn[points[:, 1], points[:, 0]].astype(float) - 128
    tint = np.array(SIDE_COLOURS[side]) - np.mean(SIDE_COLOURS[side])
    assert np.median(on_mesh @ tint) > 0
    changed = moved(np.full_like(frame.image, 128), drawn)
    x1, y1, x2, y2 = np.clip(np.round(hand.box.corners).astype(int), 0, None)
    assert changed[y1 : y2 + 1, x1 : x2 + 1].mean() > 0.2
    other = (frame.left, frame.right)[side].joints_image_px.mean(0).astype(int)
    assert not changed[other[1], other[0]]


def test_the_mesh_lets_the_picture_shine_through(frame: ClipFrame, topology: Topology) -> None:
    both = result(found(frame.right), None)
    dark, light = (
        draw_overlay(np.full_like(frame.image, grey), both, topology, frame.camera)
        for grey in (60, 120)
    )
    points = project(frame.camera, frame.right.vertices_m).round().astype(int)
    gained = light[points[:, 1], points[:, 0]].astype(int) - dark[points[:, 1], points[:, 0]]
    assert 10 < np.median(gained) < 50


def test_joints_are_dots_in_their_fingers_colours(frame: ClipFrame, topology: Topology) -> None:
    drawn = draw_overlay(frame.image, result(found(frame.right), None), topology, frame.camera)
    tips = frame.right.joints_image_px[4::4].round().astype(int)
    colours = {tuple(drawn[y, x].tolist()) for x, y in tips}
    assert len(colours) == 5


def test_the_nearer_hand_covers_the_other_whichever_side_it_is(topology: Topology) -> None:
    frame = list(demo_clip(frames=8, rate_hz=8 / 5, size=(64, 48)))[4]  # right before left
    camera = Camera(*SIZE, 277.0, 277.0, 159.5, 119.5)
    both = result(found(frame.right), found(frame.left))
    alone = result(found(frame.right), None)
    grey = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    drawn, drawn_alone = (draw_overlay(grey, hands, topology, camera) for hands in (both, alone))
    points = project(camera, frame.right.vertices_m).round().astype(int)
    same = (drawn[points[:, 1], points[:, 0]] == drawn_alone[points[:, 1], points[:, 0]]).all(1)
    assert same.mean() > 0.5  # the rest lies under the left hand's skeleton and box


def test_notes_are_lines_at_the_top_left_that_stay_in_the_picture(
    frame: ClipFrame, topology: Topology
) -> None:
    def with_notes(*notes: str) -> Image:
        return draw_overlay(frame.image, result(None, None), topology, frame.camera, notes)

    def drawn(*notes: str) -> np.ndarray:
        return moved(with_notes(), with_notes(*notes))

    one, two, long = drawn('a note'), drawn('a note', 'another'), drawn('many words ' * 12)
    assert one[2, 2]
    assert not one[:, 200:].any()
    rows = [np.flatnonzero(m.any(1)).max() for m in (one, two, long)]
    assert rows[0] < rows[1] < rows[2] < 120


@pytest.mark.parametrize('shift_m', [(3.0, 0, 0), (0, 0, -0.58), (0, 0, -2.0), (0.25, 0.2, -0.2)])
def test_hands_outside_the_picture_or_behind_the_camera_are_harmless(
    frame: ClipFrame, topology: Topology, shift_m: tuple[float, float, float]
) -> None:
    hand = found(frame.left)
    away = replace(
        hand,
        vertices_m=hand.vertices_m + shift_m,
        joints_m=hand.joints_m + shift_m,
        joints_image_px=hand.joints_image_px + 1e7,
        box=HandBox(Side.LEFT, (1e9, -1e9, -50.0, 40.0), 0.1),
    )
    drawn = draw_overlay(frame.image, result(None, away), topology, frame.camera)
    assert drawn.shape == frame.image.shape


def test_tiny_and_wide_pictures_can_be_drawn_on(frame: ClipFrame, topology: Topology) -> None:
    both = result(found(frame.right), found(frame.left))
    for width, height in ((32, 24), (1000, 60), (1920, 1080)):
        camera = Camera(width, height, float(width), float(width), width / 2, height / 2)
        grey = np.full((height, width, 3), 128, np.uint8)
        drawn = draw_overlay(grey, both, topology, camera, notes=('a note', 'and another'))
        assert moved(grey, drawn).any()
