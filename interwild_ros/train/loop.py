"""The training loop, one for every task: step, log, validate, keep, until the budget is spent."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
import math
from pathlib import Path
import time
from typing import Any, Protocol

from interwild_ros.errors import TrainingError
from interwild_ros.train.averaging import RunningAverage
from interwild_ros.train.batches import Batches
from interwild_ros.train.muon import Muon
from interwild_ros.train.precision import Precision
from interwild_ros.train.recipe import Recipe
from interwild_ros.train.recipe_sections import Optimisation
from interwild_ros.train.schedule import Rhythm, Schedule, Spent
from interwild_ros.train.snapshots import check_same_recipe, read_snapshot, write_snapshot
from interwild_ros.train.tasks.task import Task
from interwild_ros.train.world import World
import torch
from torch import nn, Tensor

_FRESH = 0.02  # share of the newest step in the losses that are logged


@dataclass(frozen=True)
class StepReport:
    """Where training stands. `losses` are running means, weighted, by name."""

    task: str
    step: int
    fraction: float
    seconds: float
    samples_per_sec: float
    learning_rate: float
    losses: Mapping[str, float]

    @property
    def remaining_sec(self) -> float:
        """Return the time to the end, as things go."""
        return self.seconds * (1 - self.fraction) / max(self.fraction, 1e-9)


@dataclass(frozen=True)
class ValidationReport:
    """Means of the measures on held-out samples, with the weights that would be kept."""

    task: str
    step: int
    measures: Mapping[str, float]


class Listener(Protocol):
    """Whoever wants to know how training goes."""

    def stepped(self, report: StepReport) -> None:
        """Hear where training stands, every so often."""

    def validated(self, report: ValidationReport) -> None:
        """Hear how good the weights are, every so often and at the end."""


@dataclass(frozen=True)
class Parts:
    """What a task is trained with, and on what: `held_out` batches are for validation."""

    task: Task
    batches: Batches
    held_out: Callable[[], Iterable[Any]]
    schedule: Schedule


class Trainer:
    """Trains one task, and keeps everything that is needed to go on after a break."""

    def __init__(
        self, name: str, recipe: Recipe, parts: Parts, world: World, snapshot: Path
    ) -> None:
        """Prepare; the task is on the world's device.

        :param snapshot: file that checkpoints are kept in.
        """
        self.spent = Spent()
        self._name, self._recipe, self._world, self._path = name, recipe, world, snapshot
        self._parts = parts
        self._chosen = recipe.task(name).optimisation
        self._wrapped = world.together(parts.task)
        self._parameters = [p for p in parts.task.parameters() if p.requires_grad]
        self._optimizer = _optimizer(self._parameters, self._chosen)
        self._precision = Precision(self._chosen.precision, world.device)
        self._average = RunningAverage(parts.task, self._chosen.average_decay)
        self._means: dict[str, float] = {}

    def resume(self) -> bool:
        """Go on from the checkpoint; returns whether it says that the budget was spent.

        :raises AssetError: when it cannot be read.
        :raises TrainingError: when it is of another recipe.
        """
        saved = read_snapshot(self._path)
        check_same_recipe(saved['recipe'], self._recipe.deciding(self._name), self._path)
        self._parts.task.load_state_dict(saved['network'])
        if saved['average']:
            self._average.network.load_state_dict(saved['average'])
        self._optimizer.load_state_dict(saved['optimizer'])
        self._precision.load_state_dict(saved['scaler'])
        self._parts.batches.load_state_dict(saved['position'])
        self._means = dict(saved['means'])
        self.spent = Spent(**saved['spent'])
        torch.set_rng_state(saved['rng'])
        return bool(saved['is_finished'])

    def run(self, listener: Listener, should_stop: Callable[[], bool]) -> bool:
        """Train until the budget is spent, or until asked to stop; keep what came out.

        :returns: whether the budget is spent.
        :raises TrainingError: when a loss is no number (the last checkpoint stays), or when a
            checkpoint cannot be written.
        """
        self._wrapped.train()
        with closing(iter(self._parts.batches)) as batches:  # ends the loader's processes
            self._learn(batches, listener, should_stop)
        is_finished = self._fraction >= 1
        self._keep(is_finished=is_finished)
        if is_finished:
            self._validate(listener)
        return is_finished

    def _learn(
        self,
        batches: Generator[tuple[str, Any], None, None],
        listener: Listener,
        should_stop: Callable[[], bool],
    ) -> None:
        rhythm = Rhythm(self._recipe.running, self.spent)
        lap = time.perf_counter()
        for name, batch in batches:
            if self._is_over(should_stop):
                break
            self._step(name, moved(batch, self._world.device))
            self._parts.batches.advance()
            self.spent.steps += 1
            self.spent.seconds += time.perf_counter() - lap
            self._between_steps(rhythm, listener)
            lap = time.perf_counter()  # what is done between steps is not part of the budget

    @property
    def _fraction(self) -> float:
        return self._parts.schedule.fraction(self.spent)

    def _is_over(self, should_stop: Callable[[], bool]) -> bool:
        """Agree with the other processes on the time that is spent, and on stopping."""
        self.spent.seconds, stops = self._world.highest([self.spent.seconds, float(should_stop())])
        return self._fraction >= 1 or stops > 0

    def _step(self, name: str, batch: Any) -> None:
        rate = self._parts.schedule.learning_rate(self.spent)
        for group in self._optimizer.param_groups:
            group['lr'] = rate
        self._optimizer.zero_grad(set_to_none=True)
        with self._precision.autocast():
            losses: dict[str, Tensor] = self._wrapped(batch)
        loss = torch.stack(list(losses.values())).sum()
        numbers = torch.stack([loss.detach(), *(part.detach() for part in losses.values())])
        self._refuse_no_number('the loss', numbers[0].item(), name)
        self._precision.backward(loss)
        norm = self._precision.clip(self._optimizer, self._parameters, self._chosen.clip_norm)
        self._refuse_no_number('the gradient', norm, name)
        self._precision.step(self._optimizer)
        self._average.update(self._parts.task, self.spent.steps)
        self._take(dict(zip(('loss', *losses), numbers.tolist(), strict=True)))

    def _refuse_no_number(self, what: str, value: float, name: str) -> None:
        is_wrong = not math.isfinite(value)
        if self._world.highest([float(is_wrong)])[0]:
            where = f'is {value} on {name}' if is_wrong else 'is no number in another process'
            raise TrainingError(
                f'{self._name}: {what} {where}, after {self.spent.steps} steps; '
                f'the last checkpoint, {self._path}, is as it was'
            )

    def _take(self, losses: dict[str, float]) -> None:
        for name, value in losses.items():
            self._means[name] = value + (1 - _FRESH) * (self._means.get(name, value) - value)

    def _between_steps(self, rhythm: Rhythm, listener: Listener) -> None:
        if rhythm.is_time('log', self.spent):
            self._report(listener, rhythm.steps_per_sec(self.spent))
        if rhythm.is_time('validate', self.spent):
            self._validate(listener)
        if rhythm.is_time('checkpoint', self.spent):
            self._keep(is_finished=False)

    def _report(self, listener: Listener, steps_per_sec: float) -> None:
        if not self._world.is_first:
            return
        listener.stepped(
            StepReport(
                task=self._name,
                step=self.spent.steps,
                fraction=self._fraction,
                seconds=self.spent.seconds,
                samples_per_sec=steps_per_sec * self._chosen.batch_size * self._world.size,
                learning_rate=self._optimizer.param_groups[0]['lr'],
                losses=dict(self._means),
            )
        )

    def _validate(self, listener: Listener) -> None:
        if not self._world.is_first:
            return
        network = self._average.network
        is_training = network.training
        network.eval()
        batches = (moved(batch, self._world.device) for batch in self._parts.held_out())
        measures = mean_measures(network.measure(batch) for batch in batches)
        network.train(is_training)
        listener.validated(ValidationReport(self._name, self.spent.steps, measures))

    def _keep(self, *, is_finished: bool) -> None:
        if not self._world.is_first:
            return
        has_average = self._average.network is not self._parts.task
        content = {
            'task': self._name,
            'recipe': self._recipe.deciding(self._name),
            'is_finished': is_finished,
            'spent': asdict(self.spent),
            'network': self._parts.task.state_dict(),
            'average': self._average.network.state_dict() if has_average else None,
            'optimizer': self._optimizer.state_dict(),
            'scaler': self._precision.state_dict(),
            'position': self._parts.batches.state_dict(),
            'means': dict(self._means),
            'rng': torch.get_rng_state(),
        }
        write_snapshot(self._path, content)


def mean_measures(batches: Iterable[Mapping[str, Tensor]]) -> dict[str, float]:
    """Return the mean of each measure over all batches; without a single number there is none."""
    parts: dict[str, list[Tensor]] = {}
    for measures in batches:
        for name, numbers in measures.items():
            parts.setdefault(name, []).append(numbers.flatten().cpu())
    joined = {name: torch.cat(numbers) for name, numbers in parts.items()}
    return {name: numbers.mean().item() for name, numbers in joined.items() if len(numbers)}


def moved(batch: Any, device: torch.device) -> Any:
    """Return a batch, tuples of tuples of tensors, on a device."""
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    return type(batch)(*(moved(part, device) for part in batch))


def _optimizer(parameters: list[nn.Parameter], chosen: Optimisation) -> torch.optim.Optimizer:
    if chosen.optimizer == 'adam':
        return torch.optim.Adam(parameters, chosen.learning_rate)
    if chosen.optimizer == 'muon':
        return Muon(parameters, chosen.learning_rate, weight_decay=chosen.weight_decay)
    return torch.optim.AdamW(
        parameters, chosen.learning_rate, weight_decay=chosen.weight_decay, fused=True
    )
