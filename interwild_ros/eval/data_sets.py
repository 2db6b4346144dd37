"""The data sets that weights are evaluated on, each with its own rules of truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from interwild_ros.errors import SettingError
from interwild_ros.eval.truth import truth_rules, TruthOf
from interwild_ros.train.annotations import AnnotationSet
from interwild_ros.train.datasets.hic import read_hic
from interwild_ros.train.datasets.interhand26m import read_interhand26m
from interwild_ros.train.datasets.pictures import load_picture
from interwild_ros.train.datasets.reinterhand import read_reinterhand
from interwild_ros.train.sources import LoadPicture

SYNTHETIC = 'synthetic'
TEST_SEED = 20_230_618  # of the held-out domain's pictures, on which nothing is ever trained
_READERS: dict[str, Callable[[Path, str], AnnotationSet]] = {
    'interhand26m': read_interhand26m,
    'hic': read_hic,
    'reinterhand': read_reinterhand,
}
DATA_SETS = (SYNTHETIC, *_READERS)


class EvaluationData(NamedTuple):
    """Annotations, how to get their pictures, and what counts as truth of them."""

    annotations: AnnotationSet
    load_picture: LoadPicture
    truth_of: TruthOf


def open_data(name: str, root: str = '', *, synthetic_count: int = 0) -> EvaluationData:
    """Open a data set's test split.

    :param root: its folder; the synthetic one has none.
    :param synthetic_count: pictures of the synthetic one.
    :raises SettingError: for another name, or without a folder where there must be one.
    :raises AssetError: when a file is missing or broken.
    """
    truth_of = truth_rules(name)
    if name == SYNTHETIC:
        # only here, because drawing needs what training needs
        from interwild_ros.train.synthetic.annotated import SyntheticPictures
        from interwild_ros.train.synthetic.domains import HELD_OUT

        pictures = SyntheticPictures(HELD_OUT, seed=TEST_SEED, length=synthetic_count)
        return EvaluationData(pictures, pictures.picture, truth_of)
    if not root:
        raise SettingError(f'data {name} needs its folder: --root DIR')
    return EvaluationData(_READERS[name](Path(root), 'test'), load_picture, truth_of)
