"""How far training has come, and what the learning rate is there."""

from __future__ import annotations

from bisect import bisect_right
import copy
from dataclasses import dataclass
import math

from interwild_ros.train.recipe_sections import Optimisation, Running

_DROP = 0.1


@dataclass
class Spent:
    """What training has used up: `steps` are batches of this process."""

    steps: int = 0
    seconds: float = 0.0


class Rhythm:
    """When it is time for what is done between steps."""

    def __init__(self, running: Running, spent: Spent) -> None:
        """Begin to count at a point of training."""
        self._every_sec = {
            'log': running.log_every_sec,
            'validate': running.validate_every_sec,
            'checkpoint': running.checkpoint_every_sec,
        }
        self._last_sec = dict.fromkeys(self._every_sec, spent.seconds)
        self._from = copy.copy(spent)

    def is_time(self, job: str, spent: Spent) -> bool:
        """Return whether a job is due, and count it as done then."""
        if spent.seconds - self._last_sec[job] < self._every_sec[job]:
            return False
        self._last_sec[job] = spent.seconds
        return True

    def steps_per_sec(self, spent: Spent) -> float:
        """Return the pace since this was last asked."""
        steps, seconds = spent.steps - self._from.steps, spent.seconds - self._from.seconds
        self._from = copy.copy(spent)
        return steps / max(seconds, 1e-9)


class Schedule:
    """The budget as a clock from 0 to 1, whatever unit it is given in."""

    def __init__(self, optimisation: Optimisation, *, epoch_steps: int = 1) -> None:
        """Keep the choices.

        :param epoch_steps: batches of a process in an epoch.
        """
        self._chosen = optimisation
        self._epoch_steps = epoch_steps

    def fraction(self, spent: Spent) -> float:
        """Return the share of the budget that is spent, at most 1."""
        chosen = self._chosen
        if chosen.seconds:
            return min(1.0, spent.seconds / chosen.seconds)
        return min(1.0, spent.steps / (chosen.steps or chosen.epochs * self._epoch_steps))

    def learning_rate(self, spent: Spent) -> float:
        """Return the rate for the next step."""
        chosen = self._chosen
        warmth = min(1.0, (spent.steps + 1) / max(1, chosen.warm_up_steps))
        return chosen.learning_rate * warmth * self._shape(self.fraction(spent))

    def _shape(self, fraction: float) -> float:
        chosen = self._chosen
        if chosen.schedule == 'cosine':
            last = chosen.last_share
            return last + (1 - last) * (1 + math.cos(math.pi * fraction)) / 2
        dropped = bisect_right(chosen.drops, fraction * chosen.budget + 1e-9)
        return float(_DROP**dropped)
