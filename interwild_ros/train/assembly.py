"""From a recipe to what the loop trains: networks, weights to begin with, batches, validation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
import copy
from functools import cache, partial
from pathlib import Path
from typing import Any, cast
import zlib

from interwild_ros.errors import SettingError
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import find_hand_models, read_stand_in
from interwild_ros.networks.checkpoint import leave_out, load_checkpoint, OPTIONAL_PARTS
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.variants import variant_named
from interwild_ros.records import Side
from interwild_ros.train.batches import Share, StreamBatches
from interwild_ros.train.export import load_trained
from interwild_ros.train.initialise import begin_compact, begin_official
from interwild_ros.train.loop import Parts
from interwild_ros.train.mixed_assembly import mixed_batches, MixedSets
from interwild_ros.train.recipe import General, Recipe, TaskRecipe
from interwild_ros.train.recipe_sections import (
    AnnotatedData,
    BodyData,
    DetectnetWeights,
    PairData,
    ShnetWeights,
    SyntheticData,
    TransnetWeights,
)
from interwild_ros.train.schedule import Schedule
from interwild_ros.train.streams import HELD_OUT_SEED, JointPairs, Stream
from interwild_ros.train.synthetic.read_pairs import read_pairs
from interwild_ros.train.synthetic_streams import make_stream, pairs_to_read, READ_SEED
from interwild_ros.train.tasks.detectnet import DetectnetTask
from interwild_ros.train.tasks.joint import JointTask
from interwild_ros.train.tasks.shnet import ShnetTask
from interwild_ros.train.tasks.task import Task
from interwild_ros.train.tasks.transnet import TransnetTask
from interwild_ros.train.world import World
import torch
from torch import nn

_SHNET = 'shnet.pt'  # what task shnet leaves


def assemble(name: str, recipe: Recipe, world: World, trained: Path | None = None) -> Parts:
    """Make what a task of a recipe is trained with.

    :param trained: folder with the checkpoints of the tasks before it.
    :raises SettingError: for choices that do not go together.
    :raises AssetError: for a file or folder that is missing or broken.
    """
    chosen = recipe.task(name)
    networks = _begun_networks(chosen, recipe.general, trained)
    if name == 'joint':
        return _joint_parts(chosen, networks, recipe, world)
    return _synthetic_parts(chosen, networks, recipe, world, trained)


def new_networks(general: General) -> InterWild:
    """Build networks of a recipe's size, without weights of meaning."""
    return InterWild(variant_named(general.variant))


def _synthetic_parts(
    chosen: TaskRecipe, networks: InterWild, recipe: Recipe, world: World, trained: Path | None
) -> Parts:
    if chosen.optimisation.epochs:
        raise SettingError(f'tasks.{chosen.name} has a budget in epochs, its stream has no end')
    general, data = recipe.general, cast(SyntheticData, chosen.data)
    make = partial(make_stream, chosen.name, general.variant, data)
    read, held_out_read = _read_by_shnet(data, networks, general, world, trained)
    share = Share(chosen.optimisation.batch_size, world.rank, world.size)
    task = _synthetic_task(chosen, networks, world)
    return Parts(
        task=_prepared(task, chosen, world),
        batches=StreamBatches(
            partial(make, general.seed, read), share, recipe.running, seed=general.seed
        ),
        held_out=_held_out(
            partial(make, general.seed + HELD_OUT_SEED, held_out_read),
            data.held_out_samples,
            chosen.optimisation.batch_size,
        ),
        schedule=Schedule(chosen.optimisation),
    )


def _joint_parts(chosen: TaskRecipe, networks: InterWild, recipe: Recipe, world: World) -> Parts:
    data, optimisation = cast(AnnotatedData, chosen.data), chosen.optimisation
    hand_models = HandPair(*find_hand_models(data.mano_dir)).eval()
    sets = MixedSets(data, hand_models, networks.spaces, recipe.general.seed)
    batches, epoch_steps = mixed_batches(
        sets.mixture(), optimisation.batch_size, world, recipe.running, recipe.general.seed
    )
    on_device = copy.deepcopy(hand_models).to(world.device)  # the others stay with the loaders
    return Parts(
        task=_prepared(JointTask(networks, on_device), chosen, world),
        batches=batches,
        held_out=sets.held_out(optimisation.batch_size),
        schedule=Schedule(optimisation, epoch_steps=epoch_steps),
    )


def _synthetic_task(chosen: TaskRecipe, networks: InterWild, world: World) -> Task:
    if chosen.name == 'detectnet':
        task = DetectnetTask(networks, cast(DetectnetWeights, chosen.losses))
        task.keep(task.body_backbone.first_stages(cast(BodyData, chosen.data).kept_stages))
        return task
    if chosen.name == 'transnet':
        return TransnetTask(networks, cast(TransnetWeights, chosen.losses))
    hand_models = HandPair(*(read_stand_in(side) for side in Side)).to(world.device)
    return ShnetTask(networks, hand_models, cast(ShnetWeights, chosen.losses))


def _read_by_shnet(
    data: SyntheticData,
    networks: InterWild,
    general: General,
    world: World,
    trained: Path | None,
) -> tuple[JointPairs | None, JointPairs | None]:
    """Let SHNet read pairs to train with, and fewer others for validation, where that is wanted.

    What it says follows from the seed and its weights, so that a resumed run hears the same.
    """
    if not isinstance(data, PairData) or not data.read:
        return None, None
    shnet = _trained_shnet(networks, data, general, trained).to(world.device)
    seed = general.seed + READ_SEED
    learned, held_out = (
        read_pairs(shnet, pairs_to_read(general.variant, data, seed + more).draw, count)
        for more, count in ((0, data.read), (HELD_OUT_SEED, data.read // 8 + 1))
    )
    return learned, held_out


def _trained_shnet(
    networks: InterWild, data: PairData, general: General, trained: Path | None
) -> InterWild:
    """Return networks with the SHNet that the task before has trained, or that all begin with."""
    snapshot = trained / _SHNET if trained else None
    if snapshot and snapshot.is_file():
        return _learned(networks, snapshot)
    if general.begin:
        return networks
    where = f'{snapshot} is not there' if snapshot else 'no folder holds one'
    raise SettingError(
        f'tasks.transnet.data: read is {data.read}, wanted 0 without a trained SHNet: '
        f'{where}, and the recipe begins without weights'
    )


def _begun_networks(chosen: TaskRecipe, general: General, trained: Path | None) -> InterWild:
    torch.manual_seed(general.seed + zlib.crc32(chosen.name.encode()))
    networks = new_networks(general)
    if isinstance(chosen.data, AnnotatedData):
        begin_official(networks, chosen.data.resnet50, chosen.data.resnet18)
    else:
        begin_compact(networks)
    if general.begin:
        load_checkpoint(networks, Path(general.begin), optional=OPTIONAL_PARTS)
    if chosen.name == 'joint':
        leave_out(networks, OPTIONAL_PARTS)  # the original's losses teach them nothing
    if isinstance(chosen.data, BodyData) and chosen.data.trunk == 'shnet':
        _begin_trunk_as_shnets(networks, trained)
    return networks


def _begin_trunk_as_shnets(networks: InterWild, trained: Path | None) -> None:
    """Copy the stages that the detector's trunk has from what SHNet has learned."""
    if trained is None:
        raise SettingError('trunk is shnet, but no folder holds what it has learned')
    source = _learned(networks, trained / _SHNET).hand_roi_net.backbone.state_dict()
    wanted = networks.body_backbone.state_dict()
    if any(name not in source or source[name].shape != t.shape for name, t in wanted.items()):
        raise SettingError(
            f"trunk is shnet, but the {networks.variant.name} detector's trunk is another one"
        )
    networks.body_backbone.load_state_dict({name: source[name] for name in wanted})


def _learned(like: InterWild, snapshot: Path) -> InterWild:
    """Return networks of the same sizes with what a task has learned, and no more."""
    learned = InterWild(like.variant)
    load_trained(learned, [snapshot])
    return learned


def _prepared(task: Task, chosen: TaskRecipe, world: World) -> Task:
    for module in task.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = chosen.optimisation.batch_norm_momentum
    for name, parameter in task.named_parameters():
        # TransNet's stem is never run: it must not wait for a gradient (NETWORKS.md Q10)
        if name.startswith('hand_trans_net.backbone.') and name.split('.')[2] in ('conv1', 'bn1'):
            parameter.requires_grad_(False)
    return task.to(world.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _held_out(
    make: Callable[[], Stream[Any]], count: int, batch_size: int
) -> Callable[[], Iterable[Any]]:
    """Return a function that gives the held-out batches; they are drawn once."""

    @cache
    def drawn() -> list[Any]:
        stream = make()
        starts = range(0, count, batch_size)
        return [stream.draw(range(i, min(i + batch_size, count))) for i in starts]

    return drawn
