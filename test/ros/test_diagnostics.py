from dataclasses import replace

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from interwild_ros.ros.camera_names import CameraNames
from interwild_ros.ros.diagnostics import (
    CameraState,
    diagnostics_message,
    InputState,
    NodeState,
)
from interwild_ros.ros.meter import FrameTimes, Meter
from interwild_ros.ros.subscribing import Offer
from interwild_ros.testing.some_hands import some_card
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from std_msgs.msg import Header

CAMERA = Offer(node='/cam', kind='sensor_msgs/msg/Image', is_reliable=True, is_latched=False)
TIMES = FrameTimes(
    decode_ms=1.0,
    networks_ms=20.0,
    placement_ms=2.0,
    messages_ms=0.5,
    overhead_ms=3.5,
    latency_ms=31.0,
)


@pytest.fixture
def meter():
    meter = Meter()
    meter.count_arrival()
    meter.count_published(TIMES)
    return meter


@pytest.fixture
def state(meter):
    camera_input = InputState(
        topic='/image',
        publishers=(CAMERA,),
        incompatible_events=0,
        calibration='calibrated',
        silence=None,
    )
    return NodeState(
        lifecycle='active',
        is_enabled=True,
        cameras=[CameraState(CameraNames(), meter.figures(), camera_input)],
        card=replace(some_card(), weights_meaningful=True, warnings=()),
    )


def with_figures(state, figures):
    (camera,) = state.cameras
    return replace(state, cameras=[replace(camera, figures=figures)])


def with_input(state, **changes):
    (camera,) = state.cameras
    return replace(state, cameras=[replace(camera, input=replace(camera.input, **changes))])


def figures_of(state):
    (camera,) = state.cameras
    return camera.figures


def statuses(state):
    message = diagnostics_message(Header(), '/hands_node', state)
    message = deserialize_message(serialize_message(message), DiagnosticArray)
    return {status.name.removeprefix('/hands_node: '): status for status in message.status}


def values(state):
    return {pair.key: pair.value for s in statuses(state).values() for pair in s.values}


def test_all_is_well_with_hands_camera_and_model(state):
    found = statuses(state)
    assert sorted(found) == ['camera', 'hands', 'model']
    assert {status.level for status in found.values()} == {DiagnosticStatus.OK}
    assert '31 ms from image stamp' in found['hands'].message
    assert found['camera'].hardware_id == '/image'


def test_every_figure_that_was_promised_is_there_once(state):
    found = statuses(state)
    keys = [pair.key for status in found.values() for pair in status.values]
    assert len(keys) == len(set(keys))
    for key in (
        'input_rate_hz',
        'output_rate_hz',
        'latency_p50_ms',
        'latency_p95_ms',
        'latency_max_ms',
        'frames_dropped',
        'frames_skipped',
        'bad_frames',
        'last_frame_age_sec',
        'device',
        'variant',
        'weights',
        'weights_meaningful',
        'hand_model',
        'hand_model_is_stand_in',
        'camera_info',
        'overhead_ms',
        'networks_ms',
    ):
        assert key in keys
    assert values(state)['latency_p50_ms'] == '31.000'
    assert values(state)['weights_meaningful'] == 'true'


def test_of_several_cameras_each_has_its_own_statuses(state):
    (camera,) = state.cameras
    dropped = replace(camera.figures, frames_dropped=7)
    wrist = replace(camera, names=CameraNames('wrist'), figures=dropped)
    cameras = [replace(camera, names=CameraNames('front')), wrist]
    message = diagnostics_message(Header(), '/hands_node', replace(state, cameras=cameras))
    found = {status.name: status for status in message.status}
    assert sorted(found) == [
        '/hands_node/front: camera',
        '/hands_node/front: hands',
        '/hands_node/wrist: camera',
        '/hands_node/wrist: hands',
        '/hands_node: model',
    ]
    drops = [
        {pair.key: pair.value for pair in found[f'/hands_node/{name}: camera'].values}
        for name in ('front', 'wrist')
    ]
    assert [values['frames_dropped'] for values in drops] == ['0', '7']


def test_an_unconfigured_node_only_says_so(state):
    cameras = [replace(camera, input=None) for camera in state.cameras]
    state = replace(state, lifecycle='unconfigured', cameras=cameras, card=None)
    (status,) = statuses(state).values()
    assert status.level == DiagnosticStatus.OK
    assert status.message == 'idle: the node is unconfigured'


@pytest.mark.parametrize(
    ('change', 'reason'),
    [({'lifecycle': 'inactive'}, 'inactive'), ({'is_enabled': False}, '~/enable')],
)
def test_an_idle_node_does_not_complain(state, change, reason):
    silent = with_input(state, silence='nobody publishes /image')
    found = statuses(replace(silent, **change))
    assert found['camera'].level == found['hands'].level == DiagnosticStatus.OK
    assert reason in found['hands'].message


def test_silence_is_an_error_with_its_reason(state):
    status = statuses(with_input(state, silence='nobody publishes /image'))['camera']
    assert status.level == DiagnosticStatus.ERROR
    assert status.message == 'no images: nobody publishes /image'


def test_bad_frames_are_a_warning_with_their_causes(state, meter):
    meter.count_bad('zero_size')
    state = with_figures(state, meter.figures())
    status = statuses(state)['camera']
    assert status.level == DiagnosticStatus.WARN
    assert '1 x zero_size' in status.message
    assert values(state)['bad_frames'] == values(state)['bad_frames.zero_size'] == '1'


@pytest.mark.parametrize(
    ('change', 'part'),
    [
        ({'publishers': (CAMERA, replace(CAMERA, node='/b'))}, '2 publishers'),
        ({'calibration': 'nominal'}, 'no camera_info'),
    ],
)
def test_doubtful_input_is_a_warning(state, change, part):
    status = statuses(with_input(state, **change))['camera']
    assert status.level == DiagnosticStatus.WARN
    assert part in status.message


def test_stamps_of_another_clock_give_no_latency_to_boast_of(state):
    figures = replace(figures_of(state), latency_ms=(1.7e12, 1.7e12, 1.7e12))
    status = statuses(with_figures(state, figures))['hands']
    assert status.level == DiagnosticStatus.WARN
    assert 'latency is unknown' in status.message


def test_images_without_results_are_a_warning_and_no_images_are_stale(state):
    stuck = replace(figures_of(state), output_rate_hz=0.0, input_rate_hz=30.0)
    assert statuses(with_figures(state, stuck))['hands'].level == DiagnosticStatus.WARN
    waiting = replace(stuck, input_rate_hz=0.0)
    assert statuses(with_figures(state, waiting))['hands'].level == DiagnosticStatus.STALE


def test_the_model_warns_in_its_own_words(state):
    status = statuses(replace(state, card=some_card()))['model']
    assert status.level == DiagnosticStatus.WARN
    assert status.message == 'these hands mean nothing'
