import json

from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.testing.tiny_datasets import write_hic, write_interhand26m
from interwild_ros.train.export import export
import pytest


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'w.safetensors'
    export(build_networks('compact')[0], path)
    return path


def test_a_data_set_in_its_published_layout_gives_the_papers_row(run_interwild, tmp_path, weights):
    write_hic(tmp_path / 'hic')
    words = ('--weights', weights, '--data', 'hic', '--root', tmp_path / 'hic', '--json')
    found = run_interwild('evaluate', *map(str, words), cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    row = json.loads(found.stdout)
    assert row['data'] == 'hic'
    assert row['picture_count'] > 0
    assert row['mpvpe_all_mm'] > 0
    assert row['mpjpe_all_mm'] is None


def test_a_data_set_without_its_folder_is_refused(run_interwild, tmp_path):
    found = run_interwild('evaluate', '--data', 'interhand26m', cwd=tmp_path)
    assert found.returncode == 2
    assert '--root' in found.stderr


def test_a_folder_that_holds_only_half_is_named(run_interwild, tmp_path, weights):
    write_interhand26m(tmp_path / 'ih', split='test')
    missing = tmp_path / 'ih/annotations/test/InterHand2.6M_test_camera.json'
    missing.unlink()
    words = ('--weights', weights, '--data', 'interhand26m', '--root', tmp_path / 'ih')
    found = run_interwild('evaluate', *map(str, words), cwd=tmp_path)
    assert found.returncode == 2
    assert 'Traceback' not in found.stderr
    assert str(tmp_path / 'ih') in found.stderr


def test_the_held_out_pictures_are_the_same_on_every_run(run_interwild, tmp_path, weights):
    words = ('evaluate', '--weights', str(weights), '--count', '2', '--json')
    one, other = (run_interwild(*words, cwd=tmp_path) for _ in range(2))
    assert one.returncode == 0, one.stderr
    assert json.loads(one.stdout) == json.loads(other.stdout)
    assert json.loads(one.stdout)['picture_count'] == 2
