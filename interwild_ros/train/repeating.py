"""Samples that are drawn once and seen several times, altered each time: drawing costs less.

Which sample comes where follows from the index alone. What was drawn is kept for its later turns;
a process that did not draw it (another worker, a resumed run) draws it again, and gets the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from interwild_ros.train.streams import Stream
import torch

Alter = Callable[[Any, Sequence[int]], Any]

# Drawn samples between two turns of one: many batches, and a tenth of a gigabyte of crops. A power
# of two, so that where workers take batches in turn the one that drew a sample gets it again.
DISTANCE = 1024


class RepeatingStream:
    """A stream in which every sample of another one has several turns."""

    def __init__(
        self, drawn: Stream[Any], alter: Alter, turns: int, distance: int = DISTANCE
    ) -> None:
        """Keep the parts.

        :param drawn: the stream of new samples; its batches are tuples of tensors.
        :param alter: changes a batch for turns after the first, given the indices of this stream.
        :param distance: new samples between two turns.
        """
        self._drawn, self._alter = drawn, alter
        self._turns, self._distance = turns, distance
        self._kept: dict[int, Any] = {}

    def draw(self, indices: Sequence[int]) -> Any:
        """Return the samples of these indices as one batch, those with their first turn first."""
        first = [i for i in indices if i % self._turns == 0]
        later = [i for i in indices if i % self._turns]
        rows = self._rows([self._number(i) for i in (*first, *later)])
        batches = []
        if first:
            batches.append(_joined(rows[: len(first)]))
        if later:
            batches.append(self._alter(_joined(rows[len(first) :]), later))
        return type(batches[0])(*(torch.cat(parts) for parts in zip(*batches, strict=True)))

    def _number(self, index: int) -> int:
        """Return which drawn sample an index shows; the first ones come again at once."""
        slot, turn = divmod(index, self._turns)
        back = turn * self._distance
        return slot - back if slot >= back else slot

    def _rows(self, numbers: Sequence[int]) -> list[Any]:
        missing = sorted({number for number in numbers if number not in self._kept})
        if missing:
            drawn = self._drawn.draw(missing)
            rows = zip(missing, *drawn, strict=True)
            self._kept |= {number: type(drawn)(*row) for number, *row in rows}
            self._forget(missing[-1])
        return [self._kept[number] for number in numbers]

    def _forget(self, newest: int) -> None:
        oldest = newest - self._turns * self._distance
        for number in [n for n in self._kept if n < oldest]:
            del self._kept[number]


def _joined(rows: Sequence[Any]) -> Any:
    return type(rows[0])(*(torch.stack(parts) for parts in zip(*rows, strict=True)))
