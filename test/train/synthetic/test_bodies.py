from interwild_ros.geometry.spaces import apply_affine
from interwild_ros.train.synthetic.domains import WILD
import torch


def test_a_picture_is_the_same_in_every_batch(body_maker, bodies):
    again = body_maker.make([11])
    off = (again.pictures[0].int() - bodies.pictures[11].int()).abs()
    assert (off > 2).float().mean() < 1e-3
    torch.testing.assert_close(again.boxes[0], bodies.boxes[11], rtol=0, atol=1e-2)


def test_boxes_hold_the_joints_that_are_inside(bodies):
    _, height, width = bodies.pictures.shape[1:]
    limit = torch.tensor([width - 1, height - 1])
    for row, side in bodies.has_box.nonzero().tolist():
        joints, box = bodies.joints_px[row, side], bodies.boxes[row, side]
        assert (box[:2] >= -0.01).all()
        assert (box[2:] <= limit + 0.01).all()
        held = ((joints >= box[:2]) & (joints <= box[2:])).all(1)
        inside = ((joints >= 0) & (joints <= limit)).all(1)
        assert held.sum() >= 4
        assert (held <= inside).all()


def test_boxes_are_of_hands_that_are_there(bodies):
    assert not bodies.has_box[~bodies.present].any()
    assert bodies.has_box[bodies.present].float().mean() > 0.8
    assert (bodies.boxes[~bodies.has_box] == 0).all()


def test_projecting_the_joints_gives_their_pixels(bodies):
    px = bodies.joints_m[..., :2] / bodies.joints_m[..., 2:] * bodies.focal_px[:, None, None, None]
    px = px + bodies.centre_px[:, None, None]
    there = bodies.present
    torch.testing.assert_close(px[there], bodies.joints_px[there], rtol=0, atol=0.02)


def test_what_is_beyond_the_scenes_picture_is_black(bodies):
    corners = apply_affine(bodies.input_from_image, torch.zeros(len(bodies.boxes), 1, 2))[:, 0]
    rows = (corners[:, 1] > 4).nonzero()[:, 0]
    assert len(rows)
    for row in rows.tolist():
        assert (bodies.pictures[row, :, : int(corners[row, 1]) - 1] == 0).all()


def test_the_wild_never_says_where_hands_are_to_each_other(domain, bodies):
    if domain is WILD:
        assert not bodies.has_left_from_right.any()
        assert (bodies.left_from_right_m == 0).all()
    else:
        both = bodies.present.all(1)
        assert (bodies.has_left_from_right == both).all()
        wrists = bodies.joints_m[:, :, 0]
        torch.testing.assert_close(bodies.left_from_right_m, wrists[:, 1] - wrists[:, 0])
