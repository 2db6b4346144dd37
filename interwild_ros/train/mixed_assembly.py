"""From a recipe's data sets to mixed batches, and to samples of validation.

Everything that can be missing or broken is looked for here, before training starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from interwild_ros.errors import SettingError
from interwild_ros.geometry.spaces import Spaces
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.train.augmentation import Augmentation, UNCHANGED
from interwild_ros.train.batches import MixedSetBatches
from interwild_ros.train.datasets.interhand26m import read_interhand26m
from interwild_ros.train.datasets.mscoco import read_mscoco
from interwild_ros.train.datasets.pictures import check_pictures, load_picture, PictureSet
from interwild_ros.train.datasets.reinterhand import read_reinterhand
from interwild_ros.train.mixing import BatchPlan, MixedBatches, Mixture
from interwild_ros.train.recipe_sections import AnnotatedData, Running
from interwild_ros.train.sources import AnnotatedPictures, SampleSource
from interwild_ros.train.streams import HELD_OUT_SEED
from interwild_ros.train.synthetic.annotated import SyntheticPictures
from interwild_ros.train.synthetic.domains import STUDIO, WILD
from interwild_ros.train.world import World
import numpy as np
from torch.utils.data import default_collate


class MixedSets:
    """The data sets of a recipe: with truth in 3D, with weak 2D truth, and held out."""

    def __init__(
        self, data: AnnotatedData, hand_models: HandPair, spaces: Spaces, seed: int
    ) -> None:
        """Read every annotation, and look whether pictures are there.

        :param hand_models: on the CPU.
        :raises SettingError: when no data set is named.
        :raises AssetError: for a file that is missing or broken.
        """
        self._data, self._models, self._spaces, self._seed = data, hand_models, spaces, seed
        self._cache_dir = Path(data.cache_dir) if data.cache_dir else None
        self._with_3d = [*self._read_3d(held_out=False)]
        self._weak = [*self._read_weak()]
        if not self._with_3d and not self._weak:
            raise SettingError('data names no data set, wanted interhand26m, reinterhand, mscoco')

    def mixture(self) -> Mixture:
        """Return all data sets as one."""
        return Mixture([self._with_3d, self._weak], seed=self._seed)

    def held_out(self, batch_size: int) -> Callable[[], Iterable[Any]]:
        """Return a function that gives held-out batches; they are read once."""
        sources = [*self._read_3d(held_out=True)][:1]

        @cache
        def read() -> list[Any]:
            return [batch for source in sources for batch in self._spread(source, batch_size)]

        return read

    def _spread(self, source: SampleSource, batch_size: int) -> Iterator[Any]:
        """Yield batches of samples that lie evenly over a data set."""
        count = min(self._data.held_out_samples, len(source))
        places = np.linspace(0, len(source) - 1, count).round().astype(int).tolist()
        for start in range(0, count, batch_size):
            rows = places[start : start + batch_size]
            yield default_collate([source.sample(i, np.random.default_rng(i)) for i in rows])

    def _read_3d(self, *, held_out: bool) -> Iterator[SampleSource]:
        data = self._data
        if data.interhand26m:
            split = 'val' if held_out else 'train'
            yield self._files(
                read_interhand26m(Path(data.interhand26m), split, cache_dir=self._cache_dir),
                held_out=held_out,
            )
        if data.reinterhand:
            split = 'test' if held_out else 'train'
            yield self._files(
                read_reinterhand(Path(data.reinterhand), split, cache_dir=self._cache_dir),
                held_out=held_out,
            )
        if data.synthetic_pictures:
            seed = self._seed + (HELD_OUT_SEED if held_out else 0)
            length = data.held_out_samples if held_out else data.synthetic_pictures
            yield self._drawn(SyntheticPictures(STUDIO, seed=seed, length=length), held_out)

    def _read_weak(self) -> Iterator[SampleSource]:
        data = self._data
        if data.mscoco:
            sets = read_mscoco(Path(data.mscoco), 'train', cache_dir=self._cache_dir)
            yield self._files(sets, held_out=False)
        if data.synthetic_pictures:
            pictures = SyntheticPictures(WILD, seed=self._seed, length=data.synthetic_pictures)
            yield self._drawn(pictures, False)

    def _files(self, pictures: PictureSet, *, held_out: bool) -> AnnotatedPictures:
        check_pictures(pictures)
        return self._source(pictures, load_picture, held_out)

    def _drawn(self, pictures: SyntheticPictures, held_out: bool) -> AnnotatedPictures:
        return self._source(pictures, pictures.picture, held_out)

    def _source(self, sets: Any, load: Any, held_out: bool) -> AnnotatedPictures:
        draw = {'draw': _unchanged} if held_out else {}
        return AnnotatedPictures(sets, load, self._models, spaces=self._spaces, **draw)


def mixed_batches(
    mixture: Mixture, batch_size: int, world: World, running: Running, seed: int
) -> tuple[MixedSetBatches, int]:
    """Return a mixture's batches for this process, and how many of them make an epoch."""
    plan = BatchPlan(len(mixture), batch_size, world.size, seed)
    batches = MixedBatches(plan, rank=world.rank)
    return MixedSetBatches(mixture, batches, running), plan.batch_count


def _unchanged(_rng: np.random.Generator) -> Augmentation:
    return UNCHANGED
