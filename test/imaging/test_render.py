from interwild_ros.imaging import render
from interwild_ros.imaging.render import Raster, rasterize
import pytest
import torch
from torch import Tensor

SIZE = 64
ONE_FACE = torch.tensor([[0, 1, 2]])


def draw(
    points: list[list[float]] | Tensor, depths: list[float] | Tensor, **rest: object
) -> Raster:
    triangles = rest.pop('triangles', ONE_FACE)
    points, depths = torch.as_tensor(points), torch.as_tensor(depths)
    options = {'width': SIZE, 'height': SIZE, **rest}
    return rasterize(points[None], depths[None], triangles, **options)


def random_mesh(batch: int, faces: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(batch, 3 * faces, 2, generator=generator) * 1.6 * SIZE - 0.3 * SIZE
    depths = torch.rand(batch, 3 * faces, generator=generator) + 0.2
    return points, depths, torch.arange(3 * faces).view(faces, 3)


def brute_force(points: Tensor, depths: Tensor, triangles: Tensor) -> tuple[Tensor, Tensor]:
    """Ask every face about every pixel, in float64."""
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing='ij')
    at = torch.stack([x, y], -1).double()
    nearest = torch.full((SIZE, SIZE), torch.inf, dtype=torch.float64)
    face_map = torch.full((SIZE, SIZE), -1)
    for face, corners in enumerate(triangles):
        a, b, c = points[corners].double()
        basis = torch.stack([b - a, c - a], 1)
        v, w = torch.linalg.solve(basis, (at - a)[..., None])[..., 0].unbind(-1)
        weights = torch.stack([1 - v - w, v, w], -1)
        depth = 1 / (weights / depths[corners].double()).sum(-1)
        wins = (weights >= 0).all(-1) & (depth < nearest)
        nearest = torch.where(wins, depth, nearest)
        face_map = torch.where(wins, face, face_map)
    return face_map, nearest


def test_every_pixel_sees_what_asking_each_face_finds() -> None:
    points, depths, triangles = random_mesh(1, 40)
    raster = rasterize(points, depths, triangles, width=SIZE, height=SIZE)
    face_map, nearest = brute_force(points[0], depths[0], triangles)
    # pixels whose centre lies on an edge may go either way
    assert (raster.face_map()[0] != face_map).sum() <= 2
    same = (raster.face_map()[0] == face_map) & (face_map >= 0)
    found = raster.depth_map_m()[0][same].double()
    torch.testing.assert_close(found, nearest[same], rtol=1e-4, atol=0)


def test_the_nearer_face_wins_whatever_the_order() -> None:
    points = [[5.0, 5], [50, 5], [5, 50]]
    for depths, winner in (([1.0, 2.0], 0), ([2.0, 1.0], 1)):
        corner_depths = [depth for depth in depths for _ in range(3)]
        raster = draw(points * 2, corner_depths, triangles=torch.arange(6).view(2, 3))
        assert set(raster.face_ids.tolist()) == {winner}
        torch.testing.assert_close(raster.depths_m, torch.ones_like(raster.depths_m))


def test_faces_that_pierce_each_other_are_split_along_their_crossing() -> None:
    points = [[0.0, 0], [60, 0], [0, 60]]
    raster = draw(points * 2, [1.0, 1, 1, 0.5, 3, 0.5], triangles=torch.arange(6).view(2, 3))
    # 1 / depth of the second face falls from 2 to 1/3 over 60 px: it is 1 at 36 px
    face_map = raster.face_map()[0]
    assert set(face_map[2, 0:36].tolist()) == {1}
    assert set(face_map[2, 37:57].tolist()) == {0}


@pytest.mark.parametrize('seed', range(4))
def test_the_covered_area_is_the_triangles(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(3, 2, generator=generator) * (SIZE - 4) * 8 + 16
    a, b, c = points.double()
    (ux, uy), (vx, vy) = b - a, c - a
    area = float((ux * vy - uy * vx).abs() / 2)
    raster = draw(points, torch.ones(3), width=8 * SIZE, height=8 * SIZE)
    perimeter = float((a - b).norm() + (b - c).norm() + (c - a).norm())
    assert len(raster.pixels) == pytest.approx(area, abs=0.5 * perimeter)
    assert len(raster.pixels) == pytest.approx(area, rel=0.02)


def test_pixel_centres_are_at_integers_and_the_border_belongs_to_the_face() -> None:
    raster = draw([[2.0, 3], [6, 3], [2, 7]], [1.0, 1, 1])
    rows, columns = raster.face_map()[0].ge(0).nonzero(as_tuple=True)
    found = sorted(zip(columns.tolist(), rows.tolist(), strict=True))
    assert found == sorted((x, y) for x in range(2, 7) for y in range(3, 8) if x + y <= 9)


def test_neighbours_leave_no_gap_and_no_pixel_outside() -> None:
    generator = torch.Generator().manual_seed(3)
    centre = torch.rand(1, 2, generator=generator) * 20 + 20
    border = torch.tensor([[3.0, 3], [60, 3], [60, 60], [3, 60]])
    fan = torch.tensor([[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 1]])
    raster = draw(torch.cat([centre, border]), torch.rand(5) + 1, triangles=fan)
    covered = raster.face_map()[0] >= 0
    assert covered[3:61, 3:61].all()
    assert covered.sum() == 58 * 58


def test_barycentrics_sum_to_one_and_give_back_positions_in_space() -> None:
    points, depths, triangles = random_mesh(2, 30)
    raster = rasterize(points, depths, triangles, width=SIZE, height=SIZE)
    ones = raster.barycentrics.sum(-1)
    torch.testing.assert_close(ones, torch.ones_like(ones))
    assert (raster.barycentrics >= 0).all()
    in_space = torch.cat([points * depths[..., None], depths[..., None]], -1)
    found = raster.interpolate(in_space)
    torch.testing.assert_close(found[:, 2], raster.depths_m, rtol=1e-4, atol=1e-5)
    in_picture = found[:, :2] / found[:, 2:]
    wanted = torch.stack([raster.pixels % SIZE, raster.pixels // SIZE % SIZE], -1).float()
    torch.testing.assert_close(in_picture, wanted, rtol=0, atol=2e-3)


def test_a_batch_equals_its_pictures_one_by_one() -> None:
    points, depths, triangles = random_mesh(3, 25)
    together = rasterize(points, depths, triangles, width=SIZE, height=SIZE)
    for i in range(3):
        alone = rasterize(points[i : i + 1], depths[i : i + 1], triangles, width=SIZE, height=SIZE)
        torch.testing.assert_close(alone.face_map()[0], together.face_map()[i], rtol=0, atol=0)
        torch.testing.assert_close(alone.depth_map_m()[0], together.depth_map_m()[i])


def test_a_face_far_larger_than_the_picture_covers_all_of_it() -> None:
    raster = draw([[-5e4, -5e4], [9e4, -4e4], [1e3, 9e4]], [1.0, 2, 3])
    assert len(raster.pixels) == SIZE * SIZE
    assert raster.barycentrics.isfinite().all()


def test_drawing_in_small_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    points, depths, triangles = random_mesh(2, 50)
    whole = rasterize(points, depths, triangles, width=SIZE, height=SIZE)
    monkeypatch.setattr(render, '_PIXELS_AT_ONCE', 300)
    in_parts = rasterize(points, depths, triangles, width=SIZE, height=SIZE)
    torch.testing.assert_close(in_parts.face_map(), whole.face_map(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ('points', 'depths'),
    [
        ([[-30.0, 5], [-10, 5], [-20, 30]], [1.0, 1, 1]),  # beside the picture
        ([[5.0, 900], [30, 900], [5, 930]], [1.0, 1, 1]),  # below it
        ([[5.0, 5], [30, 5], [5, 30]], [1.0, 1, -0.5]),  # behind the camera
        ([[5.0, 5], [30, 5], [5, 30]], [1.0, 1, 0.009]),  # nearer than the near plane
        ([[5.0, 5], [30, 30], [50, 50]], [1.0, 1, 1]),  # without area
        ([[5.0, 5], [torch.nan, 5], [5, 30]], [1.0, 1, 1]),
        ([[5.0, 5], [torch.inf, 5], [5, 30]], [1.0, 1, 1]),
        ([[5.0, 5], [30, 5], [5, 30]], [1.0, torch.nan, 1]),
        ([[5.2, 5.2], [5.6, 5.2], [5.2, 5.6]], [1.0, 1, 1]),  # between pixel centres
    ],
)
def test_faces_that_cannot_be_seen_are_harmless(
    points: list[list[float]], depths: list[float]
) -> None:
    raster = draw(points, depths)
    assert len(raster.pixels) == 0
    assert (raster.face_map() == -1).all()
    assert raster.depth_map_m().isinf().all()
    assert raster.interpolate(torch.ones(1, 3, 4)).shape == (0, 4)


def test_front_sides_alone_are_those_with_outward_normals_towards_the_camera() -> None:
    points, depths = [[5.0, 5], [5, 30], [30, 5]], [1.0, 1, 1]
    towards, away = ONE_FACE, ONE_FACE.flip(1)
    assert len(draw(points, depths, triangles=towards, sides='front').pixels)
    assert not len(draw(points, depths, triangles=away, sides='front').pixels)
    assert len(draw(points, depths, triangles=away, sides='both').pixels)
    # x right, y down, z forward: the normal of a face that looks at the camera has negative z
    a, b, c = (torch.tensor([x, y, 1.0]) for x, y in points)
    assert torch.linalg.cross(b - a, c - a)[2] < 0


def test_painting_changes_the_covered_pixels_only() -> None:
    raster = draw([[5.0, 5], [30, 5], [5, 30]], [1.0, 1, 1])
    background = torch.rand(1, SIZE, SIZE, 3)
    before = background.clone()
    painted = raster.paint(torch.zeros(len(raster.pixels), 3), background)
    covered = raster.face_map() >= 0
    assert (painted[covered] == 0).all()
    torch.testing.assert_close(painted[~covered], background[~covered])
    torch.testing.assert_close(background, before)


def test_gradients_reach_the_attributes() -> None:
    colours = torch.rand(1, 3, 3, requires_grad=True)
    draw([[5.0, 5], [30, 5], [5, 30]], [1.0, 1, 1]).interpolate(colours).sum().backward()
    assert colours.grad is not None
    assert (colours.grad > 0).all()


@pytest.mark.gpu
def test_a_gpu_draws_the_same_picture_twice_and_as_the_cpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip('no GPU')
    mesh = random_mesh(4, 200)
    on_cpu = rasterize(*mesh, width=SIZE, height=SIZE)
    on_gpu = [rasterize(*(part.cuda() for part in mesh), width=SIZE, height=SIZE) for _ in '12']
    torch.testing.assert_close(on_gpu[0].face_map(), on_gpu[1].face_map(), rtol=0, atol=0)
    assert (on_gpu[0].face_map().cpu() != on_cpu.face_map()).float().mean() < 1e-3
