"""Start hands_node, and RViz when asked; `ros2 launch` lists the arguments with --show-args."""

from typing import Any

from interwild_ros.config import Setting, Settings, settings_of
from interwild_ros.ros.camera_names import CameraNames, cameras_of
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare
import yaml

PACKAGE = 'interwild_ros'
CONFIG = (FindPackageShare(PACKAGE), 'config')

# The settings that differ from robot to robot; the params_file sets all of them.
SETTING_NAMES = (
    'cameras',
    'image_transport',
    'every_frame',
    'variant',
    'weights',
    'mano_dir',
    'device',
    'autostart',
)
SETTINGS = [setting for setting in settings_of(Settings) if setting.name in SETTING_NAMES]


def generate_launch_description() -> LaunchDescription:
    """Return what `ros2 launch` runs: the arguments, hands_node and RViz."""
    return LaunchDescription([*arguments(), OpaqueFunction(function=nodes)])


def nodes(context: LaunchContext) -> list[Node]:
    """Return the node for the cameras that were given, and RViz, which shows the first of them."""
    cameras = cameras_of(Settings(cameras=_names(context)))
    return [hands_node(context, cameras), rviz(cameras[0])]


def arguments() -> list[DeclareLaunchArgument]:
    """Return every launch argument with its default and its description."""
    return [
        _argument('namespace', '', 'namespace of the node and of all its topics'),
        _argument(
            'image',
            'image',
            'image topic, with cameras below the name of each; /compressed is added for '
            'image_transport',
        ),
        _argument(
            'camera_info', 'camera_info', 'topic of the calibration of that image, likewise'
        ),
        *map(_setting_argument, SETTINGS),
        _argument('rviz', 'false', 'start RViz with the overlay, the meshes and TF'),
        _argument(
            'fixed_frame', 'camera_optical_frame', 'frame that RViz stands in: that of the images'
        ),
        _argument(
            'use_sim_time', 'false', 'take the time from /clock, as in replay or simulation'
        ),
        _argument(
            'params_file',
            PathJoinSubstitution([*CONFIG, 'hands.yaml']),
            'parameter file; the arguments above win over it',
        ),
        _argument('log_level', 'info', 'debug, info, warn, error or fatal'),
        _argument(
            'python',
            '',
            'Python that runs the node, such as that of a virtual environment with PyTorch; '
            'empty runs the installed executable as it is',
        ),
    ]


def hands_node(context: LaunchContext, cameras: tuple[CameraNames, ...]) -> Node:
    """Return the node with those settings that were given; the others are the params_file's."""
    given = {
        setting.name: _value(setting, context)
        for setting in SETTINGS
        if context.launch_configurations[setting.name]
    }
    return Node(
        package=PACKAGE,
        executable='hands_node',
        name='hands_node',
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            LaunchConfiguration('params_file'),
            {'use_sim_time': _use_sim_time(), **given},
        ],
        remappings=[rule for camera in cameras for rule in _inputs(camera)],
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        prefix=LaunchConfiguration('python'),
        output='screen',
    )


def rviz(camera: CameraNames) -> Node:
    """Return RViz with our layout, looking at a camera of the node in its namespace."""
    topics = ('markers', 'overlay')
    return Node(
        package='rviz2',
        executable='rviz2',
        namespace=LaunchConfiguration('namespace'),
        arguments=[
            '-d',
            PathJoinSubstitution([*CONFIG, 'hands.rviz']),
            '-f',
            LaunchConfiguration('fixed_frame'),
        ],
        parameters=[{'use_sim_time': _use_sim_time()}],
        # The layout's names are absolute; without the slash they are the namespace's.
        remappings=[
            (f'/hands_node/{topic}', f'{camera.below("hands_node")}/{topic}') for topic in topics
        ],
        condition=IfCondition(LaunchConfiguration('rviz')),
    )


def _names(context: LaunchContext) -> list[str]:
    """Return the names of several cameras, if they were given."""
    return yaml.safe_load(context.launch_configurations['cameras']) or []


def _inputs(camera: CameraNames) -> list[tuple[str, Any]]:
    """Return what the node's names of a camera's topics stand for."""
    image, info = (
        [camera.input(''), LaunchConfiguration(name)] for name in ('image', 'camera_info')
    )
    return [
        (camera.input('image'), image),
        (camera.input('image/compressed'), [*image, '/compressed']),
        (camera.input('camera_info'), info),
    ]


def _value(setting: Setting, context: LaunchContext) -> Any:
    if setting.type is tuple:
        return _names(context)
    return ParameterValue(LaunchConfiguration(setting.name), value_type=setting.type)


def _use_sim_time() -> ParameterValue:
    return ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)


def _argument(name: str, default: object, description: str) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(name, default_value=default, description=description)


def _setting_argument(setting: Setting) -> DeclareLaunchArgument:
    what = f'{setting.help}. Not given: as in params_file'
    return _argument(setting.name, '', what)
