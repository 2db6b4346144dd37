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


def test_nothing_found_and_nothing_to_say_leaves_the_picture_alone(
    frame: ClipFrame, topology: Topology
) -> None:
    drawn = draw_overlay(frame.image, result(None, None), topology, frame.camera)
    np.testing.assert_array_equal(drawn, frame.image)
    assert drawn is not frame.image


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
    def drawn(*notes: str) -> np.ndarray:
        nobody = result(None, None)
        return moved(frame.image, draw_overlay(frame.image, nobody, topology, frame.camera, notes))

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
