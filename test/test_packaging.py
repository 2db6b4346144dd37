"""Packaging: one version, one list of settings, and nothing left behind by either door."""

import ast
from email.parser import Parser
import importlib.util
import os
from pathlib import Path
import re
import subprocess
import sys
import venv

from interwild_ros.config import CameraSettings, Settings, settings_of
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'interwild_ros'
GENERATED = ('interwild_ros.msg',)
DISTRIBUTIONS = {'cv2': 'opencv-python-headless', 'rerun': 'rerun-sdk', 'yaml': 'pyyaml'}
TESTED = ('runtime.txt', 'extras.txt')


IMPORTED_BY_OTHERS = {'onnxscript'}  # by torch.onnx


def manifest():
    catkin = pytest.importorskip('catkin_pkg.package')
    warnings: list[str] = []
    package = catkin.parse_package(str(ROOT / 'package.xml'), warnings=warnings)
    assert warnings == []
    return package


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """What setup.py says and what it puts into a wheel, but for what CMake makes."""
    pytest.importorskip('setuptools', minversion='70.1')
    place = tmp_path_factory.mktemp('wheel')
    commands = ['egg_info', '--egg-base', place, 'build_py', '--build-lib', place / 'lib']
    subprocess.run(
        [sys.executable, 'setup.py', '--quiet', *map(str, commands)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return place


@pytest.fixture(scope='module')
def metadata(wheel):
    return Parser().parsestr((wheel / 'interwild_ros.egg-info/PKG-INFO').read_text())


def requirements(lines):
    packaging = pytest.importorskip('packaging.requirements')
    return [packaging.Requirement(line) for line in lines]


def by_name(parsed):
    return {r.name.lower().replace('_', '-'): r for r in parsed}


def declared(metadata):
    """Return what users get: everything, and each extra."""
    extras = ['', *metadata.get_all('Provides-Extra')]
    found = requirements(metadata.get_all('Requires-Dist'))
    return by_name(
        r for r in found if not r.marker or any(r.marker.evaluate({'extra': e}) for e in extras)
    )


def lines_of(name):
    lines = (ROOT / 'requirements' / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def pinned(name):
    """Return what is installed for this Python."""
    found = requirements(lines_of(name))
    return by_name(r for r in found if not r.marker or r.marker.evaluate())


def third_party_imports():
    """Return the import names that the package takes from outside, but for ROS packages."""
    names = set()
    for path in PACKAGE.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module.split('.')[0])
    return names - set(sys.stdlib_module_names) - {'interwild_ros'}


def ros_dependencies():
    package = manifest()
    return {d.name for d in package.exec_depends if not d.name.startswith('python3-')}


def test_package_xml_is_valid():
    package = manifest()
    package.validate()
    assert package.name == 'interwild_ros'
    assert package.get_build_type() == 'ament_cmake'
    assert [group.name for group in package.member_of_groups] == ['rosidl_interface_packages']


def test_the_version_stands_in_package_xml_alone(metadata):
    version = manifest().version
    assert metadata['Version'] == version
    assert metadata['Summary'] == manifest().description
    for name in ('setup.py', 'pyproject.toml', 'CMakeLists.txt'):
        assert f'{version}' not in re.findall(r'\d+\.\d+\.\d+', (ROOT / name).read_text()), name


def test_the_changelog_opens_with_the_version():
    sections = re.findall(r'^(\d+\.\d+\.\d+) \(.*\)$', (ROOT / 'CHANGELOG.rst').read_text(), re.M)
    assert sections[0] == manifest().version


def test_every_import_is_a_declared_dependency(metadata):
    imported = {DISTRIBUTIONS.get(name, name) for name in third_party_imports()}
    assert imported - set(declared(metadata)) - ros_dependencies() == set()


def test_every_declared_requirement_is_imported(metadata):
    imported = {DISTRIBUTIONS.get(name, name) for name in third_party_imports()}
    assert set(declared(metadata)) - imported - IMPORTED_BY_OTHERS == set()


def test_the_tested_versions_are_those_that_setup_py_allows(metadata):
    allowed = declared(metadata)
    assert by_name(r for n in TESTED for r in requirements(lines_of(n))).keys() == allowed.keys()
    for name, requirement in (item for n in TESTED for item in pinned(n).items()):
        (pin,) = requirement.specifier
        assert pin.operator == '=='
        assert allowed[name].specifier.contains(pin.version), name


def test_an_extra_is_asked_for_by_itself_alone(metadata):
    extras = metadata.get_all('Provides-Extra')
    assert sorted(extras) == ['onnx', 'openvino', 'ray', 'rerun']
    plain = [r for r in requirements(metadata.get_all('Requires-Dist')) if not r.marker]
    assert by_name(plain).keys() == by_name(requirements(lines_of('runtime.txt'))).keys()


def test_torch_is_a_range_for_users_and_a_version_for_us(metadata):
    (operator,) = {s.operator for s in declared(metadata)['torch'].specifier}
    assert operator == '>='
    assert str(pinned('runtime.txt')['torch']) == 'torch==2.13.0'


@pytest.mark.parametrize('name', ['ros-jazzy.txt', *TESTED, 'dev.txt'])
def test_every_requirement_names_one_version(name):
    for requirement in pinned(name).values():
        assert [s.operator for s in requirement.specifier] == ['=='], requirement


@pytest.mark.parametrize(
    ('file', 'kind'), [('hands.yaml', Settings), ('camera.yaml', CameraSettings)]
)
def test_a_parameter_file_holds_every_setting_with_its_default(file, kind):
    parameters = yaml.safe_load((ROOT / 'config' / file).read_text())['/**']['ros__parameters']
    defaults = {setting.name: setting.default for setting in settings_of(kind)}
    lists = {name: list(value) for name, value in defaults.items() if isinstance(value, tuple)}
    assert parameters == defaults | lists
    assert kind() == kind(**parameters)


def test_generated_files_are_up_to_date():
    done = subprocess.run(
        [sys.executable, 'scripts/render_docs.py', '--check'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_stale_table_is_rendered_anew():
    spec = importlib.util.spec_from_file_location('render_docs', ROOT / 'scripts/render_docs.py')
    render_docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(render_docs)
    text = 'before\n<!-- begin Hand -->\nold\n<!-- end Hand -->\nafter\n'
    fresh = render_docs.with_tables(text)
    assert 'old' not in fresh
    assert '| `tracked` | `bool` |' in fresh
    assert fresh.startswith('before\n')
    assert fresh.endswith('<!-- end Hand -->\nafter\n')
    assert render_docs.with_tables(fresh) == fresh


def test_every_file_of_the_package_travels(wheel):
    def files(folder):
        found = {p.relative_to(folder) for p in folder.rglob('*') if p.is_file()}
        return {p for p in found if '__pycache__' not in p.parts}

    assert files(wheel / 'lib/interwild_ros') == files(PACKAGE)


def test_every_node_can_be_run_by_ros2_run():
    cmake = (ROOT / 'CMakeLists.txt').read_text()
    for name in ('hands_node', 'camera_node', 'interwild'):
        script = ROOT / 'scripts' / name
        assert f'scripts/{name}' in cmake
        assert os.access(script, os.X_OK)
        assert script.read_text().startswith('#!/usr/bin/env python3\n')


def build_messages(python, **environment):
    return subprocess.run(
        [python, 'setup.py', '--quiet', 'build_messages'],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_missing_compiler_is_named_with_its_source(tmp_path):
    pytest.importorskip('setuptools', minversion='70.1')
    if not Path(sys.prefix, 'share/ament_index/resource_index/packages/rclpy').is_file():
        pytest.skip('this Python has no ROS 2 from PyPI')
    done = build_messages(sys.executable, PATH=str(tmp_path), CXX='absent')
    assert done.returncode != 0
    assert 'a C++ compiler: sudo apt install g++' in done.stderr


def test_without_ros_only_the_messages_are_left_out(tmp_path):
    setuptools = pytest.importorskip('setuptools', minversion='70.1')
    venv.create(tmp_path / 'bare', with_pip=False)
    borrowed = tmp_path / 'borrowed'
    borrowed.mkdir()
    for name in ('setuptools', '_distutils_hack'):
        (borrowed / name).symlink_to(Path(setuptools.__file__).parent.with_name(name))
    done = build_messages(tmp_path / 'bare/bin/python', PYTHONPATH=str(borrowed))
    assert done.returncode == 0, done.stderr
    assert 'is installed without messages' in done.stdout
