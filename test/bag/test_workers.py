"""Other processes foresee a recording: real ones, some of which are killed on the way."""

import io
import multiprocessing
import os
import signal
import subprocess
import sys
import time

from analyses import bytes_of
from hand_bags import write_hand_bag
from interwild_ros.bag import workers as under_test
from interwild_ros.bag.jobs import analyse_bags, check_bags, NamedBag, Request
from interwild_ros.bag.word_file import append_word, nameless_file, StampedWord, WordReader
from interwild_ros.bag.workers import Coming, Crew, crew_of, workers_beside
from interwild_ros.config import Settings
from interwild_ros.errors import AssetError
from interwild_ros.pipeline.pipeline import load_pipeline
from interwild_ros.tracking.matching import WHOLE
import pytest
import torch

FRAMES, SKIPPED = 44, (20, 21)
LEAD = 24
LIMIT_SEC = 120.0
SETTINGS = Settings(device='cpu', threads=1)


@pytest.mark.parametrize(
    ('cores', 'threads', 'wanted', 'crew'),
    [
        (2, 0, 0, Crew(2, 1)),
        (2, 2, 0, Crew(1, 2)),
        (2, 8, 0, Crew(1, 8)),
        (6, 2, 0, Crew(3, 2)),
        (64, 0, 0, Crew(8, 1)),
        (1, 0, 0, Crew(1, 0)),
        (2, 0, 1, Crew(1, 0)),
        (1, 0, 3, Crew(3, 1)),
        (2, 2, 3, Crew(3, 2)),
    ],
)
def test_every_core_of_a_cpu_has_a_worker_unless_something_else_is_wanted(
    cores, threads, wanted, crew, monkeypatch
):
    monkeypatch.setattr(under_test, '_cores', lambda: cores)
    assert crew_of(Settings(device='cpu', threads=threads), wanted) == crew


def test_a_gpu_has_one_worker(monkeypatch):
    gpu = torch.device('cuda', 0)
    monkeypatch.setattr(under_test, 'choose_device', lambda wanted, require_gpu: (gpu, ()))
    assert crew_of(Settings()) == Crew(1, 0)
    assert crew_of(Settings(threads=3), 2) == Crew(2, 3)


def test_what_is_written_is_read_as_far_as_it_has_come(tmp_path):
    said = [StampedWord(stamp_ns, (WHOLE, f'pair {stamp_ns}')) for stamp_ns in range(3)]
    with nameless_file(tmp_path) as file:
        assert list(tmp_path.iterdir()) == []
        reader = WordReader(file)
        assert reader.next() is None
        append_word(file, said[0])
        append_word(file, said[1])
        assert [reader.next() for _ in range(3)] == [said[0], said[1], None]
        whole = io.BytesIO()
        append_word(whole, said[2])
        for byte in whole.getvalue():
            assert reader.next() is None
            file.write(bytes([byte]))
            file.flush()
        assert reader.next() == said[2]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    with pytest.raises(AssetError, match='absent'), nameless_file(tmp_path / 'absent'):
        pass


class Writer:
    """Stands for a foreseer that writes one more record whenever it is looked at."""

    def __init__(self, file, stamps_ns):
        self.file = file
        self.left = list(stamps_ns)

    def is_busy(self):
        if not self.left:
            return False
        stamp_ns = self.left.pop(0)
        append_word(self.file, StampedWord(stamp_ns, (WHOLE, f'pair {stamp_ns}')))
        return bool(self.left)


def test_what_is_to_come_is_waited_for_and_what_never_comes_is_not(tmp_path):
    with nameless_file(tmp_path) as file:
        writer = Writer(file, [1, 2, 4, 6, 6, 7])
        coming = Coming(writer, file)
        assert coming.get(2) == (WHOLE, 'pair 2')
        assert writer.left == [4, 6, 6, 7]
        assert coming.get(3) is None
        assert coming.get(4) == (WHOLE, 'pair 4')
        assert coming.get(4) == (WHOLE, 'pair 4')
        assert coming.get(7) == (WHOLE, 'pair 7')
        assert coming.get(8) is None


def test_who_lives_and_says_nothing_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    class Stuck:
        def is_busy(self):
            return True

    monkeypatch.setattr(under_test, '_PATIENCE_SEC', 0.05)
    with nameless_file(tmp_path) as file:
        coming = Coming(Stuck(), file)
        assert coming.get(1) is None
        append_word(file, StampedWord(2, (WHOLE, 'too late')))
        assert coming.get(2) is None


@pytest.fixture(scope='module')
def pipeline():
    before = torch.get_num_threads()
    yield load_pipeline(SETTINGS)
    torch.set_num_threads(before)


@pytest.fixture(scope='module')
def bags(tmp_path_factory):
    place = tmp_path_factory.mktemp('recorded')
    one = write_hand_bag(place / 'one', FRAMES, skipped=SKIPPED)
    other = write_hand_bag(place / 'other', FRAMES - 6)
    return [NamedBag(bag, bag.name) for bag in (one, other)]


@pytest.fixture(scope='module')
def analysed(bags, pipeline, tmp_path_factory):
    """Returns what analyses the bags beside workers: the bytes and how much was foreseen."""
    place = tmp_path_factory.mktemp('analysed')
    count = iter(range(10))

    def run(workers=None, say=lambda progress: None):
        out = place / str(next(count))
        request = Request(SETTINGS)
        assert check_bags(bags, out, request) == FRAMES - len(SKIPPED)
        found = list(analyse_bags(bags, out, request, pipeline, workers=workers, say=say))
        foreseen = [outcome.summary['timings']['foreseen'] for outcome in found]
        return [bytes_of(outcome.folder) for outcome in found], foreseen

    return run


@pytest.fixture(scope='module')
def alone(analysed):
    found, foreseen = analysed()
    assert foreseen == [0, 0]
    return found


def wait_until_ready(workers):
    until = time.monotonic() + LIMIT_SEC
    while not workers.are_ready():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize('count', [1, 2])
def test_the_result_is_that_of_one_process(count, analysed, alone, tmp_path):
    with workers_beside(SETTINGS, count, tmp_path, least=2, lead=LEAD) as workers:
        workers.expect(FRAMES)
        wait_until_ready(workers)
        children = multiprocessing.active_children()

        def await_them(progress):
            if not progress.total:  # the next bag is read for the first time
                wait_until_ready(workers)

        found, foreseen = analysed(workers, await_them)
        assert found == alone
        assert sum(foreseen) > 0
        assert workers.lost == 0
        assert len(children) == count
        assert set(multiprocessing.active_children()) == set(children)
    assert multiprocessing.active_children() == []
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_is_short_has_none(analysed, alone, tmp_path):
    with workers_beside(SETTINGS, 1, tmp_path, least=FRAMES) as workers:
        assert analysed(workers) == (alone, [0, 0])
        assert multiprocessing.active_children() == []


@pytest.mark.parametrize('when', [0, 20])
def test_what_a_worker_that_was_killed_has_not_foreseen_is_seen_without_it(
    when, analysed, alone, tmp_path
):
    with workers_beside(SETTINGS, 2, tmp_path, least=2, lead=LEAD) as workers:
        workers.expect(FRAMES)
        wait_until_ready(workers)

        doomed = [multiprocessing.active_children()[0]]

        def kill_one(progress):
            if progress.total and progress.done >= when and doomed:
                child = doomed.pop()
                child.kill()
                child.join()

        found, _ = analysed(workers, kill_one)
        assert found == alone
        assert not doomed
        assert workers.lost == 1


def test_workers_that_all_died_leave_everything_to_this_process(analysed, alone, tmp_path):
    with workers_beside(SETTINGS, 1, tmp_path, least=2, lead=LEAD) as workers:
        workers.expect(FRAMES)
        (child,) = multiprocessing.active_children()
        child.kill()
        assert analysed(workers) == (alone, [0, 0])
        assert workers.lost == 1


_PARENT = """
import multiprocessing, signal, sys, time
from pathlib import Path
from interwild_ros.bag.workers import workers_beside
from interwild_ros.config import Settings

if __name__ == '__main__':
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` has it ignored
    with workers_beside(Settings(device='cpu', threads=1), 2, Path(), least=1) as workers:
        workers.expect(1)
        while sys.argv[1] == 'ready' and not workers.are_ready():
            time.sleep(0.01)
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize('moment', ['begun', 'ready'])
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_process_that_has_them(number, moment, tmp_path):
    script = tmp_path / 'parent.py'
    script.write_text(_PARENT)
    process = subprocess.Popen(
        [sys.executable, script, moment],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    children = [int(pid) for pid in process.stdout.readline().split()]
    assert len(children) == 2
    assert all(map(does_not_hear_interrupts, children))
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.kill()
    _, errors = process.communicate(timeout=LIMIT_SEC)
    assert process.returncode == -number
    assert errors.count('Traceback') == (number == signal.SIGINT)  # the parent's own
    until = time.monotonic() + LIMIT_SEC
    while any(map(is_there, children)):
        assert time.monotonic() < until
        time.sleep(0.01)


def does_not_hear_interrupts(pid):
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        masks = [line.split()[1] for line in file if line.startswith(('SigBlk:', 'SigIgn:'))]
    bit = 1 << (signal.SIGINT - 1)
    return any(int(mask, 16) & bit for mask in masks)


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
