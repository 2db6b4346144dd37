"""The package's errors: each message names what was wrong and both values, found and wanted."""

from __future__ import annotations


class InterwildError(Exception):
    """Root of every error that this package raises on purpose."""


class InputError(InterwildError):
    """A picture, camera or stamp that cannot be used: the frame is counted and skipped."""

    def __init__(self, cause: str, message: str) -> None:
        """Keep a short cause beside the message.

        :param cause: snake_case word under which the frame is counted, such as `bad_encoding`.
        :param message: what was wrong, with the value found and the value wanted.
        """
        super().__init__(message)
        self.cause = cause

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str]]:
        """Let other processes hear of it."""
        return type(self), (self.cause, str(self))


class AssetError(InterwildError):
    """A model, weight or data file that is missing, damaged, forbidden or of the wrong kind."""


class SettingError(InterwildError):
    """A setting with a value of the wrong type or out of its range."""


class DeviceError(InterwildError):
    """A device that was required and is not there."""


class NodeError(InterwildError):
    """A node's process that died, or that did not say in time what it was started for."""


class TrainingError(InterwildError):
    """Training that cannot go on: a loss that is no number, or a checkpoint that does not fit."""
