"""The loop on tiny recipes: what it learns, keeps, refuses and survives."""

from contextlib import closing
import multiprocessing
import os
import signal
import warnings

from interwild_ros.errors import TrainingError
from interwild_ros.testing.tiny_training import Remembering, tiny_parts, tiny_recipe
from interwild_ros.train.loop import mean_measures, Trainer
from interwild_ros.train.snapshots import read_snapshot
from interwild_ros.train.world import World
import pytest
import torch

CPU = World(torch.device('cpu'))


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in one order: runs can be compared to the bit
    yield
    torch.set_num_threads(before)


@pytest.fixture
def snapshot(tmp_path):
    return tmp_path / 'task.pt'


def trainer_of(recipe, snapshot, parts=None):
    (task,) = recipe.tasks
    return Trainer(task.name, recipe, parts or tiny_parts(recipe), CPU, snapshot)


def held_out_loss(parts):
    with torch.no_grad():
        losses = [sum(parts.task(batch).values()) for batch in parts.held_out()]
    return float(sum(losses))


def never():
    return False


def after(steps):
    """Return a request to stop before step number `steps`."""
    asked = []
    return lambda: asked.append(1) or len(asked) > steps


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


@pytest.mark.parametrize(('task', 'steps'), [('shnet', 20), ('detectnet', 20), ('transnet', 40)])
def test_every_task_learns_what_its_pictures_show(task, steps, snapshot):
    recipe = tiny_recipe(
        task, {'log_every_sec': 0.0}, steps=steps, batch_size=8, learning_rate=2e-3
    )
    parts, heard = tiny_parts(recipe), Remembering()
    before = held_out_loss(parts)
    assert trainer_of(recipe, snapshot, parts).run(heard, never)
    assert held_out_loss(parts) < 0.9 * before
    assert heard.steps[-1].fraction == 1.0
    assert all(value == value for value in heard.validations[-1].measures.values())


@pytest.mark.parametrize(
    ('precision', 'optimizer'),
    [('float32', 'adamw'), ('bfloat16', 'adamw'), ('float32', 'muon')],
)
def test_a_run_that_was_stopped_ends_where_the_unbroken_one_ends(precision, optimizer, tmp_path):
    recipe = tiny_recipe(precision=precision, optimizer=optimizer)
    whole, broken = tmp_path / 'whole.pt', tmp_path / 'broken.pt'
    assert trainer_of(recipe, whole).run(Remembering(), never)
    assert not trainer_of(recipe, broken).run(Remembering(), after(3))
    assert read_snapshot(broken)['spent']['steps'] == 3
    resumed = trainer_of(recipe, broken)
    assert not resumed.resume()
    assert resumed.run(Remembering(), never)
    one, other = read_snapshot(whole), read_snapshot(broken)
    assert_same(one['network'], other['network'])
    assert_same(one['average'], other['average'])
    assert one['means'] == other['means']
    assert one['position'] == other['position'] == {'done': 6, 'world_size': 1}


def test_a_finished_run_says_so(snapshot):
    recipe = tiny_recipe(steps=1)
    trainer_of(recipe, snapshot).run(Remembering(), never)
    assert trainer_of(recipe, snapshot).resume()


def test_another_recipe_is_not_resumed_and_what_differs_is_named(snapshot):
    trainer_of(tiny_recipe(steps=1), snapshot).run(Remembering(), never)
    other = trainer_of(tiny_recipe(steps=1, batch_size=3), snapshot)
    with pytest.raises(TrainingError, match=r'optimisation\.batch_size was 2, is now 3'):
        other.resume()


def test_other_workers_and_threads_are_no_other_recipe(snapshot):
    trainer_of(tiny_recipe(steps=1), snapshot).run(Remembering(), never)
    other = trainer_of(tiny_recipe(steps=1, running={'workers': 2, 'threads': 1}), snapshot)
    assert other.resume()


class Spoilt:
    """Batches of which one holds a number that is none."""

    def __init__(self, batches, number):
        self._batches, self._number = batches, number

    def __getattr__(self, name):
        return getattr(self._batches, name)

    def __iter__(self):
        for number, (name, batch) in enumerate(self._batches):
            if number == self._number:
                batch = batch._replace(left_from_right_m=batch.left_from_right_m * torch.nan)
            yield name, batch


def test_a_loss_that_is_no_number_stops_and_the_last_checkpoint_stays(snapshot):
    recipe = tiny_recipe(running={'checkpoint_every_sec': 0.0})
    parts = tiny_parts(recipe)
    parts = parts.__class__(**{**vars(parts), 'batches': Spoilt(parts.batches, 2)})
    with pytest.raises(TrainingError, match='samples 4 to 5 of seed 3, after 2 steps'):
        trainer_of(recipe, snapshot, parts).run(Remembering(), never)
    kept = read_snapshot(snapshot)
    assert kept['spent']['steps'] == 2
    assert all(torch.isfinite(tensor).all() for tensor in kept['network'].values())


def test_the_average_is_what_is_validated_and_kept(snapshot):
    recipe = tiny_recipe(steps=3)
    parts = tiny_parts(recipe)
    heard = Remembering()
    trainer_of(recipe, snapshot, parts).run(heard, never)
    saved = read_snapshot(snapshot)
    assert not torch.equal(
        saved['average']['hand_trans_net.fc.0.weight'],
        saved['network']['hand_trans_net.fc.0.weight'],
    )
    assert parts.task.training
    parts.task.load_state_dict(saved['average'])
    measured = mean_measures(parts.task.eval().measure(batch) for batch in parts.held_out())
    assert measured == pytest.approx(heard.validations[-1].measures, rel=1e-5)


def test_samples_do_not_depend_on_workers(snapshot, tmp_path):
    heard = []
    for workers in (0, 2):
        recipe = tiny_recipe(running={'workers': workers})
        batches = iter(tiny_parts(recipe).batches)
        heard.append([next(batches) for _ in range(4)])
        batches.close()
    for (one, first), (other, second) in zip(*heard, strict=True):
        assert one == other
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_workers_leave_the_cores_to_the_networks():
    with closing(iter(tiny_parts(tiny_recipe(running={'workers': 2})).batches)) as batches:
        next(batches), next(batches)  # one of each
        children = multiprocessing.active_children()
        assert [os.getpriority(os.PRIO_PROCESS, child.pid) for child in children] == [19, 19]


def test_a_worker_that_is_killed_is_replaced_and_no_batch_is_lost():
    recipe = tiny_recipe(running={'workers': 1, 'ahead': 1})
    supply, whole = tiny_parts(recipe).batches, iter(tiny_parts(tiny_recipe()).batches)
    heard = []
    with closing(iter(supply)) as batches:
        for number in range(6):
            if number == 2:
                for child in multiprocessing.active_children():
                    os.kill(child.pid, signal.SIGKILL)
                    child.join()
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter('always')
                name, batch = next(batches)
            supply.advance()
            wanted_name, wanted = next(whole)
            assert name == wanted_name
            assert all(torch.equal(a, b) for a, b in zip(batch, wanted, strict=True))
            heard += said
    assert ['take over' in str(warning.message) for warning in heard] == [True]


def test_measures_without_a_number_are_left_out():
    rows = [{'a': torch.tensor([1.0]), 'b': torch.zeros(0)}, {'a': torch.tensor([2.0, 3.0])}]
    assert mean_measures(rows) == {'a': 2.0}
