"""Where pictures and camera_info come in: topics, transports, QoS, and the reason for silence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from interwild_ros.config import Settings
from interwild_ros.ros.camera_names import CameraNames, cameras_of
from interwild_ros.ros.silence import explain, Listening
from interwild_ros.ros.subscribing import FollowingSubscription, Gate, kind_name, Offer, Wish
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

IMAGE_TOPIC = 'image'
CAMERA_INFO_TOPIC = 'camera_info'
DEPTH_TOPIC = 'depth'
_DEPTH_QUEUE = 5
_PICTURE_KINDS = (kind_name(Image), kind_name(CompressedImage))


class ImageInput:
    """A camera's subscriptions: to image, camera_info and, where it is wanted, depth."""

    def __init__(
        self,
        node: Node,
        names: CameraNames,
        settings: Settings,
        *,
        on_image: Callable[[bytes], None],
        on_camera_info: Callable[[CameraInfo], None],
        on_depth: Callable[[Image], None],
        has_room: Callable[[], bool],
    ) -> None:
        """Prepare the subscriptions; `follow` makes them and keeps them fit.

        :param on_image: takes the serialised message. Where the camera is faster than we are, most
            pictures are dropped, so none is unpacked in the executor's thread.
        :param has_room: asked before an image is taken when every frame counts.
        """
        self._node = node
        self._names = names
        self._settings = settings
        self.image = FollowingSubscription(
            node,
            CompressedImage if self._is_compressed else Image,
            self._topic_of(names),
            on_image,
            Wish(settings.qos_reliability, depth=None if settings.every_frame else 1),
            Gate(has_room) if settings.every_frame else None,
            as_bytes=True,
        )
        self.camera_info = FollowingSubscription(
            node,
            CameraInfo,
            node.resolve_topic_name(names.input(CAMERA_INFO_TOPIC)),
            on_camera_info,
            Wish(takes_latched=True),
        )

        self.depth = None
        if settings.use_depth:
            self.depth = FollowingSubscription(
                node,
                Image,
                node.resolve_topic_name(names.input(DEPTH_TOPIC)),
                on_depth,
                Wish(settings.qos_reliability, depth=_DEPTH_QUEUE),
            )

    def follow(self) -> bool:
        """Look who publishes now and subscribe accordingly; return whether images are new."""
        publishers = [offer.node for offer in self.image.offers]
        # Calibration first: the first picture should find it.
        made = [s for s in (self.camera_info, self.depth, self.image) if s and s.follow()]
        for subscription in made:
            self._node.get_logger().info(f'subscribed to {describe(subscription)}')
        if self.has_several_publishers and publishers != [o.node for o in self.image.offers]:
            self._node.get_logger().warning(
                f'{len(self.image.offers)} publishers send pictures on {self.image.topic}, '
                f'which will be mixed: {names_of(self.image.offers)}'
            )
        return self.image in made

    @property
    def has_several_publishers(self) -> bool:
        """Return whether pictures of several cameras may be mixed on the topic."""
        return len(self.image.offers) > 1

    def close(self) -> None:
        """Stop listening."""
        self.image.close()
        self.camera_info.close()
        if self.depth:
            self.depth.close()

    def explain_silence(self) -> str:
        """Return why no image comes."""
        image = self.image
        return explain(
            Listening(
                name=self._names.input(IMAGE_TOPIC),
                topic=image.topic,
                kind=image.kind,
                offers=image.offers,
                ask=image.ask,
                incompatible_events=image.incompatible_events,
                incompatible_policy=image.incompatible_policy,
                elsewhere=self._pictures_elsewhere(),
            )
        )

    def _pictures_elsewhere(self) -> list[tuple[str, str]]:
        drawn_here = f'{self._node.get_fully_qualified_name()}/'
        served = [self._topic_of(names) for names in cameras_of(self._settings)]
        return [
            (topic, kind)
            for topic, kinds in self._node.get_topic_names_and_types()
            for kind in kinds
            if kind in _PICTURE_KINDS
            and topic not in served
            and not topic.startswith(drawn_here)
            and self._node.count_publishers(topic)
        ]

    def _topic_of(self, names: CameraNames) -> str:
        return image_topic(self._node, names.input(IMAGE_TOPIC), is_compressed=self._is_compressed)

    @property
    def _is_compressed(self) -> bool:
        return self._settings.image_transport == 'compressed'


def image_topic(node: Node, name: str = IMAGE_TOPIC, *, is_compressed: bool) -> str:
    """Return the resolved name of an image topic.

    As with image_transport, remapping `image` moves `image/compressed` along with it, unless that
    was remapped itself.
    """
    image = node.resolve_topic_name(name)
    if not is_compressed:
        return str(image)
    compressed = node.resolve_topic_name(f'{name}/compressed')
    unmapped = node.resolve_topic_name(f'{name}/compressed', only_expand=True)
    return str(compressed) if compressed != unmapped else f'{image}/compressed'


def describe(subscription: FollowingSubscription) -> str:
    """Return topic, publishers and QoS of a subscription in words."""
    ask = subscription.ask
    if ask is None:
        return f'{subscription.topic}: not subscribed, no publisher yet'
    reliability = 'reliable' if ask.is_reliable else 'best effort'
    return f'{subscription.topic} ({reliability}), published by {names_of(subscription.offers)}'


def names_of(offers: Sequence[Offer]) -> str:
    """Return the publishers' names and reliability, or nobody."""
    return ', '.join(map(str, offers)) or 'nobody yet'
