"""Play a recorded bag with /clock for hands_node, which works on every frame, and show it in RViz.

All arguments of hands.launch.py hold here too; `ros2 launch` lists them with --show-args.
"""

from pathlib import Path

from ament_index_python.packages import get_package_prefix, PackageNotFoundError
from interwild_ros.bag.cameras import Wanted
from interwild_ros.bag.one_camera import frame_id_of, is_compressed, one_camera
from interwild_ros.bag.sturdy import open_sturdy
from interwild_ros.errors import AssetError
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetLaunchConfiguration,
    Shutdown,
)
from launch.event_handlers import OnProcessExit
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, ThisLaunchFileDir
from launch_ros.substitutions import ExecutableInPackage

PACKAGE = 'interwild_ros'
COMPRESSED = '/compressed'
CONSUMED, REAL_TIME = 'consumed', 'real_time'

# The arguments of hands.launch.py that the bag and the pace decide on.
DECIDED = ('cameras', 'image', 'image_transport', 'camera_info', 'fixed_frame', 'every_frame')


def generate_launch_description() -> LaunchDescription:
    """Return what `ros2 launch` runs: the arguments, hands_node with RViz, and the player."""
    hands = IncludeLaunchDescription(
        PythonLaunchDescriptionSource([ThisLaunchFileDir(), '/hands.launch.py']),
        launch_arguments=[
            *((name, LaunchConfiguration(f'found_{name}')) for name in DECIDED),
            ('use_sim_time', 'true'),
        ],
    )
    return LaunchDescription(
        [
            *arguments(),
            OpaqueFunction(function=look_into_bag),
            OpaqueFunction(function=look_for_rviz),
            hands,
            OpaqueFunction(function=player),
        ]
    )


def arguments() -> list[DeclareLaunchArgument]:
    """Return the arguments that hands.launch.py does not have, or has with another default."""
    return [
        DeclareLaunchArgument('bag', description='the rosbag2 to play: a folder or a file'),
        _argument(
            'camera', '', 'image topic to work on; must be given for bags of several cameras'
        ),
        _argument('camera_info', '', 'topic of its calibration; empty takes the one beside it'),
        _argument('rate', '1.0', 'how fast to play: 2.0 is twice as fast'),
        _argument('start_offset', '0.0', 'how many seconds into the bag to begin'),
        _argument('loop', 'false', 'begin again at the end of the bag'),
        _argument(
            'pace',
            CONSUMED,
            'consumed: the node works on every frame, and playing waits for it; '
            'real_time: the time of the bag is kept, and frames may be dropped',
            choices=[CONSUMED, REAL_TIME],
        ),
        _argument('stay', 'false', 'keep the node and RViz when the bag is over'),
        _argument('rviz', 'true', 'start RViz with the overlay, the meshes and TF'),
        _argument('namespace', '', 'namespace of the node and of all its topics'),
        _argument('python', '', 'Python that runs the node and the player'),
    ]


def look_into_bag(context: LaunchContext) -> list[Action]:
    """Set what hands.launch.py is told by what is in the bag."""
    given = context.launch_configurations
    images = tuple(filter(None, [given['camera']]))
    with open_sturdy(_bag(context)) as bag:
        camera = one_camera(bag, Wanted(images=images, info=given['camera_info']))
        compressed = is_compressed(bag, camera)
        frame_id = frame_id_of(bag, camera)
    if compressed and not camera.image.endswith(COMPRESSED):
        raise AssetError(
            f'{camera.image} holds compressed pictures, and does not end with {COMPRESSED}: play '
            f'it with `interwild play`'
        )
    image = camera.image.removesuffix(COMPRESSED) if compressed else camera.image
    found = {
        'cameras': '',  # but one is played
        'image': image,
        'image_transport': 'compressed' if compressed else 'raw',
        # Without a calibration a name that nobody publishes: another camera's would be wrong.
        'camera_info': camera.info or f'{image}/camera_info',
        'fixed_frame': frame_id,
        'every_frame': str(given['pace'] == CONSUMED).lower(),
    }
    told = {'player_camera': camera.image, 'player_camera_info': camera.info}
    return [
        *(SetLaunchConfiguration(name, topic) for name, topic in told.items()),
        *(SetLaunchConfiguration(f'found_{k}', v) for k, v in found.items()),
    ]


def look_for_rviz(context: LaunchContext) -> list[Action]:
    """Say so where RViz is wanted and not installed, and go on without it."""
    if not _is_true(context, 'rviz'):
        return []
    try:
        get_package_prefix('rviz2')
    except PackageNotFoundError:
        return [
            LogInfo(msg='rviz2 is not installed: the bag is played without it'),
            SetLaunchConfiguration('rviz', 'false'),
        ]
    return []


def player(context: LaunchContext) -> list[Action]:
    """Return the player, and the end of everything when it is at the end of the bag."""
    given = context.launch_configurations
    namespace = given['namespace'].strip('/')
    words = [
        *('play', str(_bag(context)), '--camera', given['player_camera']),
        *('--hands-node', '/'.join(['', *filter(None, [namespace, 'hands_node'])])),
        *('--rate', given['rate'], '--start-offset', given['start_offset']),
        *('--pace', given['pace']),
        *(['--camera-info', given['player_camera_info']] if given['player_camera_info'] else []),
        *(['--loop'] if _is_true(context, 'loop') else []),
    ]
    process = ExecuteProcess(
        cmd=[ExecutableInPackage(executable='interwild', package=PACKAGE), *words],
        name='player',
        prefix=LaunchConfiguration('python'),
        output='screen',
    )
    if _is_true(context, 'stay'):
        return [process]
    said = LogInfo(msg='the player has ended, and so does everything else')
    end = OnProcessExit(target_action=process, on_exit=[said, Shutdown()])
    return [RegisterEventHandler(end), process]


def _bag(context: LaunchContext) -> Path:
    return Path(context.launch_configurations['bag']).expanduser().absolute()


def _is_true(context: LaunchContext, name: str) -> bool:
    return context.launch_configurations[name].lower() in ('true', '1')


def _argument(name: str, default: str, description: str, **rest: object) -> DeclareLaunchArgument:
    return DeclareLaunchArgument(name, default_value=default, description=description, **rest)
