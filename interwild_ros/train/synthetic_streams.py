"""The synthetic world as streams: which domains each task learns from, and what it is told.

A sample's number decides its domain, so that streams stay the same however they are batched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from interwild_ros.geometry.spaces import Spaces
from interwild_ros.networks.variants import variant_named
from interwild_ros.train.body_alteration import BodyAlteration
from interwild_ros.train.crop_alteration import CropAlteration
from interwild_ros.train.recipe_sections import CropData, PairData, PictureData, SyntheticData
from interwild_ros.train.repeating import Alter, RepeatingStream
from interwild_ros.train.streams import BodyPictures, HandCrops, JointPairs, Stream
from interwild_ros.train.synthetic.bodies import BodyMaker
from interwild_ros.train.synthetic.crops import (
    along_sight,
    AS_THEY_SHOULD_BE,
    CropMaker,
    CropShares,
)
from interwild_ros.train.synthetic.domains import Domain, STUDIO, WILD
from interwild_ros.train.synthetic.pair_crops import PairCropMaker, PairCrops
from interwild_ros.train.synthetic.pairs import PairMaker
from interwild_ros.train.synthetic.read_pairs import ReadPairs
from interwild_ros.train.synthetic.residuals import Residuals
import torch

Batch = TypeVar('Batch', bound=tuple[torch.Tensor, ...])
Draw = Callable[[Sequence[int]], Batch]

READ_SEED = 7_000_003  # is added to the recipe's, for crops that a trained SHNet reads
_LOOSE_AT_WORK = 0.15  # of crops: fewer than SHNet learns from, for hands have been seen before
_STUDIO_PERIOD = 4  # where both domains are drawn from, every so many samples are of the studio


class MixedStream:
    """Draws each sample from one of the domains of a recipe."""

    def __init__(self, of_domain: Callable[[Domain], Draw[Any]], data: SyntheticData) -> None:
        """Prepare the domains.

        :param of_domain: makes what draws the batches of a domain.
        """
        self._of_studio = None if data.domain == 'wild' else of_domain(STUDIO)
        self._of_wild = None if data.domain == 'studio' else of_domain(WILD)

    def draw(self, indices: Sequence[int]) -> Any:
        """Return the samples of these indices as one batch."""
        if self._of_studio is None or self._of_wild is None:
            draw = self._of_studio or self._of_wild
            return draw(indices) if draw else None
        studio = [i for i in indices if i % _STUDIO_PERIOD == 0]
        wild = [i for i in indices if i % _STUDIO_PERIOD]
        pairs = ((self._of_studio, studio), (self._of_wild, wild))
        batches = [draw(numbers) for draw, numbers in pairs if numbers]
        places = {number: place for place, number in enumerate((*studio, *wild))}
        order = torch.tensor([places[i] for i in indices])
        parts = zip(*batches, strict=True)
        return type(batches[0])(*(torch.cat(rows)[order] for rows in parts))


def make_stream(
    task: str, variant: str, data: SyntheticData, seed: int, read: JointPairs | None = None
) -> Stream[Any]:
    """Build a task's stream.

    :param read: pairs that SHNet has read, where task transnet learns from them.
    """
    spaces = variant_named(variant).spaces
    if read is not None:
        return ReadPairs(read, seed)
    if isinstance(data, PairData):
        wrong = Residuals(data.joint, data.hand, data.depth_m, data.flattened)
        return MixedStream(partial(joint_pairs, seed, spaces, wrong), data)
    if task == 'detectnet':
        drawn = MixedStream(partial(body_pictures, seed, spaces), data)
        alter: Alter = BodyAlteration(spaces, seed)
    else:
        shares = _shares(data)
        drawn = MixedStream(partial(hand_crops, seed, spaces, shares=shares), data)
        alter = CropAlteration(spaces, seed)
    turns = data.turns if isinstance(data, PictureData) else 1
    return drawn if turns == 1 else RepeatingStream(drawn, alter, turns)


def crops_to_measure(variant: str, data: PairData, seed: int) -> Stream[HandCrops]:
    """Build the stream of crops that tell how wrong SHNet is, see bench/residuals.py.

    Their hands have another one beside them, as those of pairs, and their boxes are as far off as
    those that SHNet learns from.
    """
    spaces, shares = variant_named(variant).spaces, CropShares(loose=CropData().loose)

    def of_domain(domain: Domain) -> Draw[HandCrops]:
        return hand_crops(seed, spaces, domain.of_pairs(), shares=shares)

    return MixedStream(of_domain, data)


def pairs_to_read(variant: str, data: PairData, seed: int) -> Stream[PairCrops]:
    """Build the stream of pairs of crops that SHNet reads, as the pipeline shows them to it."""
    spaces = variant_named(variant).spaces
    shares = CropShares(loose=_LOOSE_AT_WORK, turned=float(spaces.upright))

    def of_domain(domain: Domain) -> Draw[PairCrops]:
        return PairCropMaker(domain, seed=seed, spaces=spaces, shares=shares).draw

    return MixedStream(of_domain, data)


def _shares(data: SyntheticData) -> CropShares:
    if not isinstance(data, CropData):
        return AS_THEY_SHOULD_BE
    return CropShares(data.mirrored, data.strays, data.loose, data.neighbours, data.turned)


def hand_crops(
    seed: int,
    spaces: Spaces,
    domain: Domain,
    *,
    holds_both: bool = False,
    shares: CropShares = AS_THEY_SHOULD_BE,
) -> Draw[HandCrops]:
    """Return what draws crops of a domain; see CropMaker for the rest."""
    maker = CropMaker(domain, seed=seed, spaces=spaces, holds_both=holds_both, shares=shares)

    def draw(indices: Sequence[int]) -> HandCrops:
        made = maker.make(indices)
        if spaces.along_sight:
            made = along_sight(made, spaces)
        xy = spaces.volume_from_crop(made.joints_px)
        z = spaces.volume_from_depth_m(made.joints_m[..., 2:])
        return HandCrops(
            pictures=made.pictures,
            joints=torch.cat([xy, z], dim=-1),
            joints_seen=((xy >= 0) & (xy < spaces.volume_cells)).all(-1).float(),
            joints_m=made.joints_m,
            vertices_m=made.vertices_m,
            pose=made.pose,
            betas=made.betas,
            counts=made.counts.float(),
            has_other=made.is_pair.float(),
            kinds=made.kinds,
        )

    return draw


def body_pictures(seed: int, spaces: Spaces, domain: Domain) -> Draw[BodyPictures]:
    """Return what draws pictures of a domain for the detector."""
    maker = BodyMaker(domain, seed=seed, size=spaces.body_size)

    def draw(indices: Sequence[int]) -> BodyPictures:
        made = maker.make(indices)
        corners = spaces.cells_from_body(made.boxes.reshape(-1, 2, 2, 2))
        return BodyPictures(
            pictures=made.pictures,
            boxes=corners.flatten(-2),
            boxes_valid=made.has_box.float(),
            known_absent=(~made.present).float(),
        )

    return draw


def joint_pairs(
    seed: int, spaces: Spaces, residuals: Residuals, domain: Domain
) -> Draw[JointPairs]:
    """Return what draws pairs of a domain's hands for TransNet."""
    maker = PairMaker(domain, seed=seed, spaces=spaces, residuals=residuals)

    def draw(indices: Sequence[int]) -> JointPairs:
        made = maker.make(indices)
        return JointPairs(
            joints=made.joints.transpose(0, 1),
            input_from_crop=made.input_from_crop.transpose(0, 1),
            left_from_right_m=made.left_from_right_m,
            interacting=made.interacting.float(),
        )

    return draw
