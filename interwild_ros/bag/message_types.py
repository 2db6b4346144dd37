"""Messages without ROS: their definitions, empty ones to fill, and their bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from interwild_ros.bag.definitions import read_definition
import numpy as np
from rosbags.interfaces import Nodetype
from rosbags.typesys import get_types_from_msg, get_typestore, Stores

_ZEROS = {'bool': False, 'string': '', 'float32': 0.0, 'float64': 0.0}
_NUMPY_NAMES = {'bool': 'bool', 'byte': 'uint8', 'char': 'uint8', 'octet': 'uint8'}


def collected(kind: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the definition of a type and of everything that it is made of, it first.

    :param kind: as ROS writes it: `package/msg/Name`.
    :returns: texts by name, and what rosbags makes of them.
    :raises AssetError: when no installed package defines one of them.
    """
    texts: dict[str, str] = {}
    types: dict[str, Any] = {}
    waiting = [kind]
    while waiting:
        name = waiting.pop()
        if name in texts:
            continue
        texts[name] = read_definition(name)
        new = get_types_from_msg(texts[name], name)
        types.update(new)
        waiting += [part for part in parts_of(new[name]) if part not in waiting]
    return texts, types


class MessageTypes:
    """Makes and serialises messages of some types, and of all that these are made of."""

    def __init__(self, kinds: Iterable[str]) -> None:
        """Read the definitions.

        :raises AssetError: when a type is not defined anywhere.
        """
        self._store = get_typestore(Stores.EMPTY)
        types: dict[str, Any] = {}
        for kind in kinds:
            types.update(collected(kind)[1])
        self._store.register(types)

    def new(self, kind: str) -> Any:
        """Return a message of zeros, empty texts and empty lists.

        Defaults that definitions name are left out: who fills a message writes every field.
        """
        fields = self._store.fielddefs[kind][1]
        return self._store.types[kind](**{name: self._empty(of) for name, of in fields})

    def serialize(self, message: Any) -> bytes:
        """Return the CDR bytes of a message with their encapsulation header."""
        return bytes(self._store.serialize_cdr(message, message.__msgtype__))

    def deserialize(self, data: bytes, kind: str) -> Any:
        """Return the message that CDR bytes hold; its arrays of numbers are views of them."""
        return self._store.deserialize_cdr(memoryview(data), kind)

    def _empty(self, field: Any) -> Any:
        node, content = field
        if node == Nodetype.NAME:
            return self.new(content)
        if node == Nodetype.BASE:
            return _ZEROS.get(content[0], 0)
        element, count = content
        if element[0] == Nodetype.BASE and element[1][0] != 'string':
            kind = element[1][0]
            return np.zeros(count if node == Nodetype.ARRAY else 0, _NUMPY_NAMES.get(kind, kind))
        return [self._empty(element) for _ in range(count if node == Nodetype.ARRAY else 0)]


def parts_of(definition: Any) -> list[str]:
    """Return the message types of a definition's fields."""
    names = []
    for _, (node, content) in definition[1]:
        if node in (Nodetype.ARRAY, Nodetype.SEQUENCE):
            node, content = content[0]
        if node == Nodetype.NAME:
            names.append(str(content))
    return names
