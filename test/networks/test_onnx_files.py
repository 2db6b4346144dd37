"""The files say what the networks say, in every engine that reads them, for any number of rows."""

from dataclasses import replace
import json
import sys

from interwild_ros.errors import AssetError
from interwild_ros.networks import onnx_files
from interwild_ros.networks.checkpoint import build_networks, Weights
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.onnx_files import (
    example_inputs,
    export_onnx,
    METADATA_KEY,
    onnx_networks,
    open_session,
    OPSET,
)
from interwild_ros.networks.rule_weights import fill_by_rule
from interwild_ros.networks.variants import TrunkSize, VARIANTS
import numpy as np
import pytest
import torch

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

FILES = ('body', 'hand', 'trans')
MADE = Weights('rule-made', meaningful=False)


def small_official():
    """Return networks built as the official ones are, with thin trunks and small heads."""
    thin, basic = TrunkSize('bottleneck', (1, 1, 1, 1), 8), TrunkSize('basic', (1, 1, 1, 1), 8)
    variant = replace(
        VARIANTS['official'],
        name='small official',
        body=thin,
        box_width=16,
        hand=thin,
        rotation_width=16,
        trans=basic,
    )
    networks = InterWild(variant).eval()
    fill_by_rule(networks)
    networks.hand_kind_net = None
    return networks


@pytest.fixture(scope='module', params=['compact', 'small official'])
def exported(request, tmp_path_factory):
    networks, weights = (
        build_networks('compact') if request.param == 'compact' else (small_official(), MADE)
    )
    folder = tmp_path_factory.mktemp('onnx') / 'files'
    return networks, folder, export_onnx(networks, weights, folder)


def cases(exported):
    networks, folder, _ = exported
    return [(network, folder / f'{network.name}.onnx') for network in onnx_networks(networks)]


def exact(network, inputs):
    with torch.inference_mode():
        return dict(zip([t.name for t in network.outputs], network.step(*inputs), strict=True))


def test_nothing_but_the_three_files_is_left_and_each_stands_alone(exported):
    _, folder, _ = exported
    assert sorted(path.name for path in folder.iterdir()) == [f'{name}.onnx' for name in FILES]
    for name in FILES:
        model = onnx.load(folder / f'{name}.onnx', load_external_data=False)
        onnx.checker.check_model(model, full_check=True)
        assert not any(tensor.external_data for tensor in model.graph.initializer)
        assert [(o.domain, o.version) for o in model.opset_import] == [('', OPSET)]


def test_batch_normalisation_is_folded(exported):
    _, folder, _ = exported
    kinds = {n.op_type for f in FILES for n in onnx.load(folder / f'{f}.onnx').graph.node}
    assert 'Conv' in kinds
    assert 'BatchNormalization' not in kinds


def test_every_tensor_was_checked_and_is_within_its_tolerance(exported):
    _, _, checked = exported
    wanted = [(f'{n.name}.onnx', t.name) for n, _ in cases(exported) for t in n.outputs]
    assert [(d.file, d.tensor) for d in checked] == wanted
    assert all(d.is_ok and d.difference < d.tolerance / 5 for d in checked)


@pytest.mark.parametrize('rows', [1, 2, 3, 5])
def test_onnx_runtime_says_what_the_networks_say(exported, rows):
    for network, path in cases(exported):
        inputs = example_inputs(network, rows)
        feed = {t.name: x.numpy() for t, x in zip(network.inputs, inputs, strict=True)}
        found = open_session(path).run(None, feed)
        for (name, wanted), ours in zip(exact(network, inputs).items(), found, strict=True):
            assert ours.shape == wanted.shape, name
            np.testing.assert_allclose(ours, wanted, atol=1e-3, rtol=0, err_msg=name)


@pytest.mark.parametrize('rows', [1, 3])
def test_openvino_says_what_the_networks_say(exported, rows, monkeypatch):
    monkeypatch.setitem(sys.modules, 'openvino_telemetry', None)  # it would report the import
    openvino = pytest.importorskip('openvino')
    for network, path in cases(exported):
        compiled = openvino.compile_model(path, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
        inputs = example_inputs(network, rows)
        found = compiled([x.numpy() for x in inputs])
        for name, wanted in exact(network, inputs).items():
            np.testing.assert_allclose(found[name], wanted, atol=1e-3, rtol=0, err_msg=name)


def test_a_file_says_what_its_tensors_are(exported):
    networks, _, _ = exported
    for network, path in cases(exported):
        model = onnx.load(path)
        said = json.loads({p.key: p.value for p in model.metadata_props}[METADATA_KEY])
        assert (said['network'], said['variant']) == (network.name, networks.variant.name)
        for kind, values in (('inputs', model.graph.input), ('outputs', model.graph.output)):
            assert [v.name for v in values] == list(said[kind])
            for value in values:
                shape = [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
                assert shape == said[kind][value.name]['shape']
                assert value.doc_string == said[kind][value.name]['meaning'] != ''


def test_a_file_tells_nothing_of_the_machine_that_it_was_made_on(exported):
    for _, path in cases(exported):
        assert b'site-packages' not in path.read_bytes()
        assert __file__.split('/test/')[0].encode() not in path.read_bytes()


def test_exporting_leaves_the_networks_as_they_were(exported):
    networks, _, _ = exported
    fresh = (
        build_networks('compact')[0] if networks.variant.name == 'compact' else small_official()
    )
    state, wanted = networks.state_dict(), fresh.state_dict()
    assert list(state) == list(wanted)
    assert all(torch.equal(state[name], wanted[name]) for name in wanted)


def test_a_file_that_says_something_else_is_refused_and_nothing_is_left(tmp_path, monkeypatch):
    """Networks that are not what is written: another weight in the reference is a difference."""
    folded = onnx_files.folded

    def wrongly_folded(networks):
        wrong = folded(networks)
        wrong.hand_trans_net.fc[0].bias.data += 1
        return wrong

    monkeypatch.setattr(onnx_files, 'folded', wrongly_folded)
    monkeypatch.setattr(onnx_files, 'onnx_networks', lambda networks: onnx_networks(networks)[2:])
    folder = tmp_path / 'new'
    with pytest.raises(AssetError, match=r'trans.onnx left_from_right_m by 1, allowed'):
        export_onnx(small_official(), MADE, folder)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_an_error(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(AssetError, match='cannot write to'):
        export_onnx(small_official(), MADE, tmp_path / 'file' / 'folder')
    assert [path.name for path in tmp_path.iterdir()] == ['file']


def test_what_is_no_onnx_file_is_refused(tmp_path):
    path = tmp_path / 'body.onnx'
    path.write_bytes(b'no protobuf')
    with pytest.raises(AssetError, match=r'body\.onnx: ONNX Runtime refuses it'):
        open_session(path)


def test_without_the_extra_its_name_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_files, '_NEEDED', ('onnx', 'no_such_module'))
    with pytest.raises(AssetError, match=r'need no_such_module: pip install .*\[onnx\]'):
        export_onnx(small_official(), MADE, tmp_path / 'new')
    assert list(tmp_path.iterdir()) == []
