"""The paper's two ablations on synthetic hands, at equal budgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from interwild_ros.geometry.spaces import Spaces
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.variants import Variant
from interwild_ros.records import Side
from interwild_ros.train.ablation.relating import INPUTS, mrrpe_mm, Relation, relation_loss
from interwild_ros.train.ablation.views import Annotating, EXACT, PairViewMaker
from interwild_ros.train.initialise import begin_compact
from interwild_ros.train.loop import mean_measures
from interwild_ros.train.recipe_sections import Optimisation, ShnetWeights
from interwild_ros.train.schedule import Schedule, Spent
from interwild_ros.train.streams import HandCrops, HELD_OUT_SEED
from interwild_ros.train.synthetic.domains import Domain, HELD_OUT, STUDIO, WILD
from interwild_ros.train.synthetic.residuals import NO_BETTER_KNOWN
from interwild_ros.train.synthetic_streams import hand_crops
from interwild_ros.train.tasks.shnet import ShnetTask
import torch
from torch import nn, Tensor

Say = Callable[[str], None]  # hears what is being done

_WARM_UP_STEPS = 50
_LAST_SHARE = 0.01
_CLIP_NORM = 5.0
_MEASURE_BATCH = 128


@dataclass(frozen=True)
class Budget:
    """What every row of a table gets: the same samples, in the same order, as often.

    `samples` of each training domain are drawn once; each of the `steps` takes half a batch of
    the one and half of the other; `held_out` samples of the third domain judge.
    """

    steps: int
    samples: int
    held_out: int
    batch_size: int = 64
    learning_rate: float = 1e-3
    seed: int = 0


def ablate_crops(variant: Variant, budget: Budget, say: Say) -> dict[str, dict[str, float]]:
    """Train SHNet on crops of one hand and on crops of both; return the rows' measures."""
    spaces = _of_the_camera(variant)
    rows = {}
    for name, holds_both in (('two-hand crop', True), ('one-hand crop', False)):
        say(f'SHNet, {name}: drawing')

        def draw(domain: Domain, seed: int, holds_both: bool = holds_both) -> Any:
            return hand_crops(seed, spaces, domain, holds_both=holds_both)

        sets = _drawn_sets(draw, budget)
        torch.manual_seed(budget.seed)
        networks = InterWild(variant)
        begin_compact(networks)
        models = HandPair(*(read_stand_in(side) for side in Side))
        task = ShnetTask(networks, models, ShnetWeights())
        say(f'SHNet, {name}: training')
        _train(task, partial(_total, task), sets, budget)
        rows[name] = mean_measures(task.eval().measure(b) for b in sets.held_out_batches())
        say(f'SHNet, {name}: {_text(rows[name])}')
    return rows


def _of_the_camera(variant: Variant) -> Spaces:
    """Return spaces in the camera's axes, which the paper compares in."""
    return replace(variant.spaces, along_sight=False)


def ablate_relations(
    variant: Variant, budget: Budget, say: Say, annotating: Annotating = EXACT
) -> dict[str, dict[str, float]]:
    """Train TransNet and its rivals, each with and without weak supervision.

    :param annotating: how wrong what supervises weakly is.
    """
    say('TransNet: drawing')
    spaces = _of_the_camera(variant)

    def draw(domain: Domain, seed: int) -> Any:
        maker = PairViewMaker(
            domain, seed=seed, spaces=spaces, residuals=NO_BETTER_KNOWN, annotating=annotating
        )
        return maker.draw

    sets = _drawn_sets(draw, budget)
    rows = {}
    for sees in INPUTS:
        for is_weak in (False, True):
            name = f'{sees}, {"with" if is_weak else "without"} weak supervision'
            torch.manual_seed(budget.seed)
            network = Relation(variant, sees)

            def loss(batch: Any, network: Relation = network, is_weak: bool = is_weak) -> Tensor:
                return 10 * relation_loss(network(batch), batch, is_weak=is_weak)

            _train(network, loss, sets, budget)
            network.eval()
            rows[name] = {
                key: float(torch.cat([_errors(network, b) for b in batches]).mean())
                for key, batches in (
                    ('mrrpe_mm', sets.held_out_batches()),
                    ('mrrpe_studio_mm', sets.studio_batches()),
                )
            }
            say(f'TransNet, {name}: {_text(rows[name])}')
    return rows


@dataclass(frozen=True)
class _Sets:
    """Drawn samples: tuples of tensors with one row a sample. `unseen_studio` is for judging."""

    studio: Any
    wild: Any
    unseen_studio: Any
    held_out: Any

    def batches(self, budget: Budget) -> Iterator[Any]:
        """Yield the batches of a budget, half of each domain; each pass has its own order."""
        half = budget.batch_size // 2
        turns = -(-budget.steps * half // budget.samples)
        order = torch.cat([_order(turn, budget) for turn in range(turns)])
        for step in range(budget.steps):
            rows = order[step * half : (step + 1) * half]
            pairs = zip(self.studio, self.wild, strict=True)
            yield type(self.studio)(*(torch.cat([a[rows], b[rows]]) for a, b in pairs))

    def held_out_batches(self) -> list[Any]:
        """Return what judges."""
        return _split(self.held_out)

    def studio_batches(self) -> list[Any]:
        """Return hands of the studio that nothing was trained on."""
        return _split(self.unseen_studio)


def _drawn_sets(make: Callable[[Domain, int], Any], budget: Budget) -> _Sets:
    unseen = budget.seed + HELD_OUT_SEED
    return _Sets(
        studio=_drawn(make(STUDIO, budget.seed), budget.samples),
        wild=_drawn(make(WILD, budget.seed), budget.samples),
        unseen_studio=_drawn(make(STUDIO, unseen), budget.held_out),
        held_out=_drawn(make(HELD_OUT, unseen), budget.held_out),
    )


def _drawn(draw: Callable[[Sequence[int]], Any], count: int) -> Any:
    starts = range(0, count, _MEASURE_BATCH)
    batches = [draw(range(i, min(i + _MEASURE_BATCH, count))) for i in starts]
    return type(batches[0])(*(torch.cat(parts) for parts in zip(*batches, strict=True)))


def _split(rows: Any) -> list[Any]:
    parts = zip(*(part.split(_MEASURE_BATCH) for part in rows), strict=True)
    return [type(rows)(*part) for part in parts]


def _order(turn: int, budget: Budget) -> Tensor:
    generator = torch.Generator().manual_seed(budget.seed + turn)
    return torch.randperm(budget.samples, generator=generator)


def _train(network: nn.Module, loss_of: Callable[[Any], Any], sets: _Sets, budget: Budget) -> None:
    network.train()
    used = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(used, budget.learning_rate, weight_decay=1e-3, fused=True)
    schedule = Schedule(
        Optimisation(
            steps=budget.steps,
            learning_rate=budget.learning_rate,
            warm_up_steps=_WARM_UP_STEPS,
            last_share=_LAST_SHARE,
        )
    )
    for step, batch in enumerate(sets.batches(budget)):
        for group in optimizer.param_groups:
            group['lr'] = schedule.learning_rate(Spent(steps=step))
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            loss = loss_of(batch)
        loss.backward()
        nn.utils.clip_grad_norm_(used, _CLIP_NORM)
        optimizer.step()


def _total(task: ShnetTask, batch: HandCrops) -> Tensor:
    return torch.stack([*task(batch).values()]).sum()


@torch.no_grad()
def _errors(network: Relation, batch: Any) -> Tensor:
    return mrrpe_mm(network(batch), batch)


def _text(measures: dict[str, float]) -> str:
    return '  '.join(f'{name} {value:.4g}' for name, value in measures.items())
