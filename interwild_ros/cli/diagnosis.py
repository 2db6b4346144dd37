"""What is installed, which assets are there, and what is missing for a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
import os
import platform
from typing import Any

from interwild_ros.config import Settings
from interwild_ros.errors import InterwildError

MANO_SOURCE = (
    'https://mano.is.tue.mpg.de after registration, under its own licence; '
    'name the folder by --mano-dir or INTERWILD_MANO_DIR'
)
WEIGHTS_SOURCE = (
    'the InterWild project page, CC BY-NC 4.0; name the file by --weights (parameter weights)'
)
_WHEELS = 'pip install -r requirements/ros-jazzy.txt, or a sourced ROS 2'
_MESSAGES = 'pip install . beside ROS 2, or colcon build'
_RUNTIME = 'pip install -r requirements/runtime.txt'
_FULL_ROS = 'a full ROS 2: rosdep install'

# name of the module, name of the distribution
_LIBRARIES = (
    ('numpy', 'numpy'),
    ('scipy', 'scipy'),
    ('torch', 'torch'),
    ('cv2', 'opencv-python-headless'),
    ('smplx', 'smplx'),
    ('safetensors', 'safetensors'),
    ('rosbags', 'rosbags'),
    ('yaml', 'pyyaml'),
)
_INTERFACES = (
    'diagnostic_msgs.msg',
    'geometry_msgs.msg',
    'lifecycle_msgs.msg',
    'rosgraph_msgs.msg',
    'sensor_msgs.msg',
    'std_msgs.msg',
    'std_srvs.srv',
    'visualization_msgs.msg',
)
_OPTIONAL_ROS = {
    'cv_bridge': 'else our own decoding is used',
    'launch_ros': 'needed for hands.launch.py only',
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    `part` groups findings. `needed` says that nothing runs without it. `source` says where it
    comes from when it is missing. `sha256` names the files of an asset.
    """

    part: str
    name: str
    found: bool
    detail: str
    needed: bool = True
    source: str = ''
    sha256: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """All findings, in the order to be read."""

    findings: tuple[Finding, ...]

    @property
    def missing(self) -> tuple[Finding, ...]:
        """Return what has to be there and is not."""
        return tuple(f for f in self.findings if f.needed and not f.found)

    @property
    def is_ready(self) -> bool:
        """Return whether everything needed for a run is there."""
        return not self.missing


def diagnose(settings: Settings) -> Diagnosis:
    """Look for everything that a run with these settings needs or could use."""
    return Diagnosis(
        (
            *_libraries(),
            *_ros(),
            _device(settings),
            _hand_model(settings),
            _weights(settings),
        )
    )


def _libraries() -> Iterator[Finding]:
    yield Finding('library', 'python', True, platform.python_version())
    for module, distribution in _LIBRARIES:
        yield _imported('library', module, source=_RUNTIME, distribution=distribution)


def _ros() -> Iterator[Finding]:
    rclpy = _imported('ROS 2', 'rclpy', source=_WHEELS)
    yield rclpy
    if rclpy.found:
        yield Finding('ROS 2', 'distribution', True, _distribution(), needed=False)
        yield _middleware()
    for module in _INTERFACES:
        yield _imported('ROS 2', module.partition('.')[0], module=module, source=_WHEELS)
    yield _imported('ROS 2', 'tf2_msgs', module='tf2_msgs.msg', source=_MESSAGES)
    yield _imported('ROS 2', 'interwild_ros.msg', source=_MESSAGES, attribute='TwoHands')
    for package, otherwise in _OPTIONAL_ROS.items():
        yield _imported('ROS 2', package, needed=False, source=f'{_FULL_ROS}; {otherwise}')


def _imported(
    part: str,
    name: str,
    *,
    source: str,
    needed: bool = True,
    module: str = '',
    attribute: str = '',
    distribution: str = '',
) -> Finding:
    try:
        loaded = import_module(module or name)
        if attribute:
            getattr(loaded, attribute)
    except (ImportError, OSError, AttributeError) as error:  # a library may be there and broken
        reason = (str(error).splitlines() or [''])[0]
        return Finding(part, name, False, reason, needed=needed, source=source)
    version = _version(loaded, distribution or name)
    return Finding(part, name, True, version, needed=needed)


def _version(module: Any, distribution: str) -> str:
    own = getattr(module, '__version__', '')
    if own:
        return str(own)
    for name in (distribution, f'ros-{distribution.replace("_", "-")}'):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return 'found'


def _distribution() -> str:
    return os.environ.get('ROS_DISTRO', '') or 'not sourced: ROS 2 from PyPI'


def _middleware() -> Finding:
    try:
        name = import_module('rclpy').get_rmw_implementation_identifier()
    except (ImportError, OSError, RuntimeError) as error:
        return Finding('ROS 2', 'middleware', False, str(error), source=_WHEELS)
    return Finding('ROS 2', 'middleware', True, str(name))


def _device(settings: Settings) -> Finding:
    try:
        torch = import_module('torch')
        choose = import_module('interwild_ros.pipeline.device').choose_device
        device, warnings = choose(settings.device, require_gpu=settings.require_gpu)
    except (ImportError, OSError, InterwildError) as error:
        return Finding('device', 'device', False, str(error), source=_RUNTIME)
    if device.type == 'cuda':
        detail = f'{device}: {torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}'
    else:
        detail = '; '.join([f'{device}: {torch.get_num_threads()} threads', *warnings])
    return Finding('device', 'device', True, detail)


def _hand_model(settings: Settings) -> Finding:
    try:
        find = import_module('interwild_ros.hand_model.mano_file').find_hand_models
        right, left = find(settings.mano_dir)
    except (ImportError, OSError, InterwildError) as error:
        return Finding('asset', 'hand model', False, str(error), source=MANO_SOURCE)
    return Finding(
        'asset',
        'hand model',
        True,
        f'{right.name}: no measured human hand' if right.is_stand_in else right.name,
        source=MANO_SOURCE if right.is_stand_in else '',
        sha256=(right.sha256, left.sha256),
    )


def _weights(settings: Settings) -> Finding:
    try:
        build = import_module('interwild_ros.networks.checkpoint').build_networks
        networks, weights = build(settings.variant, settings.weights)
    except (ImportError, OSError, InterwildError) as error:
        return Finding('asset', 'weights', False, str(error), source=WEIGHTS_SOURCE)
    meaning = '' if weights.meaningful else ': hands made with them mean nothing'
    return Finding(
        'asset',
        'weights',
        True,
        f'{weights.name}, {networks.variant.name} networks{meaning}',
        source='' if weights.meaningful else WEIGHTS_SOURCE,
        sha256=(weights.sha256,) if weights.sha256 else (),
    )
