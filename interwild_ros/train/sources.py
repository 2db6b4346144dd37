"""Where samples come from: anything with a length that makes a sample of an index and a draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from interwild_ros.geometry.spaces import OFFICIAL_SPACES, Spaces
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.records import Image
from interwild_ros.train.annotations import Annotation, AnnotationSet
from interwild_ros.train.augmentation import Augmentation, draw_augmentation
from interwild_ros.train.samples import Sample
from interwild_ros.train.transforms import make_sample
import numpy as np

LoadPicture = Callable[[Annotation], Image]
DrawAugmentation = Callable[[np.random.Generator], Augmentation]


class SampleSource(Protocol):
    """A data set that makes samples; all that is random in one comes from `rng`."""

    def __len__(self) -> int:
        """Return how many samples there are."""

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """Make one sample."""


class AnnotatedPictures:
    """Annotations and their pictures as samples."""

    def __init__(
        self,
        annotations: AnnotationSet,
        load_picture: LoadPicture,
        hand_models: HandPair,
        *,
        spaces: Spaces = OFFICIAL_SPACES,
        draw: DrawAugmentation = draw_augmentation,
    ) -> None:
        """Keep the parts.

        :param hand_models: on the CPU, where loaders work.
        :param draw: draws the augmentation of each sample.
        """
        self.annotations = annotations
        self._load_picture = load_picture
        self._hand_models = hand_models
        self._spaces = spaces
        self._draw = draw

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.annotations)

    def sample(self, index: int, rng: np.random.Generator) -> Sample:
        """Load a picture and make a sample of it.

        :raises AssetError: when the picture cannot be read.
        :raises InputError: when the person box has no pixel in it.
        """
        annotation = self.annotations[index]
        picture = self._load_picture(annotation)
        return make_sample(annotation, picture, self._draw(rng), self._hand_models, self._spaces)
