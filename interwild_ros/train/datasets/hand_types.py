"""What a file says of which hands are annotated, as small numbers."""

from __future__ import annotations

from interwild_ros.records import Array
from interwild_ros.train.annotations import HAND_TYPES
from interwild_ros.train.datasets.entries import Entries, places_of
import numpy as np


def hand_type_numbers(annotations: Entries) -> Array:
    """Return for each annotation which of HAND_TYPES it is.

    :raises AssetError: when one is another.
    """
    types = annotations.texts('hand_type')
    wanted = ', '.join(HAND_TYPES)
    complaint = f'{annotations.source}: a hand_type is none of {wanted}'
    return np.array(places_of(types, HAND_TYPES, complaint), dtype=np.int8)
