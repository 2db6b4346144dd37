from pathlib import Path

from interwild_ros.errors import AssetError, InputError
from interwild_ros.geometry.camera import camera_from_fov, camera_from_info
from interwild_ros.geometry.camera_file import calibration_of, read_calibration, write_calibration
from interwild_ros.records import Camera
import pytest
import yaml

# As camera_calibration's "save" writes it.
GOOD = """
image_width: 640
image_height: 480
camera_name: narrow_stereo
camera_matrix:
  rows: 3
  cols: 3
  data: [533.35, 0. , 324.07, 0. , 534.1 , 232.94, 0. , 0. , 1. ]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.28, 0.04, 0.0012, -0.0001, 0.12]
rectification_matrix:
  rows: 3
  cols: 3
  data: [1. , 0. , 0. , 0. , 1. , 0. , 0. , 0. , 1. ]
projection_matrix:
  rows: 3
  cols: 4
  data: [501.6, 0. , 325.0, 0. , 0. , 509.4 , 230.6, 0. , 0. , 0. , 1. , 0. ]
"""


@pytest.fixture
def write(tmp_path):
    def write_changed(remove: str = '', **changes: object) -> Path:
        content = yaml.safe_load(GOOD) | changes
        content.pop(remove, None)
        path = tmp_path / 'camera.yaml'
        path.write_text(yaml.safe_dump(content))
        return path

    return write_changed


def _refused(path: Path) -> str:
    with pytest.raises(AssetError) as raised:
        read_calibration(path)
    assert str(path) in str(raised.value)
    return str(raised.value)


def test_a_file_of_camera_calibration_is_read_as_it_is(tmp_path):
    path = tmp_path / 'camera.yaml'
    path.write_text(GOOD)
    calibration = read_calibration(path)
    assert (calibration.width, calibration.height) == (640, 480)
    assert calibration.K == (533.35, 0.0, 324.07, 0.0, 534.1, 232.94, 0.0, 0.0, 1.0)
    assert calibration.D == (-0.28, 0.04, 0.0012, -0.0001, 0.12)
    assert calibration.P[:3] == (501.6, 0.0, 325.0)
    assert calibration.distortion_model == 'plumb_bob'


def test_what_older_files_leave_out_has_its_usual_meaning(write):
    assert read_calibration(write(remove='distortion_model')).distortion_model == 'plumb_bob'
    assert read_calibration(write(remove='rectification_matrix')).R[::4] == (1.0, 1.0, 1.0)
    P = read_calibration(write(remove='projection_matrix')).P
    assert (P[0], P[2], P[5], P[6]) == (533.35, 324.07, 534.1, 232.94)


@pytest.mark.parametrize(
    'key', ['image_width', 'image_height', 'camera_matrix', 'distortion_coefficients']
)
def test_a_key_that_is_missing_is_named(write, key):
    assert key in _refused(write(remove=key))


@pytest.mark.parametrize(
    ('key', 'value', 'found'),
    [
        ('image_width', 'wide', 'wide'),
        ('image_width', 0, '0'),
        ('image_height', True, 'True'),
        ('camera_matrix', {'data': [1.0] * 8}, '8'),
        ('camera_matrix', {'data': [0.0] * 9}, 'focal'),
        ('camera_matrix', {'data': ['a'] * 9}, 'a'),
        ('camera_matrix', [1.0] * 9, '1.0'),
        ('camera_matrix', {'data': [float('nan')] * 9}, 'nan'),
        ('distortion_coefficients', {'data': [0.1, 0.2]}, '2'),
        ('distortion_model', 'mercator', 'mercator'),
        ('projection_matrix', {'data': [1.0] * 9}, '9'),
    ],
)
def test_a_value_that_no_camera_has_is_named(write, key, value, found):
    assert found in _refused(write(**{key: value}))


def test_a_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / 'camera.yaml'
    assert 'No such file' in _refused(path)
    for content in (b'', b'[1, 2', b'just words', b'\xff\xfe\x00', b'- a\n- b\n'):
        path.write_bytes(content)
        _refused(path)
    path.write_text('%YAML:1.0\n---\nK: !!opencv-matrix\n   rows: 3\n')
    _refused(path)


def test_a_made_up_camera_survives_being_a_calibration():
    camera = camera_from_fov(640, 480, 70.0)
    calibration = calibration_of(camera)
    for rectified in (False, True):
        back = camera_from_info(
            width=calibration.width,
            height=calibration.height,
            K=calibration.K,
            D=calibration.D,
            P=calibration.P,
            distortion_model=calibration.distortion_model,
            image_size=(640, 480),
            rectified=rectified,
        )
        assert (back.fx, back.fy, back.cx, back.cy) == (camera.fx, camera.fy, 319.5, 239.5)


def test_reading_undoes_writing(tmp_path, write):
    for calibration in (
        read_calibration(write()),
        calibration_of(camera_from_fov(641, 479, 61.0)),
    ):
        path = tmp_path / 'written.yaml'
        write_calibration(path, calibration, camera_name='somebody')
        assert read_calibration(path) == calibration
        assert yaml.safe_load(path.read_text()).keys() == yaml.safe_load(GOOD).keys()


def test_a_camera_with_distortion_has_no_calibration_to_make_up():
    with pytest.raises(InputError):
        calibration_of(Camera(640, 480, 500, 500, 320, 240, 'plumb_bob', (0.1, 0, 0, 0, 0)))
