from interwild_ros.config import CameraSettings, Settings, settings_of
from interwild_ros.errors import SettingError
from interwild_ros.ros.params import declare, watch
import pytest
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import DescribeParameters, SetParameters, SetParametersAtomically
import rclpy
from rclpy.parameter import Parameter


@pytest.fixture
def make_node(ros_node):
    nodes = []

    def make(**overrides):
        given = [Parameter(name, value=value) for name, value in overrides.items()]
        nodes.append(
            rclpy.create_node('declared', context=ros_node.context, parameter_overrides=given)
        )
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()


@pytest.mark.parametrize('kind', [Settings, CameraSettings])
def test_without_overrides_every_setting_has_its_default(make_node, kind):
    assert declare(make_node(), kind) == kind()


def test_an_override_becomes_the_setting(make_node):
    node = make_node(min_score=0.25, crop_source='network', threads=3, mirrored_image=True)
    settings = declare(node, Settings)
    assert (settings.min_score, settings.crop_source) == (0.25, 'network')
    assert (settings.threads, settings.mirrored_image) == (3, True)


def test_a_whole_number_does_for_a_float_and_for_a_text(make_node):
    settings = declare(make_node(rate_hz=30, source=0), CameraSettings)
    assert settings.rate_hz == 30.0
    assert settings.source == '0'


def test_names_of_cameras_come_as_a_list(make_node):
    settings = declare(make_node(cameras=['front', 'wrist']), Settings)
    assert settings.cameras == ('front', 'wrist')


def test_an_empty_list_in_a_parameter_file_is_no_camera_with_a_name(make_node):
    node = make_node(cameras=None)  # as rcl hands it over
    assert declare(node, Settings).cameras == ()


@pytest.mark.parametrize(
    ('names', 'said'),
    [
        ([''], "cameras has '', wanted names"),
        (['front', 'front camera'], "cameras has 'front camera', wanted names"),
        (['2nd'], "cameras has '2nd', wanted names of letters"),
        (['arm/front'], "cameras has 'arm/front', wanted names"),
        (['front', 'wrist', 'front'], "cameras has 'front' more than once"),
        ([1, 2], 'cameras has 1, 2, wanted names'),
        ('front', "cameras is 'front' (str), wanted list"),
    ],
)
def test_bad_names_of_cameras_are_refused_by_name(make_node, names, said):
    with pytest.raises(SettingError) as raised:
        declare(make_node(cameras=names), Settings)
    assert said in str(raised.value)


def test_declaring_twice_keeps_the_values(make_node):
    node = make_node(fov_deg=75.0)
    first, second = declare(node, CameraSettings), declare(node, CameraSettings)
    assert first == second
    assert second.fov_deg == 75.0


@pytest.mark.parametrize('kind', [Settings, CameraSettings])
def test_every_parameter_is_described_by_its_setting(make_node, kind):
    node = make_node()
    declare(node, kind)
    for setting in settings_of(kind):
        descriptor = node.describe_parameter(setting.name)
        assert descriptor.description.startswith(setting.help)
        assert setting.unit in descriptor.description
        assert descriptor.read_only == setting.fixed
        assert descriptor.additional_constraints == setting.range_text()
        ranges = [*descriptor.floating_point_range, *descriptor.integer_range]
        bounds = [(r.from_value, r.to_value) for r in ranges]
        assert bounds == ([] if setting.low is None else [(setting.low, setting.high)])


def test_all_that_is_wrong_at_start_is_said_at_once(make_node):
    node = make_node(min_score=2.0, crop_source='moon', threads='many', mirrored_image=1)
    with pytest.raises(SettingError) as raised:
        declare(node, Settings)
    message = str(raised.value)
    for part in ('min_score', '2.0', '0 to 1', 'crop_source', 'moon', 'network'):
        assert part in message
    for part in ('threads', 'many', 'int', 'mirrored_image', 'bool'):
        assert part in message


@pytest.fixture
def watched(make_node):
    node = make_node()
    seen = [declare(node, Settings)]
    watch(node, lambda: seen[-1], seen.append)
    return node, seen


def test_a_changed_parameter_reaches_the_settings_once(watched):
    node, seen = watched
    assert node.set_parameters([Parameter('min_score', value=0.5)])[0].successful
    assert [s.min_score for s in seen] == [0.0, 0.5]
    assert node.get_parameter('min_score').value == 0.5


def test_setting_the_same_value_again_changes_nothing(watched):
    node, seen = watched
    assert node.set_parameters([Parameter('min_score', value=0.0)])[0].successful
    assert len(seen) == 1


@pytest.mark.parametrize(
    ('name', 'value', 'wanted'),
    [
        ('min_score', 1.5, '1'),
        ('min_score', 2, '0 to 1'),
        ('min_score', float('nan'), '0'),
        ('min_score', 'high', 'float'),
        ('region_x', 0.5, 'int'),
        ('region_x', -1, '0'),
        ('placement', 'beside', 'together'),
        ('mirrored_image', 1, 'bool'),
        ('tf_prefix', 1.5, 'str'),
        ('weights', 'other.pt', 'read-only'),
        ('cameras', ['front'], 'read-only'),
    ],
)
def test_a_refused_change_says_why_and_leaves_everything_as_it_was(watched, name, value, wanted):
    node, seen = watched
    before = node.get_parameter(name).value
    result = node.set_parameters([Parameter(name, value=value)])[0]
    assert not result.successful
    assert name in result.reason
    assert wanted in result.reason
    assert node.get_parameter(name).value == before
    assert len(seen) == 1


def test_a_parameter_cannot_be_taken_away(watched):
    node, seen = watched
    assert not node.set_parameters([Parameter('min_score', Parameter.Type.NOT_SET)])[0].successful
    assert node.has_parameter('min_score')
    assert len(seen) == 1


def test_of_several_set_together_all_are_taken_or_none(watched):
    node, seen = watched
    good, bad = Parameter('min_score', value=0.5), Parameter('region_scale', value=100.0)
    assert not node.set_parameters_atomically([good, bad]).successful
    assert node.get_parameter('min_score').value == 0.0
    assert len(seen) == 1
    good_too = Parameter('region_scale', value=2.0)
    assert node.set_parameters_atomically([good, good_too]).successful
    assert len(seen) == 2


def test_a_refusal_by_another_callback_reaches_no_settings(watched):
    node, seen = watched
    changes = [Parameter('min_score', value=0.5), Parameter('use_sim_time', value='perhaps')]
    assert not node.set_parameters_atomically(changes).successful
    assert len(seen) == 1


def test_parameters_of_others_are_left_alone(watched):
    node, seen = watched
    node.declare_parameter('somebody_elses', 1)
    assert node.set_parameters([Parameter('somebody_elses', value=2)])[0].successful
    assert len(seen) == 1


_DECLARING_NODE = """
import rclpy
from interwild_ros.config import Settings
from interwild_ros.ros.params import declare, watch
rclpy.init()
node = rclpy.create_node('far_away')
seen = [declare(node, Settings)]
watch(node, lambda: seen[-1], seen.append)
print('min_score', seen[0].min_score)
rclpy.spin(node)
"""


def test_another_process_sets_and_describes_parameters_through_dds(
    ros_node, spin_until, start_process
):
    process = start_process('-c', _DECLARING_NODE, '--ros-args', '-p', 'min_score:=0.125')
    process.wait_for('min_score 0.125')

    def call(kind, name, request):
        client = ros_node.create_client(kind, f'/far_away/{name}')
        assert client.wait_for_service(10.0)
        future = client.call_async(request)
        spin_until(future.done)
        return future.result()

    request = DescribeParameters.Request(names=['nominal_fov_deg'])
    (descriptor,) = call(DescribeParameters, 'describe_parameters', request).descriptors
    assert 'field of view' in descriptor.description
    assert descriptor.type == ParameterType.PARAMETER_DOUBLE
    assert descriptor.floating_point_range[0].to_value == 170.0

    def set_to(value) -> ParameterMsg:
        return Parameter('nominal_fov_deg', value=value).to_parameter_msg()

    request = SetParameters.Request(parameters=[set_to(90.0), set_to(500.0)])
    taken, refused = call(SetParameters, 'set_parameters', request).results
    assert taken.successful
    assert not refused.successful
    assert '500' in refused.reason
    request = SetParametersAtomically.Request(parameters=[set_to('wide')])
    answer = call(SetParametersAtomically, 'set_parameters_atomically', request).result
    assert 'wide' in answer.reason
