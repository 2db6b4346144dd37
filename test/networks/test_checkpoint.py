from dataclasses import replace
import io
import pickle
import zipfile

from interwild_ros.errors import AssetError, SettingError
from interwild_ros.networks.checkpoint import (
    build_networks,
    leave_out,
    load_checkpoint,
    OPTIONAL_PARTS,
)
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.variants import VARIANTS
import pytest
import safetensors.torch
import torch

KINDS = 'hand_kind_net'


@pytest.fixture
def empty():
    return InterWild(VARIANTS['compact']).eval()


@pytest.fixture(scope='module')
def state(whole_compact):
    return {name: tensor.clone() for name, tensor in whole_compact.state_dict().items()}


@pytest.fixture(scope='module')
def older(state):
    """What a file holds that was trained before there was a kind net."""
    return {name: tensor for name, tensor in state.items() if not name.startswith(KINDS)}


def assert_loaded(networks, state):
    found = networks.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


def test_a_training_snapshot_loads_with_and_without_the_wrapper_prefix(tmp_path, empty, state):
    for i, prefix in enumerate(('module.', '')):
        path = tmp_path / f'snapshot_{i}.pth'
        named = {prefix + name: tensor for name, tensor in state.items()}
        torch.save({'epoch': 6, 'network': named, 'optimizer': {'state': {}}}, path)
        load_checkpoint(empty, path)
        assert_loaded(empty, state)


def test_a_plain_state_dict_and_safetensors_load(tmp_path, empty, state):
    torch.save(state, tmp_path / 'plain.pt')
    safetensors.torch.save_file(state, tmp_path / 'weights.safetensors')
    for name in ('plain.pt', 'weights.safetensors'):
        load_checkpoint(empty, tmp_path / name)
        assert_loaded(empty, state)


def test_the_hand_models_buffers_are_ignored(tmp_path, empty, state):
    extra = {'module.mano_layer_right.v_template': torch.zeros(778, 3)}
    torch.save({**state, **extra}, tmp_path / 'w.pth')
    load_checkpoint(empty, tmp_path / 'w.pth')
    assert_loaded(empty, state)


@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_weights_that_are_older_than_a_part_load_without_it(tmp_path, older, prefix):
    path = tmp_path / 'older.pth'
    torch.save({prefix + name: tensor for name, tensor in older.items()}, path)
    networks, weights = build_networks('compact', str(path))
    assert networks.hand_kind_net is None
    assert weights.meaningful
    assert set(networks.state_dict()) == set(older)
    assert_loaded(networks, older)


def test_weights_with_every_part_load_with_it(tmp_path, state):
    safetensors.torch.save_file(state, tmp_path / 'w.safetensors')
    networks, _ = build_networks('auto', str(tmp_path / 'w.safetensors'))
    assert networks.hand_kind_net is not None
    assert_loaded(networks, state)


def test_what_a_file_lacks_of_optional_parts_is_told_and_stays_as_it_is(
    tmp_path, empty, state, older
):
    before = {name: tensor.clone() for name, tensor in empty.state_dict().items()}
    torch.save(older, tmp_path / 'older.pth')
    assert load_checkpoint(empty, tmp_path / 'older.pth', optional=OPTIONAL_PARTS) == (KINDS,)
    assert_loaded(empty, older)
    assert_loaded(empty, {name: before[name] for name in state if name not in older})
    torch.save(state, tmp_path / 'whole.pth')
    assert load_checkpoint(empty, tmp_path / 'whole.pth', optional=OPTIONAL_PARTS) == ()
    assert_loaded(empty, state)


def test_a_part_is_optional_only_where_that_is_said(tmp_path, empty, older):
    torch.save(older, tmp_path / 'older.pth')
    with pytest.raises(AssetError, match=r'missing: hand_kind_net\.'):
        load_checkpoint(empty, tmp_path / 'older.pth')


def test_an_optional_part_that_is_not_whole_is_refused_and_named(tmp_path, state):
    broken = {name: t for name, t in state.items() if name != f'{KINDS}.out.0.bias'}
    torch.save(broken, tmp_path / 'w.pth')
    with pytest.raises(AssetError, match=r'1 missing: hand_kind_net\.out\.0\.bias'):
        build_networks('compact', str(tmp_path / 'w.pth'))


def test_a_part_that_the_variant_does_not_have_is_refused(tmp_path, official):
    extra = {f'{KINDS}.out.0.bias': torch.zeros(3)}
    torch.save({**official.state_dict(), **extra}, tmp_path / 'w.pth')
    with pytest.raises(AssetError, match=r'1 not of this network: hand_kind_net\.out\.0\.bias'):
        build_networks('official', str(tmp_path / 'w.pth'))


@pytest.mark.parametrize('variant', ['compact', 'official'])
def test_rule_made_networks_tell_no_kinds(variant):
    assert build_networks(variant, 'rule-made')[0].hand_kind_net is None


def test_what_is_missing_extra_or_of_another_shape_is_named(tmp_path, empty, state):
    broken = dict(state)
    del broken['hand_trans_net.fc.0.bias']
    broken['head.weight'] = torch.zeros(3)
    broken['body_backbone.conv1.weight'] = torch.zeros(1, 2)
    torch.save(broken, tmp_path / 'w.pth')
    with pytest.raises(AssetError) as caught:
        load_checkpoint(empty, tmp_path / 'w.pth')
    message = str(caught.value)
    assert '1 missing: hand_trans_net.fc.0.bias' in message
    assert '1 not of this network: head.weight' in message
    assert 'body_backbone.conv1.weight is (1, 2), wanted (32, 3, 7, 7)' in message


def test_another_network_is_refused_in_one_readable_line(tmp_path, official, state):
    torch.save(state, tmp_path / 'compact.pth')
    with pytest.raises(AssetError, match=r'and \d+ more') as caught:
        load_checkpoint(official, tmp_path / 'compact.pth')
    assert len(str(caught.value)) < 4000


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), 'w')


def malicious_zip(path, target):
    """Write a torch zip archive whose pickle opens a file."""
    torch.save({'network': {}}, path)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, 'w') as archive:
        for name, data in content.items():
            archive.writestr(
                name, pickle.dumps(Malicious(target), protocol=2) if 'data.pkl' in name else data
            )


def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, empty):
    target = tmp_path / 'touched'
    malicious_zip(tmp_path / 'zip.pth', target)
    (tmp_path / 'bare.pth').write_bytes(pickle.dumps({'network': Malicious(target)}, protocol=2))
    for name in ('zip.pth', 'bare.pth'):
        with pytest.raises(AssetError, match=name):
            load_checkpoint(empty, tmp_path / name)
    assert not target.exists()


@pytest.mark.parametrize('kept', [0, 10, 5000])
def test_a_truncated_file_is_refused(tmp_path, empty, state, kept):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    (tmp_path / 'w.pth').write_bytes(buffer.getvalue()[:kept])
    with pytest.raises(AssetError, match=r'w\.pth'):
        load_checkpoint(empty, tmp_path / 'w.pth')


def test_a_truncated_safetensors_file_is_refused(tmp_path, empty, state):
    safetensors.torch.save_file(state, tmp_path / 'whole.safetensors')
    content = (tmp_path / 'whole.safetensors').read_bytes()
    (tmp_path / 'w.safetensors').write_bytes(content[: len(content) // 2])
    with pytest.raises(AssetError, match=r'w\.safetensors'):
        load_checkpoint(empty, tmp_path / 'w.safetensors')


@pytest.mark.parametrize('content', [[1, 2], {'network': {'a': 'text'}}, {3: torch.zeros(1)}])
def test_something_else_than_tensors_by_name_is_refused(tmp_path, empty, content):
    torch.save(content, tmp_path / 'w.pth')
    with pytest.raises(AssetError, match='wanted'):
        load_checkpoint(empty, tmp_path / 'w.pth')


def test_a_missing_file_and_a_folder_are_refused(tmp_path, empty):
    for path in (tmp_path / 'none.pth', tmp_path):
        with pytest.raises(AssetError, match='no such file'):
            load_checkpoint(empty, path)


def test_a_refused_checkpoint_leaves_the_networks_as_they_were(tmp_path, empty, state):
    before = {name: tensor.clone() for name, tensor in empty.state_dict().items()}
    broken = dict(state)
    del broken['hand_trans_net.fc.0.bias']
    torch.save(broken, tmp_path / 'w.pth')
    with pytest.raises(AssetError):
        load_checkpoint(empty, tmp_path / 'w.pth')
    assert_loaded(empty, before)


def test_weights_say_what_they_are(tmp_path, state):
    torch.save(state, tmp_path / 'mine.pth')
    _, weights = build_networks('compact', str(tmp_path / 'mine.pth'))
    assert weights.name == 'mine.pth'
    assert weights.meaningful
    assert len(weights.sha256) == 64


@pytest.mark.parametrize('variant', ['auto', 'compact', 'official'])
def test_rule_made_weights_can_be_had_by_name(variant):
    networks, weights = build_networks(variant, 'rule-made')
    assert networks.variant.name == ('compact' if variant == 'auto' else variant)
    assert (weights.name, weights.meaningful) == ('rule-made', False)


def test_the_official_networks_ship_without_weights():
    assert build_networks('official')[1].name == 'rule-made'


def test_an_unknown_variant_is_refused():
    with pytest.raises(SettingError, match='tiny'):
        build_networks('tiny')


def test_without_the_kind_net_they_speak_of_the_cameras_axes():
    networks = InterWild(VARIANTS['compact'])
    assert networks.spaces.along_sight
    leave_out(networks, OPTIONAL_PARTS)
    assert networks.spaces == replace(VARIANTS['compact'].spaces, along_sight=False, upright=False)
