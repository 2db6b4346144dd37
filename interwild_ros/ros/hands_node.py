"""The hands node: images in; hands, markers, TF, overlay and diagnostics out."""

from __future__ import annotations

from functools import partial
import gc
import traceback
from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray
from interwild_ros.config import Settings
from interwild_ros.errors import InterwildError, SettingError
from interwild_ros.openmp import wait_passively
from interwild_ros.records import ModelCard
from interwild_ros.ros.camera_names import CameraNames, cameras_of
from interwild_ros.ros.diagnostics import CameraState, diagnostics_message, NodeState
from interwild_ros.ros.meter import Meter
from interwild_ros.ros.params import declare, watch
from interwild_ros.ros.roomy_memory import use_roomy_memory
from interwild_ros.ros.stop_signals import Stopped, StopSignals
import rclpy
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.logging import get_logger
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import ok, try_shutdown
from std_msgs.msg import Header
from std_srvs.srv import SetBool, Trigger

if TYPE_CHECKING:
    from interwild_ros.ros.session import Session

NAME = 'hands_node'
_TICK_SEC = 0.25
_DIAGNOSTICS_SEC = 1.0
_SPIN_SEC = 0.1


class HandsNode(LifecycleNode):
    """A lifecycle node around a Session, which lives from configure to cleanup."""

    def __init__(self, stop: StopSignals) -> None:
        """Declare the parameters and begin to tell diagnostics.

        :param stop: tells when loading is to be broken off.
        :raises SettingError: for parameters that are refused.
        """
        super().__init__(NAME)
        self._stop = stop
        self.settings = declare(self, Settings)
        watch(self, lambda: self.settings, self._apply)
        self._session: Session | None = None
        self._lifecycle = 'unconfigured'
        self._is_enabled = True
        self._meters = {names: Meter() for names in cameras_of(self.settings)}
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        # Silence must be noticed also where /clock stands still.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_TICK_SEC, self._tick, clock=steady)
        self.create_timer(_DIAGNOSTICS_SEC, self._tell_diagnostics, clock=steady)
        self.create_service(SetBool, '~/enable', self._enable)
        self.create_service(Trigger, '~/reset', self._reset)
        for names in self._meters:  # the operator stands before one camera
            calibrate = partial(self._calibrate, names)
            self.create_service(Trigger, names.own('calibrate_hand_size'), calibrate)

    def start(self) -> bool:
        """Configure and activate without a lifecycle manager; return whether that went well."""
        success = TransitionCallbackReturn.SUCCESS
        return bool(self.trigger_configure() == success and self.trigger_activate() == success)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load networks and hand models, and make the publishers."""
        try:
            self._session = self._load()
        except (InterwildError, ImportError) as error:
            self.get_logger().error(f'cannot configure: {error}')
            return TransitionCallbackReturn.FAILURE
        except Stopped:
            self.get_logger().info('told to stop while loading')
            return TransitionCallbackReturn.FAILURE
        except Exception:  # rclpy would swallow it without a word
            self.get_logger().fatal(traceback.format_exc())
            raise
        self._introduce(self._session.card)
        _leave_alone_what_stays()
        self._lifecycle = 'inactive'
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen for images."""
        self._lifecycle = 'active'
        self._open_or_close()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening and publishing."""
        self._lifecycle = 'inactive'
        self._open_or_close()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the networks."""
        self.end_session()
        self._lifecycle = 'unconfigured'
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything."""
        self.end_session()
        self._lifecycle = 'finalized'
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to the beginning."""
        return self.on_cleanup(state)

    def end_session(self) -> None:
        """End threads and publishers, if there are any."""
        if self._session is not None:
            self._session.destroy()
            self._session = None
            gc.unfreeze()

    def _load(self) -> Session:
        # Importing torch takes seconds: before this the node is on the graph and answers.
        with self._stop.breaking_off():
            from interwild_ros.pipeline.pipeline import load_pipeline
            from interwild_ros.pipeline.warm_up import warm_up
            from interwild_ros.ros.session import Session

            pipeline = load_pipeline(self.settings)
            warm_up(pipeline)
        return Session(self, pipeline, self._meters)

    def _introduce(self, card: ModelCard) -> None:
        self.get_logger().info(
            f'{card.variant} networks with the weights {card.weights!r} and the hand model '
            f'{card.hand_model!r} on {card.device} by {card.engine}'
        )
        for warning in card.warnings:
            self.get_logger().warning(warning)

    def _open_or_close(self) -> None:
        if self._session is None:
            return
        if self._lifecycle == 'active' and self._is_enabled:
            self._session.open()
        else:
            self._session.close()

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if request.data != self._is_enabled:
            self._is_enabled = request.data
            self._open_or_close()
        word = 'enabled' if self._is_enabled else 'disabled'
        response.success, response.message = True, f'{word}; the node is {self._lifecycle}'
        self.get_logger().info(response.message)
        return response

    def _reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self._session is None:
            response.success = False
            response.message = f'nothing to reset: the node is {self._lifecycle}'
            return response
        self._session.reset()
        response.success, response.message = True, 'what earlier frames said is forgotten'
        return response

    def _calibrate(
        self, names: CameraNames, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        """Measure the operator's palm on a camera's last frames, and go by it from now on."""
        from interwild_ros.tracking.hand_size import Measured

        response.success = False
        if self._session is None:
            response.message = f'nothing to measure: the node is {self._lifecycle}'
            return response
        measured = self._session.measure_palm(names)
        if not isinstance(measured, Measured):
            response.message = measured.reason
            return response
        length_m = round(measured.palm_length_m, 4)
        self.set_parameters([Parameter('palm_length_m', value=length_m)])
        response.success = True
        response.message = (
            f'palm_length_m is {length_m}: {measured.frames} frames, '
            f'which scatter by {1000 * measured.std_m:.1f} mm'
        )
        self.get_logger().info(response.message)
        return response

    def _apply(self, settings: Settings) -> None:
        self.settings = settings
        if self._session is not None:
            self._session.apply(settings)

    def _tick(self) -> None:
        if self._session is not None:
            self._session.tick()

    def _tell_diagnostics(self) -> None:
        session = self._session
        state = NodeState(
            lifecycle=self._lifecycle,
            is_enabled=self._is_enabled,
            cameras=[
                CameraState(
                    names=names,
                    figures=meter.figures(),
                    input=None if session is None else session.input_state(names),
                )
                for names, meter in self._meters.items()
            ],
            card=None if session is None else session.card,
        )
        header = Header(stamp=self.get_clock().now().to_msg())
        self._diagnostics.publish(
            diagnostics_message(header, self.get_fully_qualified_name(), state)
        )


def _leave_alone_what_stays() -> None:
    """Keep the garbage collector off all that was loaded, among which it would find nothing.

    Walking its 200 000 objects stops every thread for a tenth of a second, in some frame or other.
    """
    gc.collect()
    gc.freeze()


def main(args: list[str] | None = None) -> int:
    """Run the node until it is told to stop; return the exit code."""
    wait_passively()
    use_roomy_memory()
    with StopSignals() as stop:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        try:
            return _run(stop)
        except SettingError as error:
            get_logger(NAME).error(f'cannot start: {error}')
            return 1
        finally:
            try_shutdown()


def _run(stop: StopSignals) -> int:
    node = HandsNode(stop)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        if node.settings.autostart and not node.start():
            return 0 if stop.came else 1
        while ok() and not stop.came:
            executor.spin_once(timeout_sec=_SPIN_SEC)
        return 0
    finally:
        node.end_session()
        executor.shutdown()
        node.destroy_node()


if __name__ == '__main__':
    raise SystemExit(main())
