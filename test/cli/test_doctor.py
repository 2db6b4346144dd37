import hashlib
import importlib.util
import json
import shutil

from interwild_ros.cli.diagnosis import diagnose, Diagnosis, Finding
from interwild_ros.config import Settings
from interwild_ros.hand_model import mano_file
from interwild_ros.testing.parity_hand import write_parity_mano
import pytest

HAS_ROS = importlib.util.find_spec('rclpy') is not None


def finding(diagnosis, name):
    (found,) = (f for f in diagnosis.findings if f.name == name)
    return found


def assets(**settings):
    diagnosis = diagnose(Settings(**settings))
    return finding(diagnosis, 'hand model'), finding(diagnosis, 'weights')


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.skipif(not HAS_ROS, reason='this machine has no ROS')
def test_a_machine_that_runs_the_tests_is_ready(interwild):
    done = interwild('doctor')
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == 'Everything needed to run is here.'


def test_json_says_the_same_as_the_table(interwild):
    done, table = interwild('doctor', '--json'), interwild('doctor')
    content = json.loads(done.stdout)
    assert set(content) == {'is_ready', 'missing', 'findings'}
    keys = {'part', 'name', 'found', 'detail', 'needed', 'source', 'sha256'}
    assert all(set(entry) == keys for entry in content['findings'])
    assert content['is_ready'] == (done.returncode == 0) == (table.returncode == 0)
    assert all(entry['detail'] in table.stdout for entry in content['findings'])


def test_what_is_missing_is_named_with_its_source_and_exit_code_1(interwild, tmp_path):
    done = interwild('doctor', '--json', '--mano-dir', tmp_path, '--weights', tmp_path / 'w.pth')
    content = json.loads(done.stdout)
    assert done.returncode == 1
    assert content['missing'][-2:] == ['hand model', 'weights']
    by_name = {entry['name']: entry for entry in content['findings']}
    assert 'mano.is.tue.mpg.de' in by_name['hand model']['source']
    assert str(tmp_path) in by_name['hand model']['detail']
    assert 'CC BY-NC' in by_name['weights']['source']
    assert 'w.pth' in by_name['weights']['detail']


def test_the_stand_in_is_found_named_and_hashed(monkeypatch):
    monkeypatch.delenv(mano_file.MANO_DIR_VARIABLE, raising=False)
    hand_model, _ = assets()
    assert hand_model.found
    assert 'stand-in' in hand_model.detail
    assert 'mano.is.tue.mpg.de' in hand_model.source
    assert len(hand_model.sha256) == 2


def test_mano_is_found_by_flag_and_by_environment(tmp_path, monkeypatch):
    write_parity_mano(tmp_path)
    hashes = {sha256(path) for path in tmp_path.rglob('MANO_*')}
    by_flag, _ = assets(mano_dir=str(tmp_path))
    monkeypatch.setenv(mano_file.MANO_DIR_VARIABLE, str(tmp_path))
    by_environment, _ = assets()
    assert by_flag == by_environment
    assert by_flag.detail == 'MANO'
    assert by_flag.source == ''
    assert set(by_flag.sha256) <= hashes


def test_rule_made_weights_are_called_meaningless():
    _, weights = assets()
    assert weights.found
    assert ('mean nothing' in weights.detail) == ('rule-made' in weights.detail)


def test_a_damaged_weights_file_is_missing_with_the_reason(tmp_path):
    path = tmp_path / 'weights.pth'
    path.write_bytes(b'no checkpoint')
    _, weights = assets(weights=str(path))
    assert not weights.found
    assert 'damaged' in weights.detail or 'refused' in weights.detail


def test_a_gpu_that_is_required_and_absent_is_missing():
    if shutil.which('nvidia-smi'):
        pytest.skip('this machine may have a GPU')
    device = finding(diagnose(Settings(require_gpu=True)), 'device')
    assert not device.found
    assert 'require_gpu' in device.detail


def test_only_what_is_needed_can_be_missing():
    absent = Finding('part', 'extra', False, '', needed=False)
    assert Diagnosis((absent,)).is_ready
    assert not Diagnosis((absent, Finding('part', 'core', False, ''))).is_ready
