import os
from pathlib import Path
import subprocess
import sys

from interwild_ros.cli.main import main
import pytest

ROOT = Path(__file__).parents[2]


def test_the_version_is_that_of_package_xml(interwild):
    done = interwild('--version')
    assert done.returncode == 0
    version = done.stdout.split()[-1]
    assert f'<version>{version}</version>' in (ROOT / 'package.xml').read_text()


def test_help_lists_the_verbs_without_loading_them():
    code = (
        'import sys; from interwild_ros.cli.main import main\n'
        'try: main(["--help"])\n'
        'except SystemExit: pass\n'
        'print([m for m in ("torch", "cv2", "rclpy") if m in sys.modules])'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, cwd=ROOT, env=os.environ
    )
    assert 'demo' in done.stdout
    assert 'doctor' in done.stdout
    assert done.stdout.endswith('[]\n'), done.stdout


def test_a_refusal_is_one_line_and_exit_code_2(interwild, tmp_path):
    done = interwild('demo', '--images', tmp_path / 'nowhere')
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith('interwild: ')
    assert 'nowhere' in last
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize(
    'words',
    [
        [],
        ['no-such-verb'],
        ['doctor', '--no-such-flag'],
        ['doctor', '--variant', 'huge'],
        ['demo', '--video', 'a.mp4', '--camera', '0'],
    ],
)
def test_a_wrong_command_line_shows_usage_and_exit_code_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert 'usage: interwild' in capsys.readouterr().err


def test_a_machine_without_ros_is_told_so(tmp_path):
    (tmp_path / 'rclpy.py').write_text('raise ImportError("no ROS here")')
    done = subprocess.run(
        [sys.executable, '-m', 'interwild_ros.cli.main', 'demo'],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': f'{tmp_path}{os.pathsep}{ROOT}'},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == 'interwild: no ROS here; `interwild doctor` says what is missing\n'
