from dataclasses import asdict

from interwild_ros.bag.read import open_bag
from interwild_ros.bag.report import HandCounts, make_report
from interwild_ros.bag.steadiness import measure_steadiness
import pytest
from recorded import diagnostics_message, LATENCY_NS, STAMPS_NS, TRACKED, write_small_bag


@pytest.fixture
def report(small_bag):
    with open_bag(small_bag) as bag:
        return make_report(bag)


def test_frames_are_counted_and_unanswered_ones_are_dropped(report):
    assert (report.frames_in, report.frames_out) == (len(STAMPS_NS), len(TRACKED))
    assert report.dropped == len(STAMPS_NS) - len(TRACKED)
    assert report.tracked == HandCounts(right=2, left=1, both=1)


def test_rates_are_events_a_second(report):
    assert report.input_rate_hz == 10.0
    assert report.rate_hz == 5.0


def test_latency_is_from_stamp_to_arrival(report):
    latency = report.latency_ms
    assert latency.p50 == latency.p95 == latency.p99 == LATENCY_NS / 1e6


def test_the_report_says_what_ran(report):
    assert (report.model, report.weights, report.device) == ('compact', 'rule-made', 'cpu')
    assert not report.weights_meaningful
    assert report.hand_model_is_stand_in
    assert report.accuracy is None


def test_steadiness_is_of_raw_and_steadied_hands(small_bag):
    with open_bag(small_bag) as bag:
        steadiness = make_report(bag).steadiness
        assert steadiness == measure_steadiness(list(bag.two_hands()), bag.raw_two_hands())
    assert steadiness.presence.right.tracked_share == pytest.approx(2 / 3, abs=1e-4)
    assert steadiness.presence.left.absent == {'low_score': 2}
    assert steadiness.disagreement_mm.p50 == 62.5
    assert steadiness.wrist_std_mm.p50 > 0


def test_the_keys_are_those_that_readers_of_the_file_know(report):
    keys = asdict(report)
    figures = {'jitter', 'presence', 'wrist_std_mm', 'disagreement_mm'}
    assert keys['steadiness'].keys() == figures
    assert keys['steadiness']['jitter'].keys() == {'raw_mm', 'filtered_mm'}
    assert keys['steadiness']['presence'].keys() == {'right', 'left', 'detected_share'}
    figures = {'tracked_share', 'appearances', 'losses', 'absent'}
    for side in ('right', 'left'):
        assert keys['steadiness']['presence'][side].keys() == figures


def test_bad_frames_are_counted_by_cause(tmp_path):
    said = diagnostics_message(**{'bad_frames': '3', 'bad_frames.zero_size': '3'})
    with open_bag(write_small_bag(tmp_path / 'bag', said)) as bag:
        assert make_report(bag).bad_frames == {'zero_size': 3}


def test_a_recording_without_answers_has_no_latency(tmp_path):
    with open_bag(write_small_bag(tmp_path / 'bag', answered=())) as bag:
        report = make_report(bag)
    assert (report.frames_out, report.dropped) == (0, len(STAMPS_NS))
    assert report.latency_ms.p50 is report.rate_hz is None
    assert report.steadiness is None
