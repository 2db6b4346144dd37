"""From lists of JSON objects to arrays, a wrong or absent key found by its place in the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, cast

from interwild_ros.errors import AssetError
from interwild_ros.records import Array
from interwild_ros.train.datasets.files import shortened
import numpy as np


@dataclass(frozen=True, eq=False)
class Entries:
    """JSON values that should all look alike.

    `source` is where they are from, `names` what each is called in messages: its place in the
    file, or a text.
    """

    values: Sequence[Any]
    source: str
    names: Sequence[int | str] | None = None

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.values)

    def picked(self, places: Sequence[int]) -> Entries:
        """Return those at some places, under the names that they had."""
        names = places if self.names is None else [self.names[place] for place in places]
        return Entries([self.values[place] for place in places], self.source, names)

    def column(self, key: str) -> list[Any]:
        """Return the value under one key of every entry.

        :raises AssetError: naming the first entry without it, and the keys that it has.
        """
        try:
            return [entry[key] for entry in self.values]
        except (KeyError, TypeError, IndexError):
            index = self._first(lambda entry: not isinstance(entry, dict) or key not in entry)
            entry = self.values[index]
            found = f'keys {shortened(entry)}' if isinstance(entry, dict) else described(entry)
            raise AssetError(f'{self._called(index)}: no {key!r}, found {found}') from None

    def numbers(self, key: str, *shape: int, dtype: type[np.generic] = np.float64) -> Array:
        """Return the numbers under one key of every entry, (len(self), *shape).

        :raises AssetError: as `column`, and for values that are not finite numbers of this shape.
        """
        named = Entries(self.column(key), self.source, self.names)
        return named.as_numbers(*shape, dtype=dtype, what=f'{key!r} is ')

    def as_numbers(
        self, *shape: int, dtype: type[np.generic] = np.float64, what: str = ''
    ) -> Array:
        """Return the entries themselves as numbers; lists may be nested as files like it.

        :raises AssetError: naming the first entry that is not so many finite numbers.
        """
        found = _array_or_none(self.values, (len(self), *shape), dtype)
        if found is not None:
            return found
        rows = [_array_or_none(value, shape, dtype) for value in self.values]
        for index, row in enumerate(rows):
            if row is None:
                raise AssetError(
                    f'{self._called(index)}: {what}{described(self.values[index])}, '
                    f'wanted {prod(shape)} finite number{"s" if shape else ""}'
                )
        return np.stack(cast('list[Array]', rows))

    def under(self, key: str) -> Entries:
        """Return what is under one key of every entry, as entries themselves.

        :raises AssetError: as `column`.
        """
        return Entries(self.column(key), f'{self.source}: {key}', self.names)

    def texts(self, key: str) -> list[str]:
        """Return the text under one key of every entry.

        :raises AssetError: as `column`, and for a value that is no text.
        """
        texts = self.column(key)
        if not all(isinstance(text, str) for text in texts):
            index = self._first(lambda entry: not isinstance(entry[key], str))
            raise AssetError(
                f'{self._called(index)}: {key!r} is {described(texts[index])}, wanted text'
            )
        return texts

    def _first(self, is_wrong: Callable[[Any], bool]) -> int:
        return next((index for index, value in enumerate(self.values) if is_wrong(value)), 0)

    def _called(self, index: int) -> str:
        return f'{self.source}: {self._name(index)}'

    def _name(self, index: int) -> str:
        name = index if self.names is None else self.names[index]
        return f'entry {name}' if isinstance(name, int) else name


def entries_under(content: dict[str, Any], key: str, source: str) -> Entries:
    """Return the list under a key of a file's top object.

    :raises AssetError: when it is absent, no list or empty.
    """
    if key not in content:
        raise AssetError(f'{source}: no {key!r}, found keys {shortened(content) or "none"}')
    values = content[key]
    if not isinstance(values, list) or not values:
        raise AssetError(f'{source}: {key!r} is {described(values)}, wanted a list of objects')
    return Entries(values, f'{source}: {key}')


def places_of(wanted: Sequence[Any], known: Sequence[Any], complaint: str) -> list[int]:
    """Return at which place of `known` each wanted id stands.

    :param complaint: beginning of the message about ids that are not there.
    :raises AssetError: naming them.
    """
    places = {identity: place for place, identity in enumerate(known)}
    absent = [identity for identity in dict.fromkeys(wanted) if identity not in places]
    if absent:
        raise AssetError(f'{complaint}: {len(absent)} not there: {shortened(absent)}')
    return [places[identity] for identity in wanted]


def described(value: Any) -> str:
    """Return what to call a JSON value in a message."""
    if isinstance(value, (list, dict)):
        return f'a {type(value).__name__} of {len(value)}: {str(value)[:60]}'
    return repr(value)[:80]


def _array_or_none(value: Any, shape: tuple[int, ...], dtype: type[np.generic]) -> Array | None:
    try:
        found = np.asarray(value, dtype=dtype).reshape(shape)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if np.isfinite(found).all() else None
