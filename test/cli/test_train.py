"""`interwild train` in processes of its own: killed, stopped, resumed, and several at once."""

import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from interwild_ros.networks.checkpoint import build_networks, SHIPPED
from interwild_ros.train.snapshots import read_snapshot
import pytest
from safetensors.torch import load_file
import torch

RECIPE = """
variant: compact
seed: 5
tasks:
  transnet:
    data: {{held_out_samples: 8}}
    optimisation:
      steps: {steps}
      batch_size: 2
      warm_up_steps: 2
      average_decay: 0.9
running: {{device: cpu, workers: 1, threads: 1, log_every_sec: 0, checkpoint_every_sec: 0}}
"""
STEPS = 40


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / 'tiny.yaml'
    path.write_text(RECIPE.format(steps=STEPS))
    return path


def command(recipe, out, *rest):
    words = ['train', '--config', recipe, '--out', out, *rest]
    return [sys.executable, '-m', 'interwild_ros.cli.main', *map(str, words)]


def started(recipe, out, environment, *rest):
    return subprocess.Popen(
        command(recipe, out, *rest),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_steps(out, count):
    log = Path(out) / 'log.jsonl'
    for _ in range(2400):
        if log.exists() and log.read_text().count('"event": "step"') >= count:
            return
        time.sleep(0.05)
    pytest.fail(f'{log} does not get {count} steps')


def trained(recipe, out, environment, *rest):
    process = started(recipe, out, environment, *rest)
    _, errors = process.communicate(timeout=180)
    return process.returncode, errors


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """What an unbroken run ends with."""
    folder = tmp_path_factory.mktemp('whole')
    recipe = folder / 'tiny.yaml'
    recipe.write_text(RECIPE.format(steps=STEPS))
    environment = dict(os.environ)
    code, errors = trained(recipe, folder / 'out', environment)
    assert code == 0, errors
    return folder / 'out'


def assert_ends_alike(out, whole):
    one, other = read_snapshot(out / 'transnet.pt'), read_snapshot(whole / 'transnet.pt')
    assert one['is_finished']
    assert other['is_finished']
    for part in ('network', 'average'):
        for name, tensor in one[part].items():
            assert torch.equal(tensor, other[part][name]), name


def test_a_run_killed_in_its_middle_is_resumed_to_the_same_end(
    recipe, tmp_path, environment, whole
):
    out = tmp_path / 'out'
    process = started(recipe, out, environment)
    wait_for_steps(out, 6)
    process.kill()
    process.communicate(timeout=60)  # ends only when the workers, who share its output, have ended
    assert 5 <= read_snapshot(out / 'transnet.pt')['spent']['steps'] < STEPS
    code, errors = trained(recipe, out, environment, '--resume', '--workers', '2')
    assert code == 0, errors
    assert_ends_alike(out, whole)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_keeps_its_state_and_says_so(
    number, recipe, tmp_path, environment
):
    recipe.write_text(RECIPE.format(steps=10**6).replace('_sec: 0', '_sec: 0.01'))
    out = tmp_path / 'out'
    process = started(recipe, out, environment)
    wait_for_steps(out, 2)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert 'Traceback' not in errors
    assert '--resume goes on' in errors
    assert read_snapshot(out / 'transnet.pt')['spent']['steps'] >= 2


def test_what_is_there_is_never_overwritten_unasked(recipe, environment, whole):
    before = (whole / 'transnet.pt').read_bytes()
    code, errors = trained(recipe, whole, environment)
    assert code == 2
    assert '--resume' in errors
    code, errors = trained(recipe, whole, environment, '--resume', '--steps', STEPS + 1)
    assert code == 2
    assert f'optimisation.steps was {STEPS}, is now {STEPS + 1}' in errors
    code, errors = trained(recipe, whole, environment, '--resume')
    assert code == 0
    assert 'finished before' in errors
    assert (whole / 'transnet.pt').read_bytes() == before


def test_the_log_holds_losses_and_measures(whole):
    lines = [json.loads(line) for line in (whole / 'log.jsonl').read_text().splitlines()]
    steps = [line for line in lines if line['event'] == 'step']
    assert [line['step'] for line in steps] == list(range(1, STEPS + 1))
    assert set(steps[0]['losses']) == {'loss', 'left_from_right_m'}
    assert lines[-1]['event'] == 'validation'
    assert lines[-1]['measures']['mrrpe_mm'] > 0


def train_in_two(recipe, out, environment):
    """Train in two processes that torchrun starts, and expect it to go well."""
    words = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2']
    found = subprocess.run(
        [sys.executable, *words, *command(recipe, out)[1:]],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert found.returncode == 0, found.stderr


def test_two_processes_train_together(recipe, tmp_path, environment):
    out = tmp_path / 'out'
    recipe.write_text(RECIPE.format(steps=4))
    train_in_two(recipe, out, environment)
    saved = read_snapshot(out / 'transnet.pt')
    assert saved['position'] == {'done': 4, 'world_size': 2}
    lines = [json.loads(line) for line in (out / 'log.jsonl').read_text().splitlines()]
    assert len([line for line in lines if line['event'] == 'step']) == 4
    code, errors = trained(recipe, out, environment, '--resume')
    assert code == 2
    assert 'of 2 processes, these are 1' in errors


def test_two_processes_train_everything_at_once(tmp_path, environment):
    recipe, out = tmp_path / 'joint.yaml', tmp_path / 'out'
    recipe.write_text("""
variant: compact
tasks:
  joint:
    data: {synthetic_pictures: 4, held_out_samples: 2}
    optimisation: {epochs: 2, batch_size: 2, optimizer: adam, schedule: step, drops: [1]}
running: {device: cpu, workers: 1, log_every_sec: 0}
""")
    train_in_two(recipe, out, environment)
    saved = read_snapshot(out / 'joint.pt')
    assert saved['is_finished']
    # 8 pictures an epoch, 2 for each of 2 processes at a time
    assert saved['spent']['steps'] == 4
    assert saved['position']['progress'] == {'epoch': 2, 'batch': 0}
    lines = [json.loads(line) for line in (out / 'log.jsonl').read_text().splitlines()]
    rates = [line['learning_rate'] for line in lines if line['event'] == 'step']
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4])


def test_parts_that_were_never_trained_are_not_exported(recipe, environment, whole, tmp_path):
    path = tmp_path / 'w.safetensors'
    code, errors = trained(recipe, whole, environment, '--export-only', '--export', path)
    assert code == 2
    assert 'hand_roi_net' in errors
    assert not path.exists()


TWO_TASKS = """
variant: compact
begin: {begin}
tasks:
  shnet: {{optimisation: {{steps: 2, batch_size: 2}}}}
  transnet: {{data: {{held_out_samples: 8, read: 3}}, optimisation: {{steps: 2, batch_size: 2}}}}
running: {{device: cpu, workers: 1, threads: 1}}
"""


def test_an_export_that_other_tasks_would_be_missing_to_is_refused_before_training(
    tmp_path, environment
):
    recipe, path, out = tmp_path / 'two.yaml', tmp_path / 'w.safetensors', tmp_path / 'out'
    recipe.write_text(TWO_TASKS.format(begin="''"))
    code, errors = trained(recipe, out, environment, '--task', 'transnet', '--export', path)
    assert code == 2
    assert str(out / 'shnet.pt') in errors
    assert not out.exists()
    assert not path.exists()


def test_one_task_that_begins_with_weights_is_exported_beside_the_rest_of_them(
    tmp_path, environment
):
    recipe, path = tmp_path / 'two.yaml', tmp_path / 'w.safetensors'
    recipe.write_text(TWO_TASKS.format(begin=SHIPPED))
    words = ['--task', 'transnet', '--export', path]
    code, errors = trained(recipe, tmp_path / 'out', environment, *words)
    assert code == 0, errors
    assert 'SHNet reads 3 pairs first' in errors
    before, after = load_file(SHIPPED), load_file(path)
    changed = {name.split('.')[0] for name in before if (before[name] != after[name]).any()}
    assert changed == {'hand_trans_net'}


def test_a_share_of_the_weights_to_begin_with_is_kept(tmp_path, environment):
    recipe, out = tmp_path / 'two.yaml', tmp_path / 'out'
    recipe.write_text(TWO_TASKS.format(begin=SHIPPED))
    paths = [tmp_path / 'all.safetensors', tmp_path / 'half.safetensors']
    words = ['--task', 'transnet', '--export', paths[0]]
    assert trained(recipe, out, environment, *words)[0] == 0
    words = ['--export-only', '--kept', '0.5', '--export', paths[1]]
    assert trained(recipe, out, environment, *words)[0] == 0
    before, learned, found = (load_file(path) for path in (SHIPPED, *paths))
    for name, tensor in found.items():
        if tensor.is_floating_point():
            wanted = (before[name].float() + learned[name]) / 2
            torch.testing.assert_close(tensor, wanted, msg=name)


@pytest.mark.parametrize(
    ('begin', 'kept', 'why'), [("''", '0.5', 'begins without weights'), (SHIPPED, '1.0', '1.0')]
)
def test_a_share_that_cannot_be_kept_is_refused_before_training(
    tmp_path, environment, begin, kept, why
):
    recipe, out = tmp_path / 'two.yaml', tmp_path / 'out'
    recipe.write_text(TWO_TASKS.format(begin=begin))
    code, errors = trained(recipe, out, environment, '--kept', kept)
    assert code == 2
    assert why in errors
    assert not out.exists()


def test_weights_that_nothing_was_trained_from_are_not_exported_as_trained(tmp_path, environment):
    recipe, path, out = tmp_path / 'two.yaml', tmp_path / 'w.safetensors', tmp_path / 'out'
    recipe.write_text(TWO_TASKS.format(begin=SHIPPED))
    code, errors = trained(recipe, out, environment, '--export-only', '--export', path)
    assert code == 2
    assert str(out) in errors
    assert not path.exists()


def test_drawn_pictures_train_everything_at_once_and_are_exported(tmp_path, environment):
    recipe = tmp_path / 'joint.yaml'
    recipe.write_text("""
variant: compact
tasks:
  joint:
    data: {synthetic_pictures: 4, held_out_samples: 2}
    optimisation: {epochs: 1, batch_size: 4, optimizer: adam, schedule: step}
running: {device: cpu, workers: 1}
""")
    path = tmp_path / 'snapshot_6.pth'
    code, errors = trained(recipe, tmp_path / 'out', environment, '--export', path)
    assert code == 0, errors
    networks, weights = build_networks('compact', str(path))
    assert weights.meaningful
    assert networks.hand_kind_net is None  # all at once is the original's way, without it


def test_a_data_set_that_is_not_there_is_named_before_training(tmp_path, environment):
    recipe = tmp_path / 'joint.yaml'
    recipe.write_text("""
tasks:
  joint:
    data: {interhand26m: /nowhere/ih26m}
    optimisation: {epochs: 1}
""")
    code, errors = trained(recipe, tmp_path / 'out', environment)
    assert code == 2
    assert '/nowhere/ih26m' in errors
