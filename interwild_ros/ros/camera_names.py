"""What the topics and frames of a camera are called, be it the node's only one or one of several.

What is `~/two_hands` of the only camera is `~/front/two_hands` of one that is called front.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from interwild_ros.config import Settings


@dataclass(frozen=True)
class CameraNames:
    """The names of one camera; `camera` is empty for the only one, whose names bear no prefix."""

    camera: str = ''

    def __str__(self) -> str:
        """Return how a log begins that is about this camera alone."""
        return f'{self.camera}: ' if self.camera else ''

    def input(self, name: str) -> str:
        """Return the name of a topic that is listened to, such as `image`."""
        return f'{self._prefix}{name}'

    def own(self, name: str) -> str:
        """Return the private name of a topic or service of the node, such as `two_hands`."""
        return f'~/{self._prefix}{name}'

    def below(self, node_name: str) -> str:
        """Return what stands in the node's place in the full names of these topics."""
        return f'{node_name}/{self._prefix}'.rstrip('/')

    def settings(self, settings: Settings) -> Settings:
        """Return the node's settings as they are for this camera: no two share a TF frame."""
        return replace(
            settings,
            tf_prefix=f'{settings.tf_prefix}{self._prefix}',
            fallback_frame_id=f'{self._prefix}{settings.fallback_frame_id}',
        )

    @property
    def _prefix(self) -> str:
        return f'{self.camera}/' if self.camera else ''


def cameras_of(settings: Settings) -> tuple[CameraNames, ...]:
    """Return the cameras that a node of these settings serves: at least one."""
    return tuple(map(CameraNames, settings.cameras or ('',)))
