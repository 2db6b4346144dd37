from pathlib import Path
import pickle
from typing import Any

from interwild_ros.errors import AssetError
from interwild_ros.hand_model.mano_file import (
    find_hand_models,
    HandModelFile,
    mend_left,
    read_hand_model,
    read_stand_in,
)
from interwild_ros.records import Side
import numpy as np
import pytest

Models = tuple[HandModelFile, HandModelFile]
ARRAYS = ('v_template', 'triangles', 'weights', 'j_regressor', 'shapedirs', 'posedirs')


def write(path: Path, arrays: dict[str, Any]) -> Path:
    path.write_bytes(pickle.dumps(arrays, protocol=2))
    return path


def test_a_pickle_and_the_same_arrays_as_npz_give_one_model(
    parity_dir: Path, tmp_path: Path
) -> None:
    from_pickle = read_hand_model(parity_dir / 'MANO_RIGHT.pkl', Side.RIGHT)
    arrays = {name: getattr(from_pickle, name) for name in (*ARRAYS, 'hands_mean')}
    arrays |= {'f': arrays.pop('triangles'), 'J_regressor': arrays.pop('j_regressor')}
    np.savez_compressed(tmp_path / 'MANO_RIGHT.npz', **arrays)
    from_npz = read_hand_model(tmp_path / 'MANO_RIGHT.npz', Side.RIGHT)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(from_npz, name), getattr(from_pickle, name))
    assert from_npz.sha256 != from_pickle.sha256


def test_all_protocols_read_alike(tmp_path: Path, parity_arrays: dict[str, Any]) -> None:
    models = []
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path = tmp_path / f'{protocol}.pkl'
        path.write_bytes(pickle.dumps(parity_arrays, protocol=protocol))
        models.append(read_hand_model(path, Side.RIGHT))
    for model in models[1:]:
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(model, name), getattr(models[0], name))


@pytest.mark.parametrize('form', ['csc_matrix', 'csr_matrix'])
def test_sparse_regressors_become_dense(
    tmp_path: Path, parity_arrays: dict[str, Any], form: str
) -> None:
    scipy_sparse = pytest.importorskip('scipy.sparse')
    dense = parity_arrays['J_regressor'].toarray()
    parity_arrays['J_regressor'] = getattr(scipy_sparse, form)(dense)
    model = read_hand_model(write(tmp_path / 'm.pkl', parity_arrays), Side.RIGHT)
    np.testing.assert_array_equal(model.j_regressor, dense)


def test_surplus_shape_directions_are_left_out(
    tmp_path: Path, parity_arrays: dict[str, Any]
) -> None:
    first_ten = parity_arrays['shapedirs']
    parity_arrays['shapedirs'] = np.concatenate([first_ten, first_ten], axis=2)
    model = read_hand_model(write(tmp_path / 'm.pkl', parity_arrays), Side.RIGHT)
    np.testing.assert_array_equal(model.shapedirs, first_ten)


def test_all_missing_keys_are_listed(tmp_path: Path, parity_arrays: dict[str, Any]) -> None:
    del parity_arrays['weights'], parity_arrays['f']
    with pytest.raises(AssetError, match='it lacks f, weights'):
        read_hand_model(write(tmp_path / 'm.pkl', parity_arrays), Side.RIGHT)


def test_a_wrong_shape_is_told_with_both_shapes(
    tmp_path: Path, parity_arrays: dict[str, Any]
) -> None:
    parity_arrays['v_template'] = parity_arrays['v_template'][:777]
    with pytest.raises(AssetError, match=r'v_template .*\(777, 3\), wanted \(778, 3\)'):
        read_hand_model(write(tmp_path / 'm.pkl', parity_arrays), Side.RIGHT)


def test_nan_is_refused(tmp_path: Path, parity_arrays: dict[str, Any]) -> None:
    parity_arrays['posedirs'][5, 1, 7] = np.nan
    with pytest.raises(AssetError, match=r'posedirs of the right .* NaN'):
        read_hand_model(write(tmp_path / 'm.pkl', parity_arrays), Side.RIGHT)


def test_a_triangle_outside_the_mesh_is_refused(
    tmp_path: Path, parity_arrays: dict[str, Any]
) -> None:
    parity_arrays['f'][3, 1] = 778
    with pytest.raises(AssetError, match='names vertex 778, wanted less than 778'):
        read_hand_model(write(tmp_path / 'm.pkl', parity_arrays), Side.RIGHT)


def test_text_instead_of_numbers_is_refused(tmp_path: Path, parity_arrays: dict[str, Any]) -> None:
    parity_arrays['hands_mean'] = 'flat'
    with pytest.raises(AssetError, match=r'hands_mean .* no array of numbers'):
        read_hand_model(write(tmp_path / 'm.pkl', parity_arrays), Side.RIGHT)


def test_another_skeleton_is_refused(tmp_path: Path, parity_arrays: dict[str, Any]) -> None:
    parity_arrays['kintree_table'] = np.array([[-1, 0], [0, 1]])
    with pytest.raises(AssetError, match='joint parents'):
        read_hand_model(write(tmp_path / 'm.pkl', parity_arrays), Side.RIGHT)


@pytest.mark.parametrize('suffix', ['.pkl', '.npz'])
@pytest.mark.parametrize('share', [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(
    tmp_path: Path, parity_arrays: dict[str, Any], suffix: str, share: float
) -> None:
    path = tmp_path / f'm{suffix}'
    if suffix == '.npz':
        parity_arrays['J_regressor'] = parity_arrays['J_regressor'].toarray()
        np.savez_compressed(path, **parity_arrays)
    else:
        write(path, parity_arrays)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(AssetError, match='truncated or damaged'):
        read_hand_model(path, Side.RIGHT)


def test_a_pickle_inside_an_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'm.npz'
    np.savez(path, v_template=np.array([{}], dtype=object))
    with pytest.raises(AssetError, match='allow_pickle'):
        read_hand_model(path, Side.RIGHT)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r'right hand model .*nowhere\.pkl'):
        read_hand_model(tmp_path / 'nowhere.pkl', Side.RIGHT)


def test_the_left_shape_defect_is_mended_and_only_where_it_is(parity_models: Models) -> None:
    right, left = parity_models
    mirror = np.array([-1.0, 1.0, 1.0])[:, None]
    np.testing.assert_array_equal(left.shapedirs, right.shapedirs * mirror)
    assert mend_left(right, left) is left


def test_files_in_a_folder_mano_are_found_too(
    tmp_path: Path, parity_dir: Path, parity_models: Models
) -> None:
    (tmp_path / 'mano').symlink_to(parity_dir)
    models = find_hand_models(str(tmp_path))
    assert [model.sha256 for model in models] == [model.sha256 for model in parity_models]


def test_the_environment_names_the_folder_when_the_argument_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, parity_dir: Path
) -> None:
    monkeypatch.setenv('INTERWILD_MANO_DIR', str(parity_dir))
    assert not find_hand_models('')[0].is_stand_in
    with pytest.raises(AssetError, match='MANO_RIGHT'):
        find_hand_models(str(tmp_path))


def test_without_a_folder_the_stand_in_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('INTERWILD_MANO_DIR', raising=False)
    models = find_hand_models()
    assert [model.side for model in models] == [Side.RIGHT, Side.LEFT]
    assert all(model.is_stand_in and model.name == 'stand-in' for model in models)
    assert models[1].sha256 == read_stand_in(Side.LEFT).sha256


def test_a_folder_with_one_hand_only_names_the_missing_one(
    tmp_path: Path, parity_dir: Path
) -> None:
    (tmp_path / 'MANO_RIGHT.pkl').symlink_to(parity_dir / 'MANO_RIGHT.pkl')
    with pytest.raises(AssetError, match=r'no left hand model: .*MANO_LEFT\.pkl'):
        find_hand_models(str(tmp_path))


def test_the_same_hand_twice_is_refused(tmp_path: Path, parity_dir: Path) -> None:
    for name in ('MANO_RIGHT.pkl', 'MANO_LEFT.pkl'):
        (tmp_path / name).symlink_to(parity_dir / 'MANO_RIGHT.pkl')
    with pytest.raises(AssetError, match='the same hand'):
        find_hand_models(str(tmp_path))
