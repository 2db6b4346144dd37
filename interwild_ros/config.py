"""Every setting of the node, once: default, help, unit and range.

ROS parameters, command-line flags and the README's table are made from these fields. A field's
description lives in its metadata as a `Setting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
import math
import re
from typing import Any

from interwild_ros.errors import SettingError

_KEY = 'setting'
_NAME = re.compile('[A-Za-z_][A-Za-z0-9_]*')  # of a topic between two slashes


@dataclass(frozen=True)
class Setting:
    """What a person needs to know of one setting.

    `low` and `high` are inclusive and in `unit`; `choices` lists all allowed texts; a setting of
    type tuple is a list, of numbers when it `has_numbers`, else of names, each once and fit for a
    topic; `fixed` settings are read when the node is configured and cannot change after that.
    """

    name: str
    type: type
    default: Any
    help: str
    unit: str = ''
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    has_numbers: bool = False
    fixed: bool = False

    def check(self, value: Any) -> Any:
        """Return the value in the setting's own type.

        :raises SettingError: when the type is another, or the value is out of range; the message
            names the setting, the value and what was wanted.
        """
        value = self._typed(value)
        if self.has_numbers:
            self._check_numbers(value)
        elif self.type is tuple:
            self._check_names(value)
        if self.choices and value not in self.choices:
            raise SettingError(
                f'{self.name} is {value!r}, wanted one of {", ".join(self.choices)}'
            )
        too_low = self.low is not None and value < self.low
        too_high = self.high is not None and value > self.high
        if too_low or too_high or (self.type is float and not math.isfinite(value)):
            raise SettingError(f'{self.name} is {value}, wanted {self.range_text()}')
        return value

    def range_text(self) -> str:
        """Return the allowed values as a person reads them; empty when anything goes."""
        if self.choices:
            return ' | '.join(self.choices)
        if self.type is tuple:
            return 'numbers' if self.has_numbers else 'different names of letters, digits and _'
        if self.low is None and self.high is None:
            return ''
        if self.high is None:
            return f'at least {self.low:g}'
        if self.low is None:
            return f'at most {self.high:g}'
        return f'{self.low:g} to {self.high:g}'

    def _typed(self, value: Any) -> Any:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if self.type is float and is_number:
            return float(value)
        if self.type is tuple and isinstance(value, list):
            return tuple(value)
        if type(value) is not self.type:
            wanted = 'list' if self.type is tuple else self.type.__name__
            raise SettingError(
                f'{self.name} is {value!r} ({type(value).__name__}), wanted {wanted}'
            )
        return value

    def _check_numbers(self, numbers: tuple[Any, ...]) -> None:
        bad = [n for n in numbers if type(n) not in (int, float) or not math.isfinite(n)]
        if bad:
            raise SettingError(
                f'{self.name} has {", ".join(map(repr, bad))}, wanted {self.range_text()}'
            )

    def _check_names(self, names: tuple[Any, ...]) -> None:
        bad = [name for name in names if not (isinstance(name, str) and _NAME.fullmatch(name))]
        if bad:
            raise SettingError(
                f'{self.name} has {", ".join(map(repr, bad))}, wanted names of letters, digits '
                'and _ that do not begin with a digit'
            )
        doubled = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if doubled:
            raise SettingError(
                f'{self.name} has {", ".join(map(repr, doubled))} more than once, wanted each '
                'name once'
            )


def setting(default: Any, help: str, **rest: Any) -> Any:
    """Return a dataclass field that knows its description; `rest` are fields of Setting."""
    return field(default=default, metadata={_KEY: {'help': help, **rest}})


def settings_of(kind: type) -> tuple[Setting, ...]:
    """Return the description of every field of a settings dataclass, in order."""
    return tuple(
        Setting(name=f.name, type=type(f.default), default=f.default, **f.metadata[_KEY])
        for f in fields(kind)
    )


class Checked:
    """A settings dataclass checks every value at birth, and says all that is wrong at once."""

    def __post_init__(self) -> None:
        problems = []
        for described in settings_of(type(self)):
            try:
                value = described.check(getattr(self, described.name))
                object.__setattr__(self, described.name, value)
            except SettingError as error:
                problems.append(str(error))
        if problems:
            raise SettingError('; '.join(problems))

    def changed(self, changes: Mapping[str, Any]) -> Any:
        """Return a copy with some settings changed.

        :raises SettingError: for a name that does not exist or a value that is refused.
        """
        known = {f.name for f in fields(self)}  # type: ignore[arg-type]
        unknown = sorted(set(changes) - known)
        if unknown:
            raise SettingError(f'no setting is called {", ".join(unknown)}')
        return replace(self, **changes)  # type: ignore[type-var]


@dataclass(frozen=True)
class Settings(Checked):
    """The settings of the hands node and of everything that runs its pipeline."""

    variant: str = setting(
        'auto',
        'network sizes; auto takes what the weights file is of, without one compact',
        choices=('auto', 'official', 'compact'),
        fixed=True,
    )
    weights: str = setting(
        '',
        'checkpoint file; empty takes the weights that ship with the package; rule-made: '
        'meaningless ones of any size, which any variant without weights has',
        fixed=True,
    )
    mano_dir: str = setting(
        '',
        'folder with MANO_RIGHT and MANO_LEFT (.pkl or .npz); empty takes INTERWILD_MANO_DIR, '
        'else the stand-in hand model',
        fixed=True,
    )
    axis_angle: str = setting(
        'auto',
        'matrix to axis-angle as the released weights were trained (legacy: angles may pass pi) '
        'or as PyTorch3D does since 0.7.6 (canonical); auto takes what the variant was trained '
        'with: official legacy, compact canonical',
        choices=('auto', 'legacy', 'canonical'),
        fixed=True,
    )
    device: str = setting('auto', 'where the networks run: auto, cpu, cuda or cuda:N', fixed=True)
    require_gpu: bool = setting(
        False, 'refuse to start without a GPU, where else a warning is given', fixed=True
    )
    threads: int = setting(
        0,
        'CPU threads of the networks; 0 leaves the choice to PyTorch',
        low=0,
        high=256,
        fixed=True,
    )
    engine: str = setting(
        'auto',
        'what runs the networks: auto takes openvino on a CPU where it is installed, else torch; '
        'cuda_graphs is for GPUs',
        choices=('auto', 'torch', 'openvino', 'cuda_graphs'),
        fixed=True,
    )
    precision: str = setting(
        'float32',
        'of the networks that read the hands; bfloat16 is quicker, and moves meshes by tenths '
        'of a millimetre, single vertices by one or two',
        choices=('float32', 'bfloat16'),
        fixed=True,
    )
    cameras: tuple[str, ...] = setting(
        (),
        'names of several cameras that one node serves with the same networks: NAME/image in, '
        '~/NAME/two_hands out; empty serves one, without a name',
        fixed=True,
    )
    image_transport: str = setting(
        'raw',
        'raw subscribes to image as sensor_msgs/Image, compressed to image/compressed',
        choices=('raw', 'compressed'),
        fixed=True,
    )
    qos_reliability: str = setting(
        'auto',
        'reliability asked of the image publisher; auto takes what the publisher offers',
        choices=('auto', 'reliable', 'best_effort'),
        fixed=True,
    )
    every_frame: bool = setting(
        False,
        'work on every frame in order (replay) and never drop; else only on the newest one (live)',
        fixed=True,
    )
    autostart: bool = setting(
        True, 'configure and activate at start, without a lifecycle manager', fixed=True
    )
    image_is_rectified: bool = setting(
        False, 'the image topic is rectified: use P of camera_info instead of K and D'
    )
    nominal_fov_deg: float = setting(
        60.0,
        'horizontal field of view assumed until camera_info arrives; placement is then nominal',
        unit='deg',
        low=10.0,
        high=170.0,
    )
    fallback_frame_id: str = setting(
        'camera_optical_frame', 'frame of images whose header names none'
    )
    region_x: int = setting(0, 'left edge of the region of interest', unit='px', low=0, high=32767)
    region_y: int = setting(0, 'top edge of the region of interest', unit='px', low=0, high=32767)
    region_width: int = setting(
        0, 'width of the region of interest; 0 is the whole frame', unit='px', low=0, high=32767
    )
    region_height: int = setting(
        0, 'height of the region of interest; 0 is the whole frame', unit='px', low=0, high=32767
    )
    region_scale: float = setting(
        1.0,
        'margin around the region: side of the networks view over side of the region (the '
        'original puts 1.25 around the box of a person)',
        low=0.5,
        high=4.0,
    )
    crop_source: str = setting(
        'frame',
        'cut hand crops from the full-resolution frame, or from the input of the networks '
        '(network: exact parity with the original)',
        choices=('frame', 'network'),
    )
    mirrored_image: bool = setting(
        False, 'the image is mirrored, as by a selfie camera: swap left and right back'
    )
    min_score: float = setting(
        0.0,
        'score under which a hand counts as absent; 0 takes what suits the networks: 0.5 where '
        'it is a probability (compact), none where it is the peak of a softmax over 3072 cells',
        low=0.0,
        high=1.0,
    )
    max_reprojection_px: float = setting(
        0.0,
        'reprojection error over which a hand counts as absent; 0 never refuses',
        unit='px',
        low=0.0,
        high=10000.0,
    )
    placement: str = setting(
        'auto',
        'each wrist by itself (apart); both with left_from_right held exactly (together); auto: '
        'each by itself, then drawn towards left_from_right by how sure each of these is',
        choices=('auto', 'apart', 'together'),
    )
    follow: bool = setting(
        True,
        'follow hands from frame to frame: crops from the last joints, presence by several '
        'frames, filters; without it every picture stands for itself',
    )
    detect_every: int = setting(
        10,
        'frames between two looks of the detector while both hands are followed; on doubt it '
        'looks at once, and for a missing hand every third frame',
        low=1,
        high=100_000,
    )
    longest_gap_ms: float = setting(
        500.0,
        'time between two frames above which hands are sought anew and filters begin anew',
        unit='ms',
        low=1.0,
        high=60_000.0,
    )
    filtered: bool = setting(
        True, 'steady what is published with the settings below; ~/two_hands_raw never is'
    )
    # Found with bench/steady.py. A lower cutoff steadies a still hand, a higher beta lags less on
    # a fast one. The distance is several times as noisy as the direction, and so has its own.
    direction_cutoff_hz: float = setting(
        0.3, "cutoff of a still wrist's direction from the camera", unit='Hz', low=1e-3, high=1e3
    )
    direction_beta: float = setting(
        10.0, 'cutoff gained with its speed', unit='Hz per rad/s', low=0.0, high=1e6
    )
    distance_cutoff_hz: float = setting(
        0.3, "cutoff of a still wrist's distance", unit='Hz', low=1e-3, high=1e3
    )
    distance_beta: float = setting(
        8.0, 'cutoff gained with its speed', unit='Hz per m/s', low=0.0, high=1e6
    )
    rotation_cutoff_hz: float = setting(
        0.3, "cutoff of a still wrist's rotation", unit='Hz', low=1e-3, high=1e3
    )
    rotation_beta: float = setting(
        1.5, 'cutoff gained with its speed', unit='Hz per rad/s', low=0.0, high=1e6
    )
    fingers_cutoff_hz: float = setting(
        0.5, 'cutoff of still fingers', unit='Hz', low=1e-3, high=1e3
    )
    fingers_beta: float = setting(
        2.0, 'cutoff gained with their speed', unit='Hz per rad/s', low=0.0, high=1e6
    )
    outlier_floor_m: float = setting(
        0.02,
        'standard deviation of the wrist over the last frames that is assumed at least: four '
        'times as far off it is an outlier',
        unit='m',
        low=1e-4,
        high=10.0,
    )
    freeze_shape_after: int = setting(
        50, 'good frames after which the shape of a hand is held; 0 never', low=0, high=1_000_000
    )
    palm_length_m: float = setting(
        0.0,
        "operator's distance from the wrist joint to the middle knuckle, which scales the hand "
        'and its distance; 0 takes what the networks see; ~/calibrate_hand_size measures it',
        unit='m',
        low=0.0,
        high=0.2,
    )
    calibration_distance_m: float = setting(
        0.0,
        'distance at which the operator holds the hand for ~/calibrate_hand_size; 0 takes depth',
        unit='m',
        low=0.0,
        high=10.0,
    )
    use_depth: bool = setting(
        False, 'subscribe to depth, aligned to image: 16UC1 in mm or 32FC1 in m', fixed=True
    )
    depth_slop_ms: float = setting(
        20.0,
        'difference of stamps up to which depth belongs to an image',
        unit='ms',
        low=0.0,
        high=10_000.0,
    )
    depth_wait_ms: float = setting(
        20.0,
        'time that an image waits for its depth; what is later is not used',
        unit='ms',
        low=0.0,
        high=10_000.0,
    )
    joint_frames: bool = setting(
        False, 'send a TF frame of every joint too: <hand>_<joint>, below the frame of the hand'
    )
    tf_prefix: str = setting('', 'text before the TF frames right_hand and left_hand')
    marker_lifetime_sec: float = setting(
        0.4,
        'time after which RViz drops a marker that is not renewed',
        unit='s',
        low=0.0,
        high=60.0,
    )
    silence_sec: float = setting(
        3.0, 'time without an image after which the node says why', unit='s', low=0.1, high=3600.0
    )
    overlay_quality: int = setting(
        80, 'JPEG quality of ~/overlay/compressed', unit='%', low=1, high=100
    )


@dataclass(frozen=True)
class CameraSettings(Checked):
    """The settings of the camera node."""

    source: str = setting(
        '', 'a video file, a folder of pictures, or the number of a webcam', fixed=True
    )
    image_transport: str = setting(
        'raw',
        'publish image, image/compressed, or both',
        choices=('raw', 'compressed', 'both'),
        fixed=True,
    )
    camera_info: str = setting(
        '',
        'calibration file (yaml of camera_calibration); empty makes one from fov_deg',
        fixed=True,
    )
    fov_deg: float = setting(
        60.0,
        'horizontal field of view where there is no calibration file',
        unit='deg',
        low=10.0,
        high=170.0,
        fixed=True,
    )
    frame_id: str = setting('camera_optical_frame', 'frame_id of every header', fixed=True)
    rate_hz: float = setting(
        0.0,
        'frames a second; 0 takes the file or the webcam rate (30 for pictures)',
        unit='Hz',
        low=0.0,
        high=1000.0,
        fixed=True,
    )
    pace: str = setting(
        'real_time',
        'real_time keeps the rate; consumed sends the next frame when the last was worked on',
        choices=('real_time', 'consumed'),
        fixed=True,
    )
    loop: bool = setting(False, 'begin again at the end', fixed=True)
    publish_clock: bool = setting(
        False, 'publish the frame stamps on /clock, for use_sim_time', fixed=True
    )
    stamps: str = setting(
        'now',
        'stamp frames with the time of sending, or with their time in the file, from 0 s',
        choices=('now', 'file'),
        fixed=True,
    )
    jpeg_quality: int = setting(
        90, 'quality of image/compressed', unit='%', low=1, high=100, fixed=True
    )
    wait_for_subscribers: int = setting(
        1,
        'subscribers to wait for before the first frame; 0 starts at once',
        low=0,
        high=100,
        fixed=True,
    )
