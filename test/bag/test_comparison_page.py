from browser import look_at
from drawn_series import columns_of, draw_joints, drop_frames, write_output
from interwild_ros.bag.comparison import compare
from interwild_ros.bag.comparison_page import comparison_page_of, write_comparison_page
from interwild_ros.bag.sources import open_source
import numpy as np
import pytest


@pytest.fixture
def comparison(tmp_path):
    """Hands that come and go, against noisy ones of which some frames are missing."""
    joints = draw_joints(120)
    rng = np.random.default_rng(1)
    of_a, of_b = np.ones((120, 2), bool), np.ones((120, 2), bool)
    of_a[20:35, 0] = False
    of_b[50:60, 1] = False
    noisy = columns_of(joints + rng.normal(0, 0.003, joints.shape), tracked=of_a)
    a = write_output(tmp_path / 'a', drop_frames(noisy, range(70, 90)))
    b = write_output(tmp_path / 'b<i>', columns_of(joints, tracked=of_b))
    return compare(open_source(a), open_source(b))


def test_the_page_is_the_same_every_time_and_escapes_paths(comparison):
    page = comparison_page_of(comparison)
    assert page == comparison_page_of(comparison)
    assert 'b&lt;i&gt;' in page
    assert 'b<i>' not in page


def test_a_browser_draws_the_comparison(comparison, tmp_path):
    seen = look_at(write_comparison_page(tmp_path / 'page.html', comparison), tmp_path)
    assert seen.console == []
    assert seen.dom.count('class="main-svg"') >= 3
    assert seen.screenshot.stat().st_size > 10_000


def test_without_latency_or_hands_there_is_still_a_page(tmp_path):
    np.savez(
        tmp_path / 'truth.npz',
        joints_m=draw_joints(5),
        stamps_ns=np.arange(5),
        visible=np.zeros((5, 2), bool),
    )
    truth = open_source(tmp_path / 'truth.npz')
    page = comparison_page_of(compare(truth, truth))
    assert 'id="latency"' not in page
    assert 'no values' in page
