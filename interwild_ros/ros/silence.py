"""Say why no image comes: in sentences, from what the ROS graph knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from interwild_ros.ros.subscribing import Ask, Offer

_SHOWN_TOPICS = 3


@dataclass(frozen=True)
class Listening:
    """What is known of the topic that brings no image.

    `name` is what the node calls it, to be remapped; `elsewhere` lists other topics with pictures
    of either type, as (topic, type).
    """

    name: str
    topic: str
    kind: str
    offers: Sequence[Offer]
    ask: Ask | None
    incompatible_events: int
    incompatible_policy: str
    elsewhere: Sequence[tuple[str, str]]


def explain(listening: Listening) -> str:
    """Return why no image comes, as far as it can be known."""
    fitting = [offer for offer in listening.offers if offer.kind == listening.kind]
    others = [offer for offer in listening.offers if offer.kind != listening.kind]
    sentences = []
    if fitting:
        sentences.append(_of_publishers(listening, fitting))
    elif not others:
        sentences.append(f'nobody publishes {listening.topic} ({listening.kind})')
    sentences += [
        f'{other} publishes {other.kind} on {listening.topic}, wanted {listening.kind}'
        for other in others
    ]
    if not fitting:
        sentences += _of_elsewhere(listening)
    return '; '.join(sentences)


def _of_publishers(listening: Listening, offers: Sequence[Offer]) -> str:
    names = ', '.join(map(str, offers))
    count = f'{len(offers)} publisher{"s" if len(offers) > 1 else ""}'
    known = f'{listening.topic} has {count}: {names}'
    deaf_to = [offer for offer in offers if _asks_too_much(listening.ask, offer)]
    if deaf_to:
        return (
            f'{known}; we ask for reliable, which {deaf_to[0].node} does not offer '
            f'({listening.incompatible_events} incompatible-QoS events, policy '
            f'{listening.incompatible_policy or "unknown"}): '
            'set qos_reliability to auto or best_effort'
        )
    return f'{known}; our QoS fits, but nothing was sent'


def _asks_too_much(ask: Ask | None, offer: Offer) -> bool:
    return ask is not None and ask.is_reliable and not offer.is_reliable


def _of_elsewhere(listening: Listening) -> list[str]:
    same = [topic for topic, kind in listening.elsewhere if kind == listening.kind]
    other = [topic for topic, kind in listening.elsewhere if kind != listening.kind]
    sentences = []
    if same:
        topics = ', '.join(same[:_SHOWN_TOPICS])
        sentences.append(f'pictures are published on {topics}: remap {listening.name} to it')
    if other:
        transport = 'raw' if listening.kind.endswith('CompressedImage') else 'compressed'
        topics = ', '.join(other[:_SHOWN_TOPICS])
        sentences.append(f'{topics} would do with image_transport set to {transport}')
    return sentences
