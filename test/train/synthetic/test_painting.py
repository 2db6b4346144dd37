from interwild_ros.train.synthetic import painting
from interwild_ros.train.synthetic.painting import Layer, mesh_normals, paint
from interwild_ros.train.synthetic.things import ThingMaker
import pytest
import torch

SIZE = 40
SQUARE = torch.tensor([[0, 2, 1], [0, 3, 2]], dtype=torch.int64)  # seen from the camera


@pytest.fixture(params=['compiled', 'torch'])
def way(request, monkeypatch):
    if request.param == 'torch':
        monkeypatch.setattr(painting, '_COMPILED_ON', 'no device')
    return request.param


def square(low, high, nearness):
    corners = [[low, low], [high, low], [high, high], [low, high]]
    points = torch.tensor(corners, dtype=torch.float32)
    return torch.cat([points, torch.full((4, 1), nearness)], 1)


def layer(points, marks, *, is_mirrored=False):
    shades = torch.linspace(0.2, 0.9, len(points))[:, None, None].expand(-1, 4, 3)
    return Layer(
        points=torch.stack(points),
        colours=shades,
        triangles=SQUARE.flip(1) if is_mirrored else SQUARE,
        is_mirrored=torch.full((len(points),), is_mirrored),
        sample=torch.zeros(len(points), dtype=torch.int64),
        mark=torch.tensor(marks),
    )


def test_the_nearer_mesh_hides_the_other_whichever_comes_first(way):
    near, far = square(10, 20, 2.0), square(5, 30, 1.0)
    background = torch.zeros(1, SIZE, SIZE, 3)
    found = paint([layer([near, far], [0, 1])], background)
    assert float(found.pictures[0, 15, 15, 0]) == pytest.approx(0.2)
    assert float(found.pictures[0, 7, 7, 0]) == pytest.approx(0.9)
    swapped = paint([layer([far, near], [0, 1])], background)
    assert float(swapped.pictures[0, 15, 15, 0]) == pytest.approx(0.9)


def test_shares_say_how_much_is_hidden(way):
    near, far = square(10, 20, 2.0), square(5, 25, 1.0)
    found = paint([layer([near, far], [0, 1])], torch.zeros(1, SIZE, SIZE, 3))
    right, left, rest = found.shares[0].tolist()
    assert right == 1.0
    assert left == pytest.approx(0.75, abs=0.03)
    assert rest == 0.0


def test_an_edge_between_samples_mixes_with_the_background(way):
    found = paint([layer([square(10, 20.25, 1.0)], [0])], torch.ones(1, SIZE, SIZE, 3))
    assert 0.2 < float(found.pictures[0, 15, 20, 0]) < 1.0
    assert float(found.pictures[0, 15, 25, 0]) == 1.0


def test_faces_that_turn_away_are_not_drawn_unless_they_are_mirrored(way):
    background = torch.zeros(1, SIZE, SIZE, 3)
    away = layer([square(10, 20, 1.0)], [0])._replace(triangles=SQUARE.flip(1))
    assert float(paint([away], background).pictures.max()) == 0
    mirrored = layer([square(10, 20, 1.0)], [0], is_mirrored=True)
    assert float(paint([mirrored], background).pictures.max()) > 0


def test_what_is_behind_the_camera_is_not_drawn(way):
    found = paint([layer([square(10, 20, 0.0)], [0])], torch.zeros(1, SIZE, SIZE, 3))
    assert float(found.pictures.max()) == 0


def test_normals_of_a_square_look_at_the_camera(way):
    normals = mesh_normals(square(0, 1, 0.0)[None], SQUARE)
    torch.testing.assert_close(normals, torch.tensor([0.0, 0, -1]).expand(1, 4, 3))


def test_compiled_code_and_torch_paint_the_same(crop_maker, monkeypatch):
    compiled = crop_maker.make(range(6))
    monkeypatch.setattr(painting, '_COMPILED_ON', 'no device')
    in_torch = crop_maker.make(range(6))
    off = (compiled.pictures.int() - in_torch.pictures.int()).abs().float()
    assert off.mean() < 0.5
    assert (off.amax(1) > 24).float().mean() < 0.003
    torch.testing.assert_close(compiled.seen, in_torch.seen, rtol=0, atol=0.02)


def test_things_are_closed_and_face_outward():
    triangles = ThingMaker().triangles
    edges = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    inner = {tuple(edge) for edge in edges.tolist()}
    open_edges = [edge for edge in inner if edge[::-1] not in inner]
    # the first and the last ring are points, in as many places as a ring has
    assert len(open_edges) == 2 * 20
