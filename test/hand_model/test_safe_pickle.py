from collections.abc import Callable
import os
from pathlib import Path
import pickle
import sys
from types import ModuleType
from typing import Any

from interwild_ros.errors import AssetError
from interwild_ros.hand_model.safe_pickle import read_pickled_arrays
import numpy as np
import pytest


class Evil:
    """Touches a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.system, (f'touch {self.path}',)


class Ch:
    """A chumpy array as chumpy pickles it: all of its attributes."""

    def __init__(self, x: Any) -> None:
        self.x = x
        self._dirty_vars: set[str] = set()


class Select:
    """A chumpy selection of flat indices of another array."""

    def __init__(self, a: Any, idxs: Any, preferred_shape: tuple[int, ...]) -> None:
        self.a, self.idxs, self.preferred_shape = a, idxs, preferred_shape


@pytest.fixture
def _chumpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process pickle under chumpy's names."""
    for kind, module in ((Ch, 'chumpy.ch'), (Select, 'chumpy.reordering')):
        fake = ModuleType(module)
        setattr(fake, kind.__name__, kind)
        monkeypatch.setitem(sys.modules, module, fake)
        monkeypatch.setattr(kind, '__module__', module)
    monkeypatch.setitem(sys.modules, 'chumpy', ModuleType('chumpy'))


def test_a_malicious_pickle_is_refused_by_name_and_not_run(tmp_path: Path) -> None:
    victim = tmp_path / 'touched'
    content = pickle.dumps({'v_template': Evil(victim)}, protocol=2)
    with pytest.raises(AssetError, match=r'hand\.pkl names (posix|nt)\.system'):
        read_pickled_arrays(content, 'hand.pkl')
    assert not victim.exists()
    pickle.loads(content)  # it was malicious indeed
    assert victim.exists()


@pytest.mark.parametrize(
    'name',
    [
        'builtins.eval',
        '__builtin__.getattr',
        'numpy.load',
        'subprocess.Popen',
        'copyreg.extension',
    ],
)
def test_every_other_global_is_refused_by_name(name: str) -> None:
    module, attribute = name.rsplit('.', 1)
    content = f'c{module}\n{attribute}\n.'.encode()
    with pytest.raises(AssetError, match=f'names {name}, which is not an array'):
        read_pickled_arrays(content, 'hand.pkl')


def test_a_name_in_the_text_form_of_protocol_4_is_refused_too() -> None:
    with pytest.raises(AssetError, match=r'names builtins\.eval'):
        read_pickled_arrays(pickle.dumps({'a': eval}, protocol=4), 'hand.pkl')


def test_modules_of_refused_names_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'imported_by_pickle.py').write_text('')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AssetError):
        read_pickled_arrays(b'cimported_by_pickle\nthing\n.', 'hand.pkl')
    assert 'imported_by_pickle' not in sys.modules


def test_references_to_outside_objects_are_refused() -> None:
    with pytest.raises(AssetError, match='outside object'):
        read_pickled_arrays(b'Psecret\n.', 'hand.pkl')


def test_bytes_in_other_codecs_are_refused() -> None:
    content = b'c_codecs\nencode\n(Vabc\nVhex\ntR.'
    with pytest.raises(AssetError, match="codec is 'hex', wanted latin1"):
        read_pickled_arrays(content, 'hand.pkl')


@pytest.mark.usefixtures('_chumpy')
@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_chumpy_array_is_its_x(protocol: int) -> None:
    x = np.arange(6.0).reshape(2, 3)
    content = pickle.dumps({'shapedirs': Ch(x)}, protocol=protocol)
    np.testing.assert_array_equal(read_pickled_arrays(content, 'hand.pkl')['shapedirs'], x)


@pytest.mark.usefixtures('_chumpy')
def test_a_chumpy_selection_picks_flat_indices() -> None:
    whole = np.arange(24.0).reshape(2, 3, 4)
    idxs = np.arange(24).reshape(2, 3, 4)[:, :, :2].ravel()
    content = pickle.dumps({'shapedirs': Select(Ch(whole), idxs, (2, 3, 2))}, protocol=2)
    found = read_pickled_arrays(content, 'hand.pkl')['shapedirs']
    np.testing.assert_array_equal(found, whole[:, :, :2])


@pytest.mark.usefixtures('_chumpy')
def test_a_damaged_chumpy_selection_is_refused() -> None:
    broken = Select(Ch(np.zeros(3)), np.array([7]), (1,))
    with pytest.raises(AssetError, match=r'shapedirs of hand\.pkl is a damaged chumpy'):
        read_pickled_arrays(pickle.dumps({'shapedirs': broken}, protocol=2), 'hand.pkl')


def test_a_sparse_matrix_with_false_indices_is_refused() -> None:
    sparse = pytest.importorskip('scipy.sparse')
    matrix = sparse.csc_matrix(np.eye(3))
    matrix.indices[1] = 999
    with pytest.raises(AssetError, match='damaged csc_matrix'):
        read_pickled_arrays(pickle.dumps({'J_regressor': matrix}, protocol=2), 'hand.pkl')


def test_something_else_than_a_dictionary_is_refused() -> None:
    with pytest.raises(AssetError, match='holds a list'):
        read_pickled_arrays(pickle.dumps([1]), 'hand.pkl')


@pytest.mark.usefixtures('_chumpy')
def test_a_pickle_cannot_change_how_the_next_one_is_read() -> None:
    # sets `kind` on the class that stands for chumpy.ch.Ch, then holds an empty dictionary
    content = b'\x80\x02cchumpy.ch\nCh\n(N}U\x04kindU\x0acsc_matrixstb0}.'
    assert read_pickled_arrays(content, 'hand.pkl') == {}
    fresh = pickle.dumps({'a': Ch(np.ones(2))}, protocol=2)
    np.testing.assert_array_equal(read_pickled_arrays(fresh, 'hand.pkl')['a'], np.ones(2))
