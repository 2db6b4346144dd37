"""Say how the node is: three statuses for /diagnostics, with sentences and figures.

Keys are unique over all statuses, so that a recording can be read as one table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from interwild_ros.records import ModelCard
from interwild_ros.ros.meter import Figures, WINDOW_SEC
from interwild_ros.ros.subscribing import Offer
from std_msgs.msg import Header

# Beyond this the image's stamps are not of our clock: a recording, or a camera with its own.
_CREDIBLE_LATENCY_MS = 3.6e6


@dataclass(frozen=True)
class InputState:
    """What is known of the pictures that come in.

    `calibration` is FrameReader's word for the camera; `silence` says why nothing comes, when
    nothing does.
    """

    topic: str
    publishers: Sequence[Offer]
    incompatible_events: int
    calibration: str
    silence: str | None


@dataclass(frozen=True)
class NodeState:
    """Everything that diagnostics tell. `input` and `card` are None until it is configured."""

    lifecycle: str
    is_enabled: bool
    figures: Figures
    input: InputState | None
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
    """Return the state of the node as a message."""
    statuses = [_hands_status(state)]
    if state.input is not None:
        statuses.append(_camera_status(state, state.input))
    if state.card is not None:
        statuses.append(_model_status(state.card))
    return DiagnosticArray(
        header=header, status=[_status_message(node_name, status) for status in statuses]
    )


def _hands_status(state: NodeState) -> Status:
    figures = state.figures
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
    level, message = _hands_verdict(state)
    return Status('hands', level, message, values)


def _hands_verdict(state: NodeState) -> tuple[bytes, str]:
    figures = state.figures
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


def _camera_status(state: NodeState, camera: InputState) -> Status:
    figures = state.figures
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
    level, message = _camera_verdict(state, camera)
    return Status('camera', level, message, values, hardware=camera.topic)


def _camera_verdict(state: NodeState, camera: InputState) -> tuple[bytes, str]:
    figures = state.figures
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


def _status_message(node_name: str, status: Status) -> DiagnosticStatus:
    return DiagnosticStatus(
        level=status.level,
        name=f'{node_name}: {status.part}',
        message=status.message,
        hardware_id=status.hardware,
        values=[KeyValue(key=key, value=_text(value)) for key, value in status.values.items()],
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'{value:.3f}' if isinstance(value, float) else str(value)
