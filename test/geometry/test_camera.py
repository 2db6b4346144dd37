import math

import cv2
from interwild_ros.errors import InputError
from interwild_ros.geometry.camera import camera_from_fov, camera_from_info, project, undistort_px
from interwild_ros.records import Camera
import numpy as np
import pytest

WIDTH, HEIGHT = 640, 480
K = (500.0, 0.0, 321.5, 0.0, 505.0, 238.25, 0.0, 0.0, 1.0)
P = (480.0, 0.0, 318.0, -24.0, 0.0, 481.0, 240.0, 0.0, 0.0, 0.0, 1.0, 0.0)

# Coefficients of real lenses, mild to strong; each is one-to-one over the whole picture.
LENSES = {
    'none': ('none', ()),
    'webcam': ('plumb_bob', (0.05, -0.12, 0.001, -0.0007, 0.04)),
    'wide barrel': ('plumb_bob', (-0.32, 0.11, 0.0005, -0.0003, -0.018)),
    'four coefficients': ('plumb_bob', (-0.28, 0.08, 0.002, -0.001)),
    'kinect': (
        'rational_polynomial',
        (0.45, -2.6, 0.0007, -0.0002, 1.5, 0.33, -2.4, 1.43),
    ),
    'thin prism': (
        'rational_polynomial',
        (0.1, -0.05, 1e-3, -1e-3, 0.01, 0.05, -0.02, 0.003, 2e-3, -1e-3, 1e-3, 5e-4),
    ),
    'tilted': (
        'rational_polynomial',
        (0.1, -0.05, 1e-3, -1e-3, 0.01, 0.05, -0.02, 0.003, 2e-3, -1e-3, 1e-3, 5e-4, 0.03, -0.02),
    ),
    'fisheye': ('equidistant', (-0.01, 0.03, -0.02, 0.004)),
}


def _camera(lens: str) -> Camera:
    model, coefficients = LENSES[lens]
    return Camera(WIDTH, HEIGHT, 500.0, 505.0, 321.5, 238.25, model, coefficients)


def _all_over_the_picture() -> np.ndarray:
    x, y = np.meshgrid(np.linspace(-0.5, WIDTH - 0.5, 41), np.linspace(-0.5, HEIGHT - 0.5, 31))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _info(**changes: object) -> Camera:
    given: dict = {
        'width': WIDTH,
        'height': HEIGHT,
        'K': K,
        'D': (),
        'P': P,
        'distortion_model': 'plumb_bob',
        'image_size': (WIDTH, HEIGHT),
    }
    return camera_from_info(**(given | changes))


def _cause(**changes: object) -> tuple[str, str]:
    with pytest.raises(InputError) as raised:
        _info(**changes)
    return raised.value.cause, str(raised.value)


@pytest.mark.parametrize('lens', LENSES)
def test_project_undoes_undistort_to_a_millionth_of_a_pixel(lens):
    camera, px = _camera(lens), _all_over_the_picture()
    rays = undistort_px(camera, px)
    assert np.isfinite(rays).all()
    points = np.column_stack([rays, np.ones(len(rays))]) * 0.7
    np.testing.assert_allclose(project(camera, points), px, rtol=0, atol=1e-6)


@pytest.mark.parametrize('lens', LENSES)
def test_project_agrees_with_opencv(lens):
    camera = _camera(lens)
    rng = np.random.default_rng(0)
    points = rng.uniform((-0.4, -0.3, 0.8), (0.4, 0.3, 2.0), (200, 3))
    matrix = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
    zero, d = np.zeros(3), np.array(camera.distortion)
    if camera.distortion_model == 'equidistant':
        want = cv2.fisheye.projectPoints(points[:, None], zero, zero, matrix, d)[0]
    else:
        want = cv2.projectPoints(points, zero, zero, matrix, d if len(d) else None)[0]
    np.testing.assert_allclose(project(camera, points), want.reshape(-1, 2), atol=1e-9)


def test_points_that_are_not_in_front_of_the_camera_have_no_pixel():
    points = np.array([[0.1, 0.1, 1.0], [0.1, 0.1, -1.0], [0.1, 0.1, 0.0], [np.nan, 0.0, 1.0]])
    for lens in LENSES:
        shown = np.isfinite(project(_camera(lens), points)).all(axis=1)
        assert shown.tolist() == [True, False, False, False]


def test_a_pixel_that_no_ray_reaches_has_no_ray():
    barrel = Camera(WIDTH, HEIGHT, 200.0, 200.0, 320.0, 240.0, 'plumb_bob', (-0.3, 0, 0, 0))
    rays = undistort_px(barrel, np.array([[320.0, 240.0], [330.0, 240.0], [639.0, 479.0]]))
    assert np.isfinite(rays[:2]).all()
    assert np.isnan(rays[2]).all()


def test_a_fisheye_has_no_ray_for_what_lies_beside_the_camera():
    fisheye = Camera(WIDTH, HEIGHT, 150.0, 150.0, 320.0, 240.0, 'equidistant', (0, 0, 0, 0))
    at_89_and_91_deg = 320.0 + 150.0 * np.radians([89.0, 91.0])
    rays = undistort_px(fisheye, np.column_stack([at_89_and_91_deg, [240.0, 240.0]]))
    assert rays[0, 0] == pytest.approx(math.tan(math.radians(89)), rel=1e-9)
    assert np.isnan(rays[1]).all()


def test_a_pixel_of_nan_has_no_ray_and_no_pixels_have_no_rays():
    for lens in LENSES:
        assert np.isnan(undistort_px(_camera(lens), np.full((1, 2), np.nan))).all()
        assert undistort_px(_camera(lens), np.empty((0, 2))).shape == (0, 2)
        assert project(_camera(lens), np.empty((0, 3))).shape == (0, 2)


def test_a_field_of_view_spans_the_pixels_from_edge_to_edge():
    camera = camera_from_fov(640, 480, 60.0)
    edges = undistort_px(camera, np.array([[-0.5, 239.5], [639.5, 239.5]]))
    assert camera.nominal
    assert np.degrees(np.arctan(edges[:, 0])) == pytest.approx([-30.0, 30.0])
    assert edges[:, 1] == pytest.approx([0.0, 0.0])
    assert camera.fx == camera.fy


@pytest.mark.parametrize('fov_deg', [0.0, -5.0, 180.0, float('nan')])
def test_a_field_of_view_that_no_pinhole_has_is_refused(fov_deg):
    with pytest.raises(InputError) as raised:
        camera_from_fov(640, 480, fov_deg)
    assert raised.value.cause == 'bad_camera'


def test_a_plain_camera_info_keeps_its_numbers():
    camera = _info()
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (500.0, 505.0, 321.5, 238.25)
    assert (camera.distortion_model, camera.distortion) == ('none', ())
    assert not camera.nominal


def test_a_rectified_picture_takes_p_and_has_no_distortion():
    camera = _info(D=(0.1, 0.0, 0.0, 0.0, 0.0), rectified=True)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (480.0, 481.0, 318.0, 240.0)
    assert camera.distortion_model == 'none'


@pytest.mark.parametrize('rectified', [False, True])
@pytest.mark.parametrize(
    ('roi', 'binning', 'size'),
    [
        ((100, 60, 320, 240), (0, 0), (320, 240)),
        ((0, 0, 0, 0), (2, 2), (320, 240)),
        ((100, 60, 320, 240), (2, 4), (160, 60)),
        ((101, 61, 321, 241), (2, 2), (160, 120)),
        ((101, 61, 321, 241), (2, 2), (161, 121)),
    ],
)
def test_cropping_and_binning_the_pixels_equals_projecting_with_the_derived_camera(
    rectified, roi, binning, size
):
    lens = {'D': (-0.2, 0.05, 1e-3, -1e-3, 0.0), 'rectified': rectified}
    points = np.random.default_rng(1).uniform((-0.3, -0.2, 0.8), (0.3, 0.2, 2.0), (50, 3))
    full = project(_info(**lens), points)
    derived = project(_info(**lens, roi=roi, binning=binning, image_size=size), points)
    bins = np.maximum(binning, 1)
    np.testing.assert_allclose(derived, (full - roi[:2]) / bins, atol=1e-9)


def test_another_size_than_roi_and_binning_give_is_refused_with_both_sizes():
    cause, message = _cause(image_size=(320, 240))
    assert cause == 'camera_size'
    assert '320 x 240' in message
    assert '640 x 480' in message
    assert _cause(binning=(2, 2), image_size=(640, 480))[0] == 'camera_size'
    assert _cause(roi=(0, 0, 320, 240), image_size=(640, 480))[0] == 'camera_size'


@pytest.mark.parametrize('focal', [0.0, -500.0, float('nan'), float('inf')])
@pytest.mark.parametrize('index', [0, 4])
def test_a_focal_length_that_no_camera_has_is_refused_by_name(focal, index):
    broken = list(K)
    broken[index] = focal
    cause, message = _cause(K=broken)
    assert cause == 'bad_camera'
    assert f'K[{index}]' in message
    assert str(focal) in message


def test_numbers_that_no_camera_has_are_refused():
    assert _cause(K=(*K[:2], float('nan'), *K[3:]))[0] == 'bad_camera'
    assert _cause(K=K[:8])[0] == 'bad_camera'
    assert _cause(P=(0.0,) * 12, rectified=True)[0] == 'bad_camera'
    assert _cause(width=0)[0] == 'bad_camera'
    assert _cause(roi=(400, 0, 320, 480))[0] == 'bad_camera'
    assert _cause(roi=(10, 0, 0, 0))[0] == 'bad_camera'
    assert _cause(D=(0.1, 0.2, 0.3))[0] == 'bad_camera'
    assert _cause(D=(0.1, 0.2, float('nan'), 0.0))[0] == 'bad_camera'
    assert _cause(distortion_model='', D=(0.1, 0.0, 0.0, 0.0, 0.0))[0] == 'bad_camera'


def test_an_unknown_distortion_model_is_refused_by_name():
    cause, message = _cause(distortion_model='mercator', D=(1.0,))
    assert cause == 'bad_camera'
    assert 'mercator' in message
    assert 'plumb_bob' in message
    assert _cause(distortion_model='mercator')[0] == 'bad_camera'


@pytest.mark.parametrize('model', ['', 'plumb_bob', 'rational_polynomial', 'equidistant'])
def test_no_coefficients_mean_no_distortion(model):
    assert _info(distortion_model=model).distortion_model == 'none'


@pytest.mark.parametrize(
    ('given', 'count', 'meant'),
    [
        ('plumb_bob', 8, 'rational_polynomial'),
        ('plumb_bob', 12, 'rational_polynomial'),
        ('rational_polynomial', 5, 'plumb_bob'),
        ('thin_prism', 12, 'rational_polynomial'),
        ('fisheye', 4, 'equidistant'),
        ('equidistant', 4, 'equidistant'),
    ],
)
def test_a_lens_goes_by_the_names_that_drivers_use(given, count, meant):
    camera = _info(distortion_model=given, D=(0.01,) * count)
    assert camera.distortion_model == meant
    assert len(camera.distortion) == count


def test_cameras_come_from_the_types_that_messages_hold():
    camera = _info(K=np.array(K), P=np.array(P), D=np.array([0.1, 0, 0, 0, 0]))
    assert camera.fx == 500.0
    assert camera.distortion == (0.1, 0.0, 0.0, 0.0, 0.0)
