"""The floors of the house: who may import whom, and what stays above `ros/`."""

import ast
from importlib.util import find_spec
from pathlib import Path
import re
import subprocess
import sys
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'interwild_ros'

# Low to high, as in ARCHITECTURE.md. Modules of one floor do not import each other's folders.
FLOORS = (
    ('errors', 'openmp', 'compiled'),
    ('records', 'config', 'whole'),
    ('hand_model',),
    ('geometry',),
    ('imaging',),
    ('tracking',),
    ('networks',),
    ('pipeline',),
    ('train',),
    ('eval',),
    ('bag',),
    ('ros',),
    ('cli',),
)
HEIGHTS = {name: height for height, names in enumerate(FLOORS) for name in names}
SHELL = ('ros', 'cli')
GENERATED = 'msg'

MODULES = sorted(path for path in PACKAGE.rglob('*.py') if path.name != '__init__.py')
CORE = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] not in SHELL]
# Modules of an extra, which some Pythons cannot have, load where it is installed.
OF_EXTRAS = {'rerun': 'rerun_', 'ray': 'cluster'}
WITHOUT_EXTRA = tuple(name for extra, name in OF_EXTRAS.items() if not find_spec(extra))
LOADED = [path for path in CORE if not path.name.startswith(WITHOUT_EXTRA)]


def module_name(path: Path) -> str:
    return '.'.join(path.relative_to(ROOT).with_suffix('').parts)


def folder(path: Path) -> str:
    """Return the stage that a module belongs to: its folder, or itself on the ground floor."""
    return path.relative_to(PACKAGE).with_suffix('').parts[0]


def imports(path: Path) -> set[str]:
    """Return the full names of all that a module imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path} imports relatively'
            names |= {f'{node.module}.{alias.name}' for alias in node.names}
    return names


def stages_imported(path: Path) -> set[str]:
    ours = (name.split('.') for name in imports(path) if name.startswith('interwild_ros.'))
    return {parts[1] for parts in ours}


def ros_packages() -> set[str]:
    """Return the import names of what package.xml depends on, but for plain Python packages."""
    manifest = ElementTree.parse(ROOT / 'package.xml').getroot()
    names = {e.text for e in manifest if e.tag in ('depend', 'exec_depend', 'buildtool_depend')}
    return {name for name in names if name and not name.startswith('python3-')}


def nodes(path: Path, kind: type) -> list:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kind)]


def test_a_module_imports_only_from_its_folder_or_floors_below():
    too_high = {
        module_name(path): names
        for path in MODULES
        if (names := {name for name in stages_imported(path) if not may_import(path, name)})
    }
    assert too_high == {}


def may_import(path: Path, stage: str) -> bool:
    own = folder(path)
    if stage in (own, GENERATED):
        return True
    if own == 'testing':
        return stage not in SHELL
    return stage in HEIGHTS and HEIGHTS[stage] < HEIGHTS[own]


def test_nothing_below_ros_names_a_ros_module():
    ros = ros_packages() | {'launch_testing', 'rosidl_runtime_py', 'ros2cli'}
    named = {
        module_name(path): names
        for path in CORE
        if (names := {name for name in imports(path) if name.split('.')[0] in ros})
        or GENERATED in stages_imported(path)
    }
    assert named == {}


def test_everything_below_ros_loads_where_there_is_no_ros(tmp_path):
    script = tmp_path / 'load.py'
    script.write_text(
        f'''
import importlib, sys

class NoRos:
    """Refuses every ROS module, as a machine without ROS does."""

    def find_spec(self, name, path=None, target=None):
        first = name.split('.')[0]
        if first in {sorted(ros_packages())!r} or first.endswith(('_msgs', '_interfaces')):
            raise ModuleNotFoundError(name, name=name)
        if name == 'interwild_ros.msg':
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, NoRos())
for name in {[module_name(path) for path in LOADED]!r}:
    importlib.import_module(name)
print('loaded', len({[module_name(path) for path in LOADED]!r}))
'''
    )
    loaded = subprocess.run(
        [sys.executable, '-W', 'error::ImportWarning', str(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.split() == ['loaded', str(len(LOADED))]


def test_nothing_below_ros_prints():
    places = [
        f'{module_name(path)}:{call.lineno}'
        for path in CORE
        for call in nodes(path, ast.Call)
        if isinstance(call.func, ast.Name) and call.func.id == 'print'
    ]
    assert places == []


def test_nothing_below_ros_swallows_every_exception():
    places = [
        f'{module_name(path)}:{handler.lineno}'
        for path in CORE
        for handler in nodes(path, ast.ExceptHandler)
        if catches_everything(handler) and not raises(handler)
    ]
    assert places == []


def catches_everything(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    return bool(names & {'Exception', 'BaseException'})


def raises(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) for node in ast.walk(handler))


def test_production_code_asserts_nothing():
    places = [
        f'{module_name(path)}:{node.lineno}'
        for path in MODULES
        if folder(path) != 'testing'
        for node in nodes(path, ast.Assert)
    ]
    assert places == []


def test_only_bag_knows_rosbags():
    knowing = {
        folder(path)
        for path in MODULES
        if any(name.split('.')[0] == 'rosbags' for name in imports(path))
    }
    assert knowing <= {'bag'}


def test_there_are_no_import_cycles():
    by_name = {module_name(path): path for path in MODULES}

    def targets(name: str) -> set[str]:
        named = imports(by_name[name])
        return {n for n in by_name if n in named or any(i.startswith(f'{n}.') for i in named)}

    graph = {name: targets(name) - {name} for name in by_name}
    while leaves := {name for name, below in graph.items() if not below}:
        graph = {name: below - leaves for name, below in graph.items() if name not in leaves}
    assert not graph


def test_every_folder_has_a_floor_and_no_name_that_rosidl_takes():
    folders = {path.name for path in PACKAGE.iterdir() if list(path.glob('*.py'))}
    assert folders <= set(HEIGHTS) | {'testing'}
    assert not folders & {'msg', 'srv', 'action'}


def test_init_files_hold_nothing_that_could_be_lost():
    for path in PACKAGE.rglob('__init__.py'):
        code = re.sub(r'#.*', '', path.read_text()).strip()
        if path.parent == PACKAGE:
            assert code == "__path__ = __import__('pkgutil').extend_path(__path__, __name__)"
        else:
            assert code == '', path
