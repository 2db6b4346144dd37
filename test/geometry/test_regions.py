from pathlib import Path

from interwild_ros.errors import InputError
from interwild_ros.geometry import regions
import numpy as np
import pytest

GOLDEN = np.load(Path(__file__).parents[1] / 'data/network_units.npz')


def test_whole_pictures_of_whole_numbers_truncate_as_in_the_original():
    sizes = GOLDEN['process_bbox_demo_int/wh'].tolist()
    for (width, height), wanted in zip(sizes, GOLDEN['process_bbox_demo_int/bbox'], strict=True):
        found = regions.view_box((0, 0, width, height), (width, height))
        np.testing.assert_array_equal(found, wanted)


def test_whole_pictures_of_floats_do_not_truncate():
    sizes = GOLDEN['process_bbox_full_float/wh'].tolist()
    for (width, height), wanted in zip(sizes, GOLDEN['process_bbox_full_float/bbox'], strict=True):
        found = regions.view_box((0.0, 0.0, width, height), (width, height), scale=1.0)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_the_box_has_the_inputs_aspect_and_covers_the_region():
    x, y, width, height = regions.view_box((30.5, 40.0, 200.0, 100.0), (640, 480), scale=1.0)
    assert width / height == pytest.approx(384 / 512)
    assert x <= 30.5
    assert y <= 40
    assert x + width >= 30.5 + 199
    assert y + height >= 40 + 99


@pytest.mark.parametrize(
    'region', [(700, 0, 10, 10), (0, 0, 0, 10), (0, 500, 10, 10), (-50, 0, 20, -5)]
)
def test_a_region_without_a_pixel_is_refused_with_both_values(region):
    with pytest.raises(InputError, match='640 x 480') as caught:
        regions.view_box(region, (640, 480))
    assert caught.value.cause == 'empty_region'


def test_the_box_fills_the_input():
    box = np.array([10.0, 20.0, 96.0, 128.0])
    to_input = regions.input_from_image(box)
    np.testing.assert_allclose(to_input @ (10, 20, 1), (0, 0))
    np.testing.assert_allclose(to_input @ (106, 148, 1), (384, 512))


def test_overlaps_equal_the_originals():
    for first, second, wanted in zip(
        GOLDEN['iou/box1'], GOLDEN['iou/box2'], GOLDEN['iou/iou'], strict=True
    ):
        assert regions.overlap(first, second) == pytest.approx(wanted, abs=1e-6)


def test_overlap_does_not_care_who_comes_first_and_is_zero_apart():
    one, other = (0, 0, 4, 4), (2, 2, 8, 8)
    assert regions.overlap(one, other) == regions.overlap(other, one) > 0
    assert regions.overlap(one, (5, 0, 9, 9)) == 0
