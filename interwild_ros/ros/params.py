"""Settings as ROS parameters: declared with help, unit and range, read back, watched.

A node writes `settings = declare(self, Settings)` and, for what may change while it runs,
`watch(self, lambda: self.settings, self.apply)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
import sys
from typing import Any, TypeVar

from interwild_ros.config import CameraSettings, Setting, Settings, settings_of
from interwild_ros.errors import SettingError
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

S = TypeVar('S', Settings, CameraSettings)

_INT_LIMIT = 2**63 - 1


def declare(node: Node, kind: type[S]) -> S:
    """Declare every setting of a dataclass as a parameter, and return their values.

    A parameter that is declared already keeps its value, so a lifecycle node may call this each
    time it is configured.

    :raises SettingError: when values from the command line, a file or a launch file are refused:
        all of them, with the wanted range and type.
    """
    values, problems = {}, []
    for setting in settings_of(kind):
        try:
            values[setting.name] = _declare_one(node, setting)
        except SettingError as error:
            problems.append(str(error))
    if problems:
        raise SettingError('; '.join(problems))
    return kind(**values)


def watch(node: Node, get_settings: Callable[[], S], apply: Callable[[S], None]) -> None:
    """Check parameters that are set while the node runs, and hand over the new settings.

    A value is refused with a reason that names it and what was wanted; of several set at once
    all are taken or none. `apply` is called in the executor's thread, once for each set of
    changes, and only with settings that were checked.
    """

    def refuse(parameters: Iterable[Parameter]) -> SetParametersResult:
        try:
            _changed(get_settings(), parameters)
        except SettingError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def take(parameters: Iterable[Parameter]) -> None:
        current = get_settings()
        settings = _changed(current, parameters)
        if settings != current:
            apply(settings)

    def refuse_or_take(parameters: Iterable[Parameter]) -> SetParametersResult:
        result = refuse(parameters)
        if result.successful:
            take(parameters)
        return result

    # Humble has no callback after the change: there a later callback's refusal comes too late.
    if hasattr(node, 'add_post_set_parameters_callback'):
        node.add_on_set_parameters_callback(refuse)
        node.add_post_set_parameters_callback(take)
    else:
        node.add_on_set_parameters_callback(refuse_or_take)


def _declare_one(node: Node, setting: Setting) -> Any:
    """Declare one parameter and return its value in the setting's type."""
    if not node.has_parameter(setting.name):
        try:
            node.declare_parameter(setting.name, setting.default, _descriptor(setting))
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise SettingError(f'{error}, wanted {setting.range_text()}') from error
    return setting.check(_from_ros(setting, node.get_parameter(setting.name).value))


def _changed(settings: S, parameters: Iterable[Parameter]) -> S:
    """Return settings with those parameters that are settings changed, others left alone."""
    known = {setting.name: setting for setting in settings_of(type(settings))}
    changes = {p.name: _from_ros(known[p.name], p.value) for p in parameters if p.name in known}
    changed: S = settings.changed(changes)
    return changed


def _from_ros(setting: Setting, value: Any) -> Any:
    """Return a value as the setting's type has it where ROS has another.

    A whole number is text where text is wanted: `-p source:=0` is how people say it. An empty
    list in a parameter file comes as a parameter that is not set.
    """
    if setting.type is tuple and value is None:
        return ()
    if setting.type is str and type(value) is int:
        return str(value)
    return value


def _descriptor(setting: Setting) -> ParameterDescriptor:
    """Describe a setting to ROS.

    Typing is dynamic so that 30 does for 30.0 and 0 for '0', which static typing refuses, and so
    that a wrong type is refused in the same words everywhere: the check is the setting's own.
    """
    descriptor = ParameterDescriptor(
        name=setting.name,
        description=f'{setting.help} [{setting.unit}]' if setting.unit else setting.help,
        additional_constraints=setting.range_text(),
        read_only=setting.fixed,
        dynamic_typing=True,
    )
    if setting.low is None and setting.high is None:
        return descriptor
    if setting.type is int:
        low, high = _bounds(setting, -_INT_LIMIT, _INT_LIMIT)
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    else:
        low, high = _bounds(setting, -sys.float_info.max, sys.float_info.max)
        bounds = FloatingPointRange(from_value=float(low), to_value=float(high))
        descriptor.floating_point_range = [bounds]
    return descriptor


def _bounds(setting: Setting, lowest: float, highest: float) -> tuple[float, float]:
    """Return the range with an open end closed by the type's own limit."""
    low = lowest if setting.low is None else setting.low
    high = highest if setting.high is None else setting.high
    return low, high
