"""The messages: built, importable from anywhere, and documented field by field."""

from pathlib import Path
import re
import subprocess
import sys

import numpy as np
import pytest

msg = pytest.importorskip('interwild_ros.msg')

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / 'msg').glob('*.msg'))
FIELD = re.compile(
    r'^(?P<type>[\w/]+(?P<array>\[\d*\])?)\s+(?P<name>\w+)\s*(#\s*(?P<comment>.*))?$'
)

# What every TF listener in the world expects; `ros2 topic info -v /tf` shows it.
TF_TYPE_HASH = 'RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087'


def fields(path: Path) -> list[re.Match]:
    lines = (line.strip() for line in path.read_text().splitlines())
    code = [line for line in lines if line and not line.startswith('#')]
    matches = [FIELD.match(line) for line in code if '=' not in line.split('#')[0]]
    assert all(matches), path
    return matches


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_a_built_message_has_the_fields_of_its_file(path):
    kind = getattr(msg, path.stem)
    built = kind.get_fields_and_field_types()
    assert list(built) == [field['name'] for field in fields(path)], 'run `make build`'


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_every_field_says_what_it_is(path):
    assert path.read_text().startswith('# ')
    assert [f['name'] for f in fields(path) if len((f['comment'] or '').split()) < 2] == []


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_every_array_has_a_fixed_length(path):
    assert [f['name'] for f in fields(path) if f['array'] == '[]'] == []


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_every_message_is_named_in_the_build(path):
    assert f'"msg/{path.name}"' in (ROOT / 'CMakeLists.txt').read_text()


def test_number_fields_are_numpy_arrays():
    hand = msg.TwoHands().right
    for name in ('box', 'joints', 'joints_image', 'vertices', 'pose', 'betas'):
        assert getattr(hand, name).dtype == np.float32


@pytest.mark.parametrize('place', [ROOT, Path('/')], ids=['source tree', 'elsewhere'])
def test_messages_and_modules_import_together_from_anywhere(place):
    code = 'import interwild_ros.msg, interwild_ros.config; interwild_ros.msg.TwoHands()'
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=place, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_transforms_are_of_the_type_that_every_listener_expects():
    tf2 = pytest.importorskip('tf2_msgs.msg')
    assert tf2.TFMessage.get_fields_and_field_types() == {
        'transforms': 'sequence<geometry_msgs/TransformStamped>'
    }
    ament_index = pytest.importorskip('ament_index_python')
    share = Path(sys.prefix, 'share')
    if not (share / 'tf2_msgs').is_dir():
        share = Path(ament_index.get_package_share_directory('tf2_msgs')).parent
    description = share / 'tf2_msgs/msg/TFMessage.json'
    if not description.is_file():
        pytest.skip('Humble knows no type hashes')
    assert f'"{TF_TYPE_HASH}"' in description.read_text()
