from interwild_ros.imaging.shading import Light, shade
import torch


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
