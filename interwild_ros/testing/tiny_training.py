"""Training of seconds: a small recipe on streams that cost nothing, with everything else real."""

from __future__ import annotations

from functools import partial
from typing import Any

from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.variants import variant_named
from interwild_ros.records import Side
from interwild_ros.testing.some_streams import some_stream
from interwild_ros.train.batches import Share, StreamBatches
from interwild_ros.train.initialise import begin_compact
from interwild_ros.train.loop import Parts, StepReport, ValidationReport
from interwild_ros.train.recipe import Recipe, recipe_from
from interwild_ros.train.recipe_sections import DetectnetWeights, ShnetWeights, TransnetWeights
from interwild_ros.train.schedule import Schedule
from interwild_ros.train.tasks.detectnet import DetectnetTask
from interwild_ros.train.tasks.shnet import ShnetTask
from interwild_ros.train.tasks.task import Task
from interwild_ros.train.tasks.transnet import TransnetTask
import torch


def tiny_recipe(
    task: str = 'transnet', running: dict[str, Any] | None = None, **changes: Any
) -> Recipe:
    """Return a recipe of one task; `changes` are of its optimisation."""
    optimisation = {
        'steps': 6,
        'batch_size': 2,
        'learning_rate': 1e-3,
        'warm_up_steps': 2,
        'average_decay': 0.9,
        **changes,
    }
    quiet = {'workers': 0, 'checkpoint_every_sec': 3600.0, 'validate_every_sec': 3600.0}
    return recipe_from(
        {
            'variant': 'compact',
            'seed': 3,
            'tasks': {task: {'optimisation': optimisation}},
            'running': {**quiet, **(running or {})},
        }
    )


def tiny_parts(recipe: Recipe) -> Parts:
    """Return what the only task of a recipe is trained with, on this process's CPU."""
    (chosen,) = recipe.tasks
    share = Share(chosen.optimisation.batch_size)
    make = partial(some_stream, chosen.name, recipe.general.variant, recipe.general.seed)
    return Parts(
        task=_task(chosen.name, recipe),
        batches=StreamBatches(make, share, recipe.running, seed=recipe.general.seed),
        held_out=lambda: [some_stream(chosen.name, recipe.general.variant, 99).draw(range(4))],
        schedule=Schedule(chosen.optimisation),
    )


def _task(name: str, recipe: Recipe) -> Task:
    torch.manual_seed(recipe.general.seed)
    networks = InterWild(variant_named(recipe.general.variant))
    begin_compact(networks)
    if name == 'detectnet':
        return DetectnetTask(networks, DetectnetWeights())
    if name == 'transnet':
        return TransnetTask(networks, TransnetWeights())
    hand_models = HandPair(*(read_stand_in(side) for side in Side))
    return ShnetTask(networks, hand_models, ShnetWeights())


class Remembering:
    """A listener that keeps every report."""

    def __init__(self) -> None:
        self.steps: list[StepReport] = []
        self.validations: list[ValidationReport] = []

    def stepped(self, report: StepReport) -> None:
        """Keep a report."""
        self.steps.append(report)

    def validated(self, report: ValidationReport) -> None:
        """Keep a report."""
        self.validations.append(report)
