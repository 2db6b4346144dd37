"""Read the arrays in a pickle without running what a pickle may contain.

MANO's files are Python 2 pickles of numpy arrays, scipy sparse matrices and chumpy expressions.
Here numpy's few constructors are the only ones that run. Sparse matrices and chumpy nodes become
inert bags of their state, which this module evaluates itself; every other name is refused before
anything of it is imported. Neither scipy nor chumpy is needed.
"""

from __future__ import annotations

from collections.abc import Callable
import io
import pickle
from typing import Any, NoReturn

from interwild_ros.errors import AssetError
from interwild_ros.records import Array
import numpy as np

_SPARSE_MODULES = (
    'scipy.sparse.csc',
    'scipy.sparse._csc',
    'scipy.sparse.csr',
    'scipy.sparse._csr',
)
_CHUMPY_NAMES = (('chumpy.ch', 'Ch'), ('chumpy.reordering', 'Select'))
# What a damaged or hostile stream makes the unpickler raise.
_DAMAGE = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
    AssertionError,
    ImportError,
)


class InertObject:
    """State of a pickled object whose class is known by name only. It has no behaviour."""

    kind = ''


def read_pickled_arrays(content: bytes, source: str) -> dict[str, Any]:
    """Return the dictionary in a pickle, its arrays dense and plain.

    :param content: the whole file.
    :param source: name of the file, for messages.
    :raises AssetError: when the pickle names anything but array constructors, is damaged, or holds
        something other than a dictionary.
    """
    try:
        found = _ArrayUnpickler(content, source).load()
    except _DAMAGE as error:
        raise AssetError(f'{source} is truncated or damaged: {error}') from error
    if not isinstance(found, dict):
        raise AssetError(f'{source} holds a {type(found).__name__}, wanted a dictionary of arrays')
    return {str(key): _plain(value, f'{key} of {source}') for key, value in found.items()}


class _ArrayUnpickler(pickle.Unpickler):
    def __init__(self, content: bytes, source: str) -> None:
        # latin1 reads the strings and array buffers of Python 2
        super().__init__(io.BytesIO(content), encoding='latin1')
        self._source = source
        self._allowed = _allowed_globals()

    def find_class(self, module: str, name: str) -> Any:
        """Return the constructor of that name, or refuse it."""
        allowed = self._allowed.get((module, name))
        if allowed is None:
            raise AssetError(
                f'{self._source} names {module}.{name}, which is not an array: refused, '
                'and nothing of it was run'
            )
        return allowed

    def persistent_load(self, pid: Any) -> NoReturn:
        """Refuse references to things outside the file."""
        raise AssetError(f'{self._source} refers to an outside object {pid!r}: refused')


def _allowed_globals() -> dict[tuple[str, str], Any]:
    # Made anew for each file: a pickle can set attributes on what it was handed.
    allowed: dict[tuple[str, str], Any] = {
        ('numpy', 'ndarray'): np.ndarray,
        ('numpy', 'dtype'): np.dtype,
        ('_codecs', 'encode'): _latin1_encoder(),
        ('copy_reg', '_reconstructor'): _inert_reconstructor(),
        ('copyreg', '_reconstructor'): _inert_reconstructor(),
    }
    for builtins in ('builtins', '__builtin__'):
        allowed[builtins, 'object'] = object
        allowed[builtins, 'set'] = set
    for package in ('numpy.core', 'numpy._core'):
        allowed[f'{package}.multiarray', '_reconstruct'] = np.zeros(1).__reduce__()[0]
        allowed[f'{package}.multiarray', 'scalar'] = np.float64(0).__reduce__()[0]
        allowed[f'{package}.numeric', '_frombuffer'] = _buffer_reader()
    for module in _SPARSE_MODULES:
        name = f'{module[-3:]}_matrix'
        allowed[module, name] = _inert_class(name)
    for module, name in _CHUMPY_NAMES:
        allowed[module, name] = _inert_class(f'{module}.{name}')
    return allowed


def _inert_class(kind: str) -> type[InertObject]:
    return type('InertObject', (InertObject,), {'kind': kind})


def _latin1_encoder() -> Callable[[str, str], bytes]:
    # Python 3 writes bytes this way in protocol 2. Other codecs are imported by their name.
    def encode(text: str, encoding: str = 'latin1') -> bytes:
        if encoding not in ('latin1', 'latin-1'):
            raise pickle.UnpicklingError(f'codec is {encoding!r}, wanted latin1')
        return text.encode('latin1')

    return encode


def _inert_reconstructor() -> Callable[[type, type, Any], object]:
    # How protocols 0 and 1 make an instance before its state is set.
    def reconstruct(kind: type, base: type, state: Any) -> object:
        if not issubclass(kind, InertObject) or base is not object:
            raise pickle.UnpicklingError(f'cannot reconstruct a {kind.__name__}')
        return kind()

    return reconstruct


def _buffer_reader() -> Callable[..., Array]:
    # How protocol 5 writes an array.
    def from_buffer(buffer: Any, dtype: Any, shape: Any, order: Any) -> Array:
        return np.frombuffer(buffer, dtype=dtype).reshape(shape, order=order)

    return from_buffer


def _plain(value: Any, what: str) -> Any:
    if not isinstance(value, InertObject):
        return value
    try:
        if value.kind.endswith('_matrix'):
            return _dense(value)
        return _chumpy_value(value)
    except _DAMAGE as error:
        raise AssetError(f'{what} is a damaged {value.kind}: {error}') from error


def _chumpy_value(node: Any) -> Array:
    """Evaluate a chumpy node: Ch is its `x`; Select picks flat indices of another node."""
    if not isinstance(node, InertObject):
        return np.asarray(node)
    state = vars(node)
    if node.kind == 'chumpy.ch.Ch':
        return np.asarray(state['x'])
    picked: Array = _chumpy_value(state['a']).ravel()[np.asarray(state['idxs'])]
    return picked.reshape(state['preferred_shape']) if 'preferred_shape' in state else picked


def _dense(matrix: InertObject) -> Array:
    """Return a compressed sparse matrix as a plain array, by rows of its compressed axis."""
    state = vars(matrix)
    shape = tuple(state['_shape'] if '_shape' in state else state['shape'])
    by_column = matrix.kind == 'csc_matrix'
    lines, length = reversed(shape) if by_column else shape
    starts = np.asarray(state['indptr'])
    counts = np.diff(starts)
    if len(counts) != lines or len(state['data']) != starts[-1]:
        raise ValueError(f'{len(state["data"])} values do not fill {shape}')
    dense = np.zeros((lines, length))
    np.add.at(dense, (np.repeat(np.arange(lines), counts), state['indices']), state['data'])
    return dense.T.copy() if by_column else dense
