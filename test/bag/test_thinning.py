from interwild_ros.bag.measures import Span
from interwild_ros.bag.thinning import evenly_thinned, merged, thinned
import numpy as np

TIMES = np.arange(10_000) / 30
VALUES = np.random.default_rng(0).normal(size=10_000)


def test_a_short_line_stays_as_it_is():
    times, values = thinned(TIMES[:100], VALUES[:100], most=100)
    assert times is not None
    np.testing.assert_array_equal(values, VALUES[:100])


def test_a_thinned_line_is_short_and_keeps_its_extremes_and_its_order():
    times, values = thinned(TIMES, VALUES, most=500)
    assert len(values) <= 500
    assert values.max() == VALUES.max()
    assert values.min() == VALUES.min()
    assert (np.diff(times) > 0).all()


def test_every_point_of_a_thinned_line_is_one_of_the_line():
    times, values = thinned(TIMES, VALUES, most=500)
    rows = np.searchsorted(TIMES, times)
    np.testing.assert_array_equal(VALUES[rows], values)


def test_a_long_stretch_without_values_stays_one():
    holed = VALUES.copy()
    holed[3000:6000] = np.nan
    times, values = thinned(TIMES, holed, most=500)
    inside = (times > 101) & (times < 199)
    assert inside.any()
    assert np.isnan(values[inside]).all()


def test_points_are_thinned_evenly_and_the_first_stays():
    points = np.arange(3000).reshape(1000, 3)
    found = evenly_thinned(points, most=300)
    assert len(found) <= 300
    np.testing.assert_array_equal(found[0], points[0])
    assert len(evenly_thinned(points[:0])) == 0


def test_spans_with_little_between_become_one():
    spans = [Span(0, 1), Span(1.05, 2), Span(3, 4)]
    assert merged(spans, least_gap_sec=0.1) == [Span(0, 2), Span(3, 4)]
    assert merged(spans, least_gap_sec=0.0) == spans
    assert merged([], least_gap_sec=1.0) == []
