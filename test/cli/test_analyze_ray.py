"""`interwild analyze --ray` on real clusters of this machine, one of whose workers is killed."""

from contextlib import contextmanager
import json
import os
from pathlib import Path
import secrets
import signal
import subprocess
import sys
import time

from analyses import bytes_of
from hand_bags import write_hand_bag
import pytest

pytest.importorskip('ray')

FLAGS = ('--device', 'cpu', '--threads', '1')
CAMERA = 'cam.image'
LIMIT_SEC = 300.0


@pytest.fixture(scope='module')
def bags(tmp_path_factory):
    place = tmp_path_factory.mktemp('recorded')
    long = write_hand_bag(place / 'long', 36, skipped=(20, 21))
    return long, write_hand_bag(place / 'short', 3)


@pytest.fixture(scope='module')
def alone(bags, run_interwild, tmp_path_factory):
    out = tmp_path_factory.mktemp('alone')
    done = run_interwild('analyze', *bags, '--out', out, *FLAGS, cwd=out, timeout_sec=LIMIT_SEC)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope='module')
def with_token(environment):
    """The variables of a cluster of our own and of who may use it."""
    return environment | {'RAY_AUTH_MODE': 'token', 'RAY_AUTH_TOKEN': secrets.token_hex(32)}


@contextmanager
def local_cluster(folder, environment):
    """Give the address of a cluster of two workers at most."""
    port = 20000 + os.getpid() % 20000
    command = ['start', '--head', '--block', '--num-cpus=2', f'--port={port}']
    quiet = ['--include-dashboard=false', '--disable-usage-stats']
    log = (folder / 'cluster.log').open('w+')
    process = subprocess.Popen(
        [sys.executable, '-m', 'ray.scripts.scripts', *command, *quiet, '--num-gpus=0'],
        stdout=log,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + LIMIT_SEC
        while 'Ray runtime started' not in (folder / 'cluster.log').read_text():
            assert process.poll() is None, (folder / 'cluster.log').read_text()
            assert time.monotonic() < until
            time.sleep(0.2)
        yield f'127.0.0.1:{port}', process.pid
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        log.close()


def parent_of(pid):
    return int(Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[1])


def workers(name, cluster_pid):
    """Yield the processes of a cluster that do some work."""
    for entry in Path('/proc').iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if not (entry / 'cmdline').read_bytes().startswith(name.encode()):
                continue
            pid = int(entry.name)
            ancestor = pid
            while ancestor not in (cluster_pid, 1, 0):
                ancestor = parent_of(ancestor)
        except OSError:
            continue  # it has ended meanwhile
        if ancestor == cluster_pid:
            yield pid


def kill_a_worker(process, name, cluster_pid):
    until = time.monotonic() + LIMIT_SEC
    while time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        for pid in workers(name, cluster_pid):
            os.kill(pid, signal.SIGKILL)
            return pid
        time.sleep(0.01)
    raise AssertionError(f'no worker did {name}')


def assert_same_result(found, wanted, name):
    assert bytes_of(found / name / CAMERA) == bytes_of(wanted / name / CAMERA)


def test_the_result_is_that_of_one_process_also_when_workers_are_killed(
    bags, alone, with_token, tmp_path
):
    arguments = ['analyze', *map(str, bags), '--out', str(tmp_path / 'out'), *FLAGS]
    with local_cluster(tmp_path, with_token) as (address, cluster_pid):
        more = ('--json', '--ray', address, '--share', '12')
        process = subprocess.Popen(
            [sys.executable, '-m', 'interwild_ros.cli.main', *arguments, *more],
            env=with_token,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for work in ('ray::share', 'ray::analyse'):
            kill_a_worker(process, work, cluster_pid)
        said, problems = process.communicate(timeout=LIMIT_SEC)
    assert process.returncode == 0, problems
    for name in ('long', 'short'):
        assert_same_result(tmp_path / 'out', alone, name)
    outcomes = {outcome['bag']: outcome for outcome in json.loads(said)}
    assert outcomes['long']['timings']['foreseen'] == 34
    assert outcomes['short']['timings']['foreseen'] == 0


def test_without_an_address_it_works_on_this_machine(bags, alone, run_interwild, tmp_path):
    arguments = ['analyze', bags[1], '--out', tmp_path, *FLAGS, '--ray']
    done = run_interwild(*arguments, cwd=tmp_path, timeout_sec=LIMIT_SEC)
    assert done.returncode == 0, done.stderr
    assert_same_result(tmp_path, alone, 'short')
    again = run_interwild(*arguments, '--resume', cwd=tmp_path, timeout_sec=LIMIT_SEC)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count('was finished before') == 1


def test_a_cluster_that_is_not_there_is_named(bags, run_interwild, tmp_path):
    done = run_interwild(
        'analyze', bags[1], '--out', tmp_path / 'out', *FLAGS, '--ray', '127.0.0.1:9', cwd=tmp_path
    )
    assert done.returncode != 0
    assert 'there is no Ray cluster at 127.0.0.1:9' in done.stderr
    assert 'Traceback' not in done.stderr


def test_more_threads_than_any_machine_has_are_refused(bags, run_interwild, tmp_path):
    done = run_interwild(
        'analyze', bags[1], '--out', tmp_path / 'o', '--threads', '200', '--ray', cwd=tmp_path
    )
    assert done.returncode != 0
    assert 'threads is 200, but no machine of the cluster has more than' in done.stderr


WITHOUT_RAY = """
import sys
sys.modules['ray'] = None
from interwild_ros.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_without_ray_the_extra_is_named(bags, environment, tmp_path):
    done = subprocess.run(
        [sys.executable, '-c', WITHOUT_RAY, 'analyze', str(bags[1]), '--out', 'out', '--ray'],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_SEC,
    )
    assert done.returncode != 0
    assert 'pip install interwild_ros[ray]' in done.stderr
    assert 'Traceback' not in done.stderr
