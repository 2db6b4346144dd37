from interwild_ros.errors import InputError
from interwild_ros.geometry import depth_placement
from interwild_ros.geometry.camera import project
from interwild_ros.geometry.depth_placement import shift_to_depth
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.imaging.depth import metres_of_depth
from interwild_ros.imaging.render import rasterize
from interwild_ros.records import Camera, Side
import numpy as np
import pytest
import torch

CAMERAS = {
    'none': Camera(640, 480, 600.0, 610.0, 319.5, 239.5),
    'plumb_bob': Camera(
        640, 480, 600.0, 610.0, 330.0, 235.0, 'plumb_bob', (0.1, -0.2, 0.001, -0.001, 0.05)
    ),
    'equidistant': Camera(
        640, 480, 600.0, 600.0, 319.5, 239.5, 'equidistant', (-0.01, 0.02, -0.01, 0.004)
    ),
}
CAMERA = CAMERAS['none']
MIDDLE = np.array([0.06, -0.04, 0.5])
WALL_M = 1.2


@pytest.fixture(scope='module')
def hands():
    """Return both hands, palms to the camera and fingers up, about their middles; triangles."""
    model = HandPair(read_stand_in(Side.RIGHT), read_stand_in(Side.LEFT))
    with torch.inference_mode():
        vertices = model(torch.zeros(2, 48), torch.zeros(2, 10))[0].double().numpy()
    turned = vertices[..., [2, 0, 1]]
    turned[Side.LEFT] *= (1, -1, -1)
    topology = model.topology()
    triangles = [topology.right_triangles, topology.left_triangles]
    return turned - turned.mean(axis=1, keepdims=True), triangles


@pytest.fixture(scope='module')
def right(hands):
    return hands[0][Side.RIGHT]


@pytest.fixture(scope='module')
def triangles(hands):
    return hands[1][Side.RIGHT]


def depth_of(vertices, triangles, camera=CAMERA, wall_m=np.inf):
    raster = rasterize(
        torch.from_numpy(project(camera, vertices))[None],
        torch.from_numpy(vertices[:, 2])[None],
        torch.from_numpy(triangles.astype(np.int64)),
        width=camera.width,
        height=camera.height,
    )
    return np.minimum(raster.depth_map_m()[0].double().numpy(), wall_m)


def plate(depth_m, camera=CAMERA, half_m=0.08):
    """Return a flat square of many vertices that faces the camera, and its triangles."""
    steps = np.linspace(-half_m, half_m, 30)
    x, y = np.meshgrid(steps, steps)
    vertices = np.stack([x, y, np.full_like(x, depth_m)], -1).reshape(-1, 3)
    corner = np.add.outer(np.arange(29) * 30, np.arange(29)).ravel()
    lower = np.stack([corner, corner + 30, corner + 1], 1)
    upper = np.stack([corner + 1, corner + 30, corner + 31], 1)
    return vertices, np.concatenate([lower, upper])


def test_a_flat_hand_is_shifted_onto_its_readings_exactly():
    vertices, triangles = plate(0.5)
    found = shift_to_depth(vertices, triangles, CAMERA, np.full((480, 640), 0.47))
    np.testing.assert_allclose(found.shift_m, (0, 0, -0.03), atol=1e-12)
    assert found.readings == len(vertices)


@pytest.mark.parametrize('lens', CAMERAS)
@pytest.mark.parametrize('distance_m', [0.3, 0.5, 1.0, 2.0])
def test_a_hand_in_its_place_stays_there(right, triangles, lens, distance_m):
    camera = CAMERAS[lens]
    placed = right + MIDDLE * (0.5, 0.5, distance_m / MIDDLE[2])
    found = shift_to_depth(placed, triangles, camera, depth_of(placed, triangles, camera))
    assert np.abs(found.shift_m).max() < 3e-4
    assert found.readings > 100


@pytest.mark.parametrize('wrong_m', [-0.06, -0.02, 0.02, 0.06])
def test_a_hand_wrong_along_its_ray_is_put_back(right, triangles, wrong_m):
    true = right + MIDDLE
    wrong = true + wrong_m * MIDDLE / MIDDLE[2]
    found = shift_to_depth(wrong, triangles, CAMERA, depth_of(true, triangles, wall_m=WALL_M))
    np.testing.assert_allclose(wrong + found.shift_m, true, atol=0.003)


def test_the_shift_lies_on_the_ray_through_the_middle_of_the_hand(right, triangles):
    depth_m = depth_of(right + MIDDLE, triangles)
    wrong = right + 1.05 * MIDDLE
    found = shift_to_depth(wrong, triangles, CAMERA, depth_m)
    np.testing.assert_allclose(np.cross(found.shift_m, MIDDLE), 0, atol=1e-9)
    assert found.shift_m[2] < -0.02


def test_mirroring_the_world_mirrors_the_shift(right, triangles):
    wrong = right + 1.04 * MIDDLE
    depth_m = depth_of(right + MIDDLE, triangles, wall_m=WALL_M)
    one = shift_to_depth(wrong, triangles, CAMERA, depth_m)
    other = shift_to_depth(wrong * (-1, 1, 1), triangles[:, ::-1], CAMERA, depth_m[:, ::-1])
    np.testing.assert_allclose(other.shift_m, one.shift_m * (-1, 1, 1), atol=3e-4)


@pytest.mark.parametrize('nothing', [0.0, np.nan, np.inf, -1.0])
def test_pixels_without_a_reading_are_left_out(right, triangles, nothing):
    depth_m = depth_of(right + MIDDLE, triangles, wall_m=WALL_M)
    depth_m[np.random.default_rng(0).random(depth_m.shape) < 0.6] = nothing
    wrong = right + 1.04 * MIDDLE
    whole = shift_to_depth(wrong, triangles, CAMERA, depth_of(right + MIDDLE, triangles))
    found = shift_to_depth(wrong, triangles, CAMERA, depth_m)
    assert abs(found.shift_m[2] - whole.shift_m[2]) < 0.002
    assert found.readings < 0.6 * whole.readings


def test_what_is_behind_and_what_is_held_before_a_part_of_the_hand_does_not_count(
    right, triangles
):
    placed = right + MIDDLE
    depth_m = depth_of(placed, triangles, wall_m=WALL_M)
    columns = project(CAMERA, placed)[:, 0]
    depth_m[:, : int(np.quantile(columns, 0.2))] = WALL_M
    depth_m[:, int(np.quantile(columns, 0.8)) :] = 0.35
    found = shift_to_depth(placed, triangles, CAMERA, depth_m)
    assert abs(found.shift_m[2]) < 5e-4


def test_a_hand_before_the_hand_is_not_taken_for_it(hands):
    (right, left), (triangles, others) = hands
    mine, other = right + MIDDLE, left + MIDDLE + (0.025, 0.02, -0.06)
    both = np.concatenate([mine, other])
    depth_m = depth_of(both, np.concatenate([triangles, others + len(mine)]), wall_m=WALL_M)
    blind = shift_to_depth(mine, triangles, CAMERA, depth_m)
    found = shift_to_depth(mine, triangles, CAMERA, depth_m, other_vertices_m=other)
    assert blind.shift_m[2] < -0.02
    assert abs(found.shift_m[2]) < 0.002
    assert found.readings < blind.readings


def test_a_hand_behind_the_hand_changes_nothing(hands):
    (right, left), (triangles, others) = hands
    mine, other = right + MIDDLE, left + MIDDLE + (0.03, 0.0, 0.12)
    both = np.concatenate([mine, other])
    depth_m = depth_of(both, np.concatenate([triangles, others + len(mine)]))
    alone = shift_to_depth(mine, triangles, CAMERA, depth_m)
    found = shift_to_depth(mine, triangles, CAMERA, depth_m, other_vertices_m=other)
    np.testing.assert_array_equal(found.shift_m, alone.shift_m)


def test_a_hand_wholly_behind_the_other_one_has_no_readings():
    vertices, triangles = plate(0.5)
    other, _ = plate(0.42)
    depth_m = np.full((480, 640), 0.42)
    assert shift_to_depth(vertices, triangles, CAMERA, depth_m) is not None
    shift = shift_to_depth(vertices, triangles, CAMERA, depth_m, other_vertices_m=other)
    assert shift is None


def test_a_back_that_turns_away_has_no_readings():
    vertices, triangles = plate(0.5)
    depth_m = np.full((480, 640), 0.5)
    assert shift_to_depth(vertices, triangles[:, ::-1], CAMERA, depth_m) is None


@pytest.mark.parametrize('nothing', [0.0, np.nan, np.inf, -np.inf, -3.0, WALL_M, 0.1])
def test_a_picture_that_does_not_show_the_hand_gives_none(right, triangles, nothing):
    depth_m = np.full((480, 640), nothing)
    assert shift_to_depth(right + MIDDLE, triangles, CAMERA, depth_m) is None


@pytest.mark.parametrize('middle', [(0, 0, -0.5), (0, 0, 0.0), (3, 0, 0.5), (np.nan, 0, 0.5)])
def test_a_hand_that_is_not_in_the_picture_gives_none(right, triangles, middle):
    depth_m = np.full((480, 640), 0.5)
    assert shift_to_depth(right + middle, triangles, CAMERA, depth_m) is None


def test_the_standard_deviation_covers_the_scatter_and_is_not_far_above_it(right, triangles):
    placed = right + MIDDLE
    clean = depth_of(placed, triangles, wall_m=WALL_M)
    rng = np.random.default_rng(1)
    found = [
        shift_to_depth(placed, triangles, CAMERA, clean + rng.normal(0, 0.012, clean.shape))
        for _ in range(100)
    ]
    scatter_m = np.std([f.shift_m[2] for f in found])
    claimed_m = np.mean([f.std_m for f in found])
    assert scatter_m < claimed_m < 5 * scatter_m


def test_a_depth_picture_of_another_size_than_the_cameras_is_refused(right, triangles):
    with pytest.raises(InputError, match=r'\(240, 320\).*\(480, 640\)'):
        shift_to_depth(right + MIDDLE, triangles, CAMERA, np.ones((240, 320)))


def test_whatever_comes_in_gives_none_or_a_finite_shift(right, triangles):
    rng = np.random.default_rng(2)
    base = depth_of(right + MIDDLE, triangles, wall_m=WALL_M)
    found = []
    for _ in range(150):
        camera = CAMERAS[rng.choice(list(CAMERAS))]
        scale = 10.0 ** rng.uniform(-3, 3) if rng.random() < 0.3 else 1
        away = rng.choice([-1, 0, 0.2, 50]) if rng.random() < 0.3 else 1
        placed = scale * right + away * MIDDLE
        other = right + rng.choice([0.8, 0, 1, np.nan]) * MIDDLE
        depth_m = base * 10.0 ** rng.uniform(-1, 1) if rng.random() < 0.5 else base.copy()
        for array in (placed, other, depth_m):
            broken = rng.random(array.shape) < rng.choice([0, 0, 0, 0.3, 1])
            array[broken] = rng.choice([np.nan, np.inf, -np.inf, 0, -1, 1e300, 1e-300])
        shift = shift_to_depth(
            placed,
            triangles,
            camera,
            depth_m,
            other_vertices_m=other if rng.random() < 0.5 else None,
        )
        if shift is not None:
            found.append(shift)
            assert np.isfinite(shift.shift_m).all()
            assert np.isfinite(shift.std_m)
            assert shift.std_m > 0
            assert shift.readings >= depth_placement.MIN_READINGS
    assert 10 < len(found) < 140


def depth_message(kind, numbers, padding=0):
    rows = np.asarray(numbers, kind)
    bytes_ = rows.view(np.uint8).reshape(len(rows), -1)
    padded = np.pad(bytes_, [(0, 0), (0, padding)], constant_values=255)
    return padded.shape[1], padded.tobytes()


@pytest.mark.parametrize('encoding', ['16UC1', 'mono16'])
@pytest.mark.parametrize(('kind', 'is_bigendian'), [('<u2', False), ('>u2', True)])
def test_sixteen_bits_are_millimetres(encoding, kind, is_bigendian):
    step, data = depth_message(kind, [[0, 1, 500], [1234, 65535, 0]], padding=3)
    found = metres_of_depth(encoding, 3, 2, step, is_bigendian, data)
    wanted = [[np.nan, 0.001, 0.5], [1.234, 65.535, np.nan]]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize(('kind', 'is_bigendian'), [('<f4', False), ('>f4', True)])
def test_floats_are_metres_and_what_is_not_above_zero_and_finite_is_no_reading(kind, is_bigendian):
    step, data = depth_message(kind, [[0.5, np.nan, np.inf], [-np.inf, -1, 0]], padding=1)
    found = metres_of_depth('32FC1', 3, 2, step, is_bigendian, data)
    np.testing.assert_array_equal(found, [[0.5, np.nan, np.nan], [np.nan] * 3])


@pytest.mark.parametrize(
    ('cause', 'encoding', 'size', 'step', 'count'),
    [
        ('bad_encoding', 'rgb8', (4, 2), 12, 24),
        ('zero_size', '16UC1', (0, 2), 8, 16),
        ('too_large', '16UC1', (1 << 20, 2), 8, 16),
        ('bad_step', '32FC1', (4, 2), 15, 32),
        ('short_data', '16UC1', (4, 2), 8, 15),
    ],
)
def test_a_depth_message_that_cannot_be_read_is_refused(cause, encoding, size, step, count):
    with pytest.raises(InputError) as caught:
        metres_of_depth(encoding, *size, step, False, bytes(count))
    assert caught.value.cause == cause
