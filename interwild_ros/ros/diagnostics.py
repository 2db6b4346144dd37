"""Say how the node is: two statuses a camera and one of the model for /diagnostics.

They hold sentences and figures. Keys are unique over the statuses of a camera and the model's, so
that a recording of one camera can be read as one table; the name says which camera a status is of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from interwild_ros.records import ModelCard
from interwild_ros.ros.camera_names import CameraNames
from interwild_ros.ros.meter import Figures, WINDOW_SEC
from interwild_ros.ros.subscribing import Offer
from std_msgs.msg import Header

# Beyond this the image's stamps are not of our clock: a recording, or a camera with its own.
_CREDIBLE_LATENCY_MS = 3.6e6


@dataclass(frozen=True)
class InputState:
    """What is known of the pictures that come in from a camera.

    `calibration` is FrameReader's word for the camera; `silence` says why nothing comes, when
    nothing does.
    """

    topic: str
    publishers: Sequence[Offer]
    incompatible_events: int
    calibration: str
    silence: str | None


@dataclass(frozen=True)
class CameraState:
    """What is known of one camera. `input` is None until the node is configured."""

    names: CameraNames
    figures: Figures
    input: InputState | None


@dataclass(frozen=True)
class NodeState:
    """Everything that diagnostics tell. `card` is None until the node is configured."""

    lifecycle: str
    is_enabled: bool
    cameras: Sequence[CameraState]
    card: ModelCard | None

    @property
    def is_working(self) -> bool:
        """Return whether frames are being worked on."""
        return self.lifecycle == 'active' and self.is_enabled


@dataclass(frozen=True)
class Status:
    """One line of a diagnostics viewer, before it is a message."""

    part: str
    level: bytes
    message: str
    values: Mapping[str, object]
    hardware: str = ''


def diagnostics_message(header: Header, node_name: str, state: NodeState) -> DiagnosticArray:
    """Return the state of the node as a message.

    :param node_name: the full name; what is of a camera with a name is said under both.
    """
    statuses = []
    for camera in state.cameras:
        about = camera.names.below(node_name)
        statuses.append(_status_message(about, _hands_status(state, camera.figures)))
        if camera.input is not None:
            status = _camera_status(state, camera.figures, camera.input)
            statuses.append(_status_message(about, status))
    if state.card is not None:
        statuses.append(_status_message(node_name, _model_status(state.card)))
    return DiagnosticArray(header=header, status=statuses)


def _hands_status(state: NodeState, figures: Figures) -> Status:
    values: dict[str, object] = {
        'state': state.lifecycle,
        'enabled': state.is_enabled,
        'frames_out': figures.frames_out,
        'output_rate_hz': figures.output_rate_hz,
        'latency_p50_ms': 'unknown',
        'latency_p95_ms': 'unknown',
        'latency_max_ms': 'unknown',
    }
    if figures.latency_ms is not None:
        p50, p95, longest = figures.latency_ms
        values.update(latency_p50_ms=p50, latency_p95_ms=p95, latency_max_ms=longest)
    if figures.median is not None:
        values.update({k: v for k, v in asdict(figures.median).items() if k != 'latency_ms'})
    level, message = _hands_verdict(state, figures)
    return Status('hands', level, message, values)


def _hands_verdict(state: NodeState, figures: Figures) -> tuple[bytes, str]:
    if not state.is_working:
        return DiagnosticStatus.OK, _why_idle(state)
    if not figures.output_rate_hz:
        if figures.input_rate_hz:
            return DiagnosticStatus.WARN, f'no frame was finished in {WINDOW_SEC:g} s'
        return DiagnosticStatus.STALE, 'waiting for images'
    latency = figures.latency_ms
    if latency is None or not 0 <= latency[0] <= _CREDIBLE_LATENCY_MS:
        return (
            DiagnosticStatus.WARN,
            f'{figures.output_rate_hz:.1f} Hz; latency is unknown: '
            "the images' stamps are not of this node's clock",
        )
    return (
        DiagnosticStatus.OK,
        f'{figures.output_rate_hz:.1f} Hz, {latency[0]:.0f} ms from image stamp to publishing',
    )


def _why_idle(state: NodeState) -> str:
    if state.lifecycle != 'active':
        return f'idle: the node is {state.lifecycle}'
    return 'idle: switched off by ~/enable'


def _camera_status(state: NodeState, figures: Figures, camera: InputState) -> Status:
    age = figures.last_frame_age_sec
    values: dict[str, object] = {
        'image_topic': camera.topic,
        'publishers': ', '.join(map(str, camera.publishers)),
        'incompatible_qos_events': camera.incompatible_events,
        'input_rate_hz': figures.input_rate_hz,
        'frames_in': figures.frames_in,
        'frames_dropped': figures.frames_dropped,
        'frames_skipped': figures.frames_skipped,
        'last_frame_age_sec': 'unknown' if age is None else age,
        'camera_info': camera.calibration,
        'bad_frames': sum(figures.bad_frames.values()),
        **{f'bad_frames.{cause}': count for cause, count in sorted(figures.bad_frames.items())},
    }
    level, message = _camera_verdict(state, figures, camera)
    return Status('camera', level, message, values, hardware=camera.topic)


def _camera_verdict(state: NodeState, figures: Figures, camera: InputState) -> tuple[bytes, str]:
    if not state.is_working:
        return DiagnosticStatus.OK, _why_idle(state)
    if camera.silence is not None:
        return DiagnosticStatus.ERROR, f'no images: {camera.silence}'
    complaints = [f'{count} x {cause}' for cause, count in figures.recent_bad_frames.items()]
    if complaints:
        complaints = [f'bad frames in the last {WINDOW_SEC:g} s: {", ".join(complaints)}']
    if len(camera.publishers) > 1:
        complaints.append(f'{len(camera.publishers)} publishers send on one topic')
    if figures.frames_in and camera.calibration == 'nominal':
        complaints.append('no camera_info: distances rest on a stated field of view')
    if complaints:
        return DiagnosticStatus.WARN, '; '.join(complaints)
    return DiagnosticStatus.OK, f'{figures.input_rate_hz:.1f} Hz in'


def _model_status(card: ModelCard) -> Status:
    values = {
        'device': card.device,
        'engine': card.engine,
        'variant': card.variant,
        'weights': card.weights,
        'weights_meaningful': card.weights_meaningful,
        'hand_model': card.hand_model,
        'hand_model_is_stand_in': card.hand_model_is_stand_in,
    }
    if card.warnings:
        return Status('model', DiagnosticStatus.WARN, '; '.join(card.warnings), values)
    message = f'{card.variant} networks and {card.hand_model} on {card.device} by {card.engine}'
    return Status('model', DiagnosticStatus.OK, message, values)


def _status_message(about: str, status: Status) -> DiagnosticStatus:
    return DiagnosticStatus(
        level=status.level,
        name=f'{about}: {status.part}',
        message=status.message,
        hardware_id=status.hardware,
        values=[KeyValue(key=key, value=_text(value)) for key, value in status.values.items()],
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'{value:.3f}' if isinstance(value, float) else str(value)
