"""The command in a process of its own: what it says, and what is left when it is ended."""

import json
from pathlib import Path
import signal
import subprocess
import sys

from analyses import analyse, bytes_of
from camera_bags import write_camera_bag
import pytest
from running import wait_until

FLAGS = ('--weights', 'rule-made', '--no-follow', '--device', 'cpu')
CAMERA = 'cam.image'


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    return write_camera_bag(tmp_path_factory.mktemp('recorded') / 'session', 8)


def test_it_says_what_came_out_of_each_camera(run_interwild, tmp_path):
    bag = write_camera_bag(tmp_path / 'session', 2)
    done = run_interwild('analyze', bag, '--out', 'out', '--json', *FLAGS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert found['bag'] == 'session'
    assert found['camera'] == '/cam/image'
    assert found['frames']['analysed'] == 2
    assert Path(found['folder']) == tmp_path / 'out' / 'session' / CAMERA
    again = run_interwild('analyze', bag, '--out', 'out', '--resume', *FLAGS, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert '2 in, 2 analysed' in again.stdout
    assert 'was finished before' in again.stdout
    assert 'these hands mean nothing' in again.stdout


WITHOUT_ROS = """
import sys

class NoRos:
    \"\"\"Refuses every ROS module, as a machine without ROS does.\"\"\"

    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0].startswith(('rclpy', 'rosidl', 'rpyutils')) or '_msgs' in name:
            raise ModuleNotFoundError(name, name=name)
        if name == 'interwild_ros.msg':
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, NoRos())
sys.prefix = '/nowhere'  # where ROS's definitions would be
from interwild_ros.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_ros_need_not_be_installed(environment, tmp_path):
    script = tmp_path / 'without_ros.py'
    script.write_text(WITHOUT_ROS)
    short = write_camera_bag(tmp_path / 'short', 1)
    done = subprocess.run(
        [sys.executable, str(script), 'analyze', str(short), '--out', 'out', *FLAGS],
        cwd=tmp_path,
        env={name: value for name, value in environment.items() if name != 'AMENT_PREFIX_PATH'},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (here,) = analyse(short, out=tmp_path / 'here')
    there = tmp_path / 'out' / 'short' / CAMERA
    assert (there / 'hands.parquet').read_bytes() == (here.folder / 'hands.parquet').read_bytes()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['absent', '--out', 'out'], 'interwild: the bag'),
        (['.', '--out', 'out'], 'is no rosbag2'),
        (['absent', '--out', 'out', '--min-score', '7'], 'min_score is 7.0, wanted 0 to 1'),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(arguments, message, run_interwild, tmp_path):
    done = run_interwild('analyze', *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert 'Traceback' not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL])
def test_ended_in_the_middle_it_leaves_nothing_under_a_final_name(
    number, bag, environment, tmp_path
):
    out = tmp_path / 'out'
    command = ['analyze', str(bag), '--out', str(out), *FLAGS]
    process = subprocess.Popen(
        [sys.executable, '-m', 'interwild_ros.cli.main', *command],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: list(out.glob('session/.*/*/*.parquet')), process)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert 'Traceback' not in said
    names = [path.name for path in (out / 'session').iterdir()]
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
        assert all(name.startswith('.') for name in names)
    else:
        assert process.returncode == 130, said
        assert names == []
    (outcome,) = analyse(bag, out=out, resume=True)
    assert not outcome.was_there
    assert outcome.summary['frames']['analysed'] == 8
    (whole,) = analyse(bag, out=tmp_path / 'whole')
    assert bytes_of(outcome.folder) == bytes_of(whole.folder)
    assert [path.name for path in (out / 'session').iterdir()] == [CAMERA]
