"""Go through a bag once, from its beginning, also where damage shows only on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from interwild_ros.bag.damage import Stored
from interwild_ros.bag.sturdy import DamagedBagError, SturdyReader


def forward(bag: SturdyReader, topics: Collection[str]) -> Iterator[Stored]:
    """Yield every message of some topics once, in the order of the bag.

    Where the bag turns out damaged it is salvaged, and gone through again: what was given of a
    topic before is not given again.

    :raises AssetError: when nothing can be salvaged.
    """
    given: Counter[str] = Counter()
    try:
        for message in bag.messages(topics):
            given[message.topic] += 1
            yield message
        bag.check_all_came({topic: given[topic] for topic in topics})
    except DamagedBagError as error:
        bag.salvage(str(error))
        yield from _rest(bag, topics, given)


def first_received_ns(bag: SturdyReader) -> int | None:
    """Return when the first message of a bag arrived; None where there is none."""
    first = next(forward(bag, bag.topics), None)
    return None if first is None else first.received_ns


def _rest(bag: SturdyReader, topics: Collection[str], given: Counter[str]) -> Iterator[Stored]:
    left = Counter(given)
    for message in bag.messages(topics):
        if left[message.topic]:
            left[message.topic] -= 1
        else:
            yield message
