from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.imaging.shading import Light, shade, surface
from interwild_ros.records import Side
import torch
from torch import Tensor


def octahedron() -> tuple[Tensor, Tensor]:
    eye = torch.eye(3)
    vertices = torch.stack([eye[0], -eye[0], eye[1], -eye[1], eye[2], -eye[2]])
    triangles = [
        [x, y, z] if (x + y + z) % 2 == 0 else [x, z, y]
        for x in (0, 1)
        for y in (2, 3)
        for z in (4, 5)
    ]
    return vertices, torch.tensor(triangles)


def test_normals_of_an_octahedron_point_along_its_corners() -> None:
    vertices, triangles = octahedron()
    normals = surface(triangles, 6).normals(vertices[None])
    torch.testing.assert_close(normals[0], vertices)


def test_normals_turn_with_the_mesh() -> None:
    model = read_stand_in(Side.RIGHT)
    hand = surface(torch.tensor(model.triangles.astype('int64')), 778)
    vertices = torch.tensor(model.v_template)[None]
    turn = torch.linalg.matrix_exp(torch.tensor([[0.0, -1, 2], [1, 0, -3], [-2, 3, 0]]).double())
    torch.testing.assert_close(hand.normals(vertices @ turn.T), hand.normals(vertices) @ turn.T)
    lengths = hand.normals(vertices).norm(dim=-1)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))


def test_what_faces_the_lamp_is_brighter() -> None:
    light = Light(towards=(0, 0, -1), highlight=0)
    normals = torch.tensor([[0.0, 0, -1], [1, 0, 0], [0, 0, 1]])
    points = torch.tensor([[0.0, 0, 0.5]]).expand(3, 3)
    lit = shade(torch.ones(3, 3), normals, points, light)[:, 0]
    assert lit[0] > lit[1] > lit[2] > 0


def test_without_a_highlight_light_only_scales_colours() -> None:
    light = Light(highlight=0)
    normals = torch.nn.functional.normalize(torch.randn(5, 3), dim=-1)
    points, colours = torch.rand(5, 3) + 0.3, torch.rand(5, 3)
    lit = shade(colours, normals, points, light)
    torch.testing.assert_close(shade(2 * colours, normals, points, light), 2 * lit)
