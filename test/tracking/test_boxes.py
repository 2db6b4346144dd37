from interwild_ros.tracking.boxes import (
    centre,
    cut,
    distance,
    enlarged,
    hull,
    image_box,
    is_a_place,
    longer_side,
    shifted,
)
import numpy as np
import pytest

RNG = np.random.default_rng(0)
BOXES = [
    (*low, *(low + size))
    for low, size in zip(RNG.uniform(-50, 200, (50, 2)), RNG.uniform(1, 90, (50, 2)), strict=True)
]
IMAGE = image_box((161, 121))


def test_an_image_goes_from_its_first_pixels_centre_to_its_lasts():
    assert IMAGE == (0, 0, 160, 120)


def test_a_hull_holds_its_boxes_and_no_more():
    around = hull(BOXES)
    assert all(cut(box, around) == box for box in BOXES)
    assert {*around} <= {v for box in BOXES for v in box}


@pytest.mark.parametrize('box', BOXES)
def test_what_is_cut_lies_in_both_boxes(box):
    part = cut(box, IMAGE)
    assert part == cut(IMAGE, box)
    if part is None:
        assert box[0] >= 160 or box[1] >= 120 or box[2] <= 0 or box[3] <= 0
    else:
        assert hull([part, box]) == box
        assert hull([part, IMAGE]) == IMAGE


@pytest.mark.parametrize('box', BOXES)
def test_a_box_is_enlarged_about_its_middle(box):
    larger = enlarged(box, 3.0)
    np.testing.assert_allclose(centre(larger), centre(box))
    assert longer_side(larger) == pytest.approx(3 * longer_side(box))
    np.testing.assert_allclose(enlarged(larger, 1 / 3), box)
    x1, y1, x2, y2 = enlarged(box, 1.0, least_side=100.0)
    assert (x2 - x1, y2 - y1) == pytest.approx((100, 100))


def test_a_shift_is_the_distance_of_the_middles():
    assert distance(BOXES[0], shifted(BOXES[0], np.array([3.0, -4.0]))) == pytest.approx(5)


def test_a_place_has_an_area_and_finite_edges_not_too_far_away():
    assert all(map(is_a_place, BOXES))
    for bad in (np.nan, np.inf, -np.inf, 1e7):
        for edge in range(4):
            assert not is_a_place([bad if i == edge else v for i, v in enumerate((0, 0, 9, 9))])
    assert not is_a_place((5, 0, 5, 9))
    assert not is_a_place((0, 9, 5, 0))
