"""The command in a process of its own: what it says, and what is left when it is ended."""

import json
from pathlib import Path
import signal
import subprocess
import sys

from camera_bags import write_camera_bag
from interwild_ros.cli.main import main
import pytest

pytest.importorskip('rerun')

from rerun_rows import RerunFile, verify
from running import wait_until


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return write_camera_bag(tmp_path_factory.mktemp('recorded') / 'session', 3)


def test_it_says_what_is_in_the_file(bag, run_interwild, tmp_path):
    done = run_interwild('export', bag, '--rrd', 'new/out.rrd', '--json', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    path = tmp_path / 'new/out.rrd'
    assert said['file'] == str(path)
    assert (said['bag'], said['camera'], said['hands_topic']) == ('session', '/cam/image', '')
    assert (said['frames'], said['pictures'], said['transforms']) == (3, 3, 0)
    assert said['tracked'] == said['lost'] == {'right': 0, 'left': 0}
    assert said['duration_sec'] == pytest.approx(0.066)
    assert said['size_bytes'] == path.stat().st_size
    assert 'pictures' in done.stderr
    verify(path)


def test_the_table_says_the_same_and_a_file_is_replaced(bag, run_interwild, tmp_path):
    (tmp_path / 'out.rrd').write_text('before')
    done = run_interwild('export', bag, '--rrd', 'out.rrd', '--exact-images', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'session /cam/image' in done.stdout
    assert '  frames      3, 0.07 s' in done.stdout
    assert '`interwild analyze` makes them' in done.stdout
    verify(tmp_path / 'out.rrd')
    assert RerunFile(tmp_path / 'out.rrd').rows('camera/image', 'Image:buffer')


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('--rrd', 'out.rrd'), '--rrd is given without a bag'),
        (('absent', '--rrd', 'out.rrd'), 'absent does not exist'),
        (('.', '--rrd', 'out.rrd'), 'is no rosbag2'),
        (('BAG', '--rrd', 'out.mcap'), 'wanted a file whose name ends in .rrd'),
        (('BAG', '--rrd', 'out.rrd', '--image-quality', '0'), '--image-quality is 0, wanted 1'),
        (('BAG', '--rrd', 'out.rrd', '--camera', '/no'), 'has no pictures on /no'),
        (('BAG', '--rrd', 'out.rrd', '--topic', '/no'), 'has no hands on /no'),
        (('BAG', '--rrd', 'out.rrd', '--images', 'absent'), 'absent does not exist'),
        (('BAG',), 'one of the arguments'),
        (('BAG', '--rrd', 'o.rrd', '--exact-images', '--image-quality', '9'), 'not allowed with'),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(
    words, said, bag, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    code = exit_code(['export', *(str(bag) if word == 'BAG' else word for word in words)])
    assert code == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def exit_code(words):
    try:
        return main(words)
    except SystemExit as refused:  # argparse says it so
        return refused.code


def test_without_the_package_the_extra_is_named(bag, environment, tmp_path):
    script = """
import sys
sys.modules['rerun'] = None  # as on a machine without it
from interwild_ros.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
    done = subprocess.run(
        [sys.executable, '-c', script, 'export', bag, '--rrd', 'out.rrd'],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert 'pip install "interwild_ros[rerun]"' in done.stderr
    assert 'Traceback' not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_ended_in_the_middle_it_leaves_what_was_there(number, environment, tmp_path):
    bag = write_camera_bag(tmp_path / 'session', 2000)
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'out.rrd').write_text('before')
    process = subprocess.Popen(
        [sys.executable, '-m', 'interwild_ros.cli.main', 'export', bag, '--rrd', out / 'out.rrd'],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: any(file.stat().st_size for file in out.glob('.*/*.rrd')), process)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert 'Traceback' not in said
    assert [path.name for path in out.iterdir()] == ['out.rrd']
    assert Path(out / 'out.rrd').read_text() == 'before'
