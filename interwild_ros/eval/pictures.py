"""A data set's pictures as the networks see them in evaluation, each with what counts as truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from interwild_ros.eval.annotated_camera import camera_of
from interwild_ros.eval.benchmark import PictureScore, score_picture
from interwild_ros.eval.pairs import found_pair, found_pairs, FoundPair, TruePair
from interwild_ros.eval.truth import TruthOf
from interwild_ros.geometry.spaces import invert_affine, OFFICIAL_SPACES, Spaces
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.pair_posing import PairPosing
from interwild_ros.networks.interwild import InterWild
from interwild_ros.pipeline.posing import posed_pair
from interwild_ros.pipeline.reading import Reader
from interwild_ros.pipeline.view import InputView
from interwild_ros.records import Camera
from interwild_ros.train.annotations import AnnotationSet
from interwild_ros.train.augmentation import UNCHANGED
from interwild_ros.train.forward import predict
from interwild_ros.train.patches import cut_patch, lay_over_input
from interwild_ros.train.sources import LoadPicture
import torch
from torch import Tensor
from torch.utils.data import Dataset


class JudgedPictures(NamedTuple):
    """`pictures` (B, 3, 512, 384), `image_from_input` (B, 2, 3), B cameras and B truths."""

    pictures: Tensor
    image_from_input: Tensor
    cameras: tuple[Camera, ...]
    truths: tuple[TruePair, ...]


class EvaluationSet(Dataset[JudgedPictures]):
    """A map from index to one picture and its truth, without augmentation; for a loader."""

    def __init__(
        self,
        annotations: AnnotationSet,
        load_picture: LoadPicture,
        truth_of: TruthOf,
        hand_models: HandPair,
        *,
        spaces: Spaces = OFFICIAL_SPACES,
    ) -> None:
        """Keep the parts.

        :param hand_models: on the CPU, where loaders work.
        """
        self._annotations = annotations
        self._load_picture = load_picture
        self._truth_of = truth_of
        self._hand_models = hand_models
        self._spaces = spaces

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self._annotations)

    def __getitem__(self, index: int) -> JudgedPictures:
        """Return one picture as a batch of one; IndexError beyond the last."""
        annotation = self._annotations[index]
        input_from_image = lay_over_input(annotation, UNCHANGED, self._spaces)
        image = self._load_picture(annotation)
        return JudgedPictures(
            pictures=cut_patch(image, input_from_image, UNCHANGED, self._spaces)[None],
            image_from_input=invert_affine(input_from_image)[None].float(),
            cameras=(camera_of(annotation),),
            truths=(self._truth_of(annotation, self._hand_models),),
        )


def joined(pictures: list[JudgedPictures]) -> JudgedPictures:
    """Join batches to one: the `collate_fn` of a loader over an EvaluationSet."""
    return JudgedPictures(
        pictures=torch.cat([one.pictures for one in pictures]),
        image_from_input=torch.cat([one.image_from_input for one in pictures]),
        cameras=tuple(camera for one in pictures for camera in one.cameras),
        truths=tuple(truth for one in pictures for truth in one.truths),
    )


def score_batches(
    batches: Iterable[JudgedPictures], networks: InterWild, hand_models: HandPair
) -> Iterator[PictureScore]:
    """Run the networks on batches and score each picture.

    The networks are used as they are, in evaluation mode and on one device with the hand models.
    Those that tell the kind of a hand choose its side by that, picture by picture as they run.
    """
    find = _one_by_one if networks.hand_kind_net is not None else _all_at_once
    for batch in batches:
        for pair, truth in zip(find(batch, networks, hand_models), batch.truths, strict=True):
            yield score_picture(pair, truth)


def _all_at_once(
    batch: JudgedPictures, networks: InterWild, hand_models: HandPair
) -> list[FoundPair]:
    device = hand_models.joint_regressor.device
    with torch.inference_mode():
        found = predict(networks, hand_models, batch.pictures.to(device))
        return found_pairs(found, batch.image_from_input.to(device), networks.spaces)


def _one_by_one(
    batch: JudgedPictures, networks: InterWild, hand_models: HandPair
) -> list[FoundPair]:
    read, pose = Reader(networks, 'network'), PairPosing(hand_models)
    pictures = batch.pictures.to(hand_models.joint_regressor.device)
    return [
        found_pair(posed_pair(read(view), pose))
        for view in (
            InputView(picture, image_from_input.double(), networks.spaces, camera)
            for picture, image_from_input, camera in zip(
                pictures, batch.image_from_input, batch.cameras, strict=True
            )
        )
    ]
