"""Which topics of a bag are played, under which names, and why others are not; pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from interwild_ros.bag.outgoing import TOPOLOGY
from interwild_ros.bag.read import TopicInfo
from interwild_ros.errors import AssetError

CLOCK = '/clock'
_ALWAYS_LATCHED = ('/tf_static', '/robot_description')


@dataclass(frozen=True)
class Choice:
    """What is asked of a bag's topics.

    `topics` are the only ones to play, all where it is empty; `excluded` are not played; `needed`
    are played in any case. `names` says under which names topics are played. `node` is the full
    name of the hands node that runs meanwhile, empty for none. `tells_time` says that /clock is
    not the bag's.
    """

    topics: Collection[str] = ()
    excluded: Collection[str] = ()
    needed: Collection[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    node: str = ''
    tells_time: bool = True


@dataclass(frozen=True)
class Playlist:
    """The topics that are played with their names there, and why others that were wanted are not.

    `latched` are those that are played so that who comes late hears them too.
    """

    names: Mapping[str, str]
    left_out: Mapping[str, str]
    latched: frozenset[str]


def playlist_of(
    topics: Mapping[str, TopicInfo],
    choice: Choice,
    *,
    latched: Collection[str] = (),
    obstacle: Callable[[str], str] = lambda kind: '',
) -> Playlist:
    """Return what to play of a bag.

    :param latched: the topics that were recorded as latched.
    :param obstacle: says why messages of a type cannot be played; nothing when they can.
    :raises AssetError: for topics that the bag does not have, or when nothing is left to play.
    """
    _check_names(topics, choice)
    names = {topic: choice.names.get(topic, topic) for topic in _wanted(topics, choice)}
    reasons = {
        topic: _collision(name, choice) or obstacle(topics[topic].kind)
        for topic, name in names.items()
    }
    left_out = {topic: reason for topic, reason in reasons.items() if reason}
    played = {topic: name for topic, name in names.items() if topic not in left_out}
    if not played:
        raise AssetError(f'nothing is left to play{_told(left_out)}')
    always = {topic for topic in played if _is_always_latched(topic, topics[topic])}
    return Playlist(played, left_out, frozenset((always | {*latched}) & played.keys()))


def is_below(name: str, node: str) -> bool:
    """Return whether a topic is a private one of a node."""
    return bool(node) and name.startswith(f'{node}/')


def _check_names(topics: Mapping[str, TopicInfo], choice: Choice) -> None:
    asked = {*choice.topics, *choice.excluded, *choice.names}
    missing = sorted(asked - topics.keys())
    if missing:
        known = ', '.join(sorted(topics)) or 'none'
        raise AssetError(f'the bag has no topic {", ".join(missing)}, only {known}')
    lost = sorted({*choice.needed} & {*choice.excluded})
    if lost:
        raise AssetError(f'{", ".join(lost)} cannot be excluded: the hands node needs it')


def _wanted(topics: Mapping[str, TopicInfo], choice: Choice) -> list[str]:
    chosen = {*(choice.topics or topics), *choice.needed} - {*choice.excluded}
    return [topic for topic in sorted(chosen) if topics[topic].count]


def _collision(name: str, choice: Choice) -> str:
    if is_below(name, choice.node):
        return f'{choice.node} publishes it anew'
    if name == CLOCK and choice.tells_time:
        return 'the player tells the time'
    return ''


def _is_always_latched(topic: str, info: TopicInfo) -> bool:
    return info.kind == TOPOLOGY or topic.endswith(_ALWAYS_LATCHED)


def _told(left_out: Mapping[str, str]) -> str:
    told = '; '.join(f'{topic}: {reason}' for topic, reason in left_out.items())
    return f': {told}' if told else ''
