from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.hand_model.surface import border_loop, LinearMap, Normals, subdivide
from interwild_ros.records import Side
import numpy as np
import torch


def octahedron() -> tuple[np.ndarray, np.ndarray]:
    eye = np.eye(3)
    vertices = np.stack([eye[0], -eye[0], eye[1], -eye[1], eye[2], -eye[2]])
    triangles = [
        [x, y, z] if (x + y + z) % 2 == 0 else [x, z, y]
        for x in (0, 1)
        for y in (2, 3)
        for z in (4, 5)
    ]
    return vertices, np.array(triangles)


def test_normals_of_an_octahedron_point_along_its_corners() -> None:
    vertices, triangles = octahedron()
    normals = Normals(triangles, 6)(torch.tensor(vertices)[None])
    torch.testing.assert_close(normals[0], torch.tensor(vertices))


def test_normals_are_unit_and_turn_with_the_mesh() -> None:
    model = read_stand_in(Side.RIGHT)
    normals_of = Normals(model.triangles, 778)
    vertices = torch.tensor(model.v_template)[None]
    turn = torch.linalg.matrix_exp(torch.tensor([[0.0, -1, 2], [1, 0, -3], [-2, 3, 0]]).double())
    torch.testing.assert_close(normals_of(vertices @ turn.T), normals_of(vertices) @ turn.T)
    lengths = normals_of(vertices).norm(dim=-1)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))


def test_subdivision_makes_four_triangles_of_one_and_keeps_the_mesh_closed() -> None:
    vertices, triangles = octahedron()
    fine = subdivide(triangles, 6, rounds=3)
    assert len(fine.triangles) == 8 * 4**3
    assert fine.matrix.shape[0] == 2 + len(fine.triangles) // 2  # Euler: a sphere
    directed = fine.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    assert len(np.unique(directed, axis=0)) == len(directed)
    radii = np.linalg.norm(fine.matrix @ vertices, axis=1)
    assert radii.std() < 0.06 * radii.mean()  # rounder than the 0.2 of the octahedron


def test_subdivision_reproduces_a_plane_and_moves_with_the_mesh() -> None:
    model = read_stand_in(Side.RIGHT)
    fine = subdivide(model.triangles, 778, rounds=1)
    np.testing.assert_allclose(fine.matrix.sum(1), 1)
    slope = np.array([1.0, -2.0, 0.5])
    flattened = model.v_template - np.outer(model.v_template @ slope, slope) / (slope @ slope)
    np.testing.assert_allclose(fine.matrix @ flattened @ slope, 0, atol=1e-12)


def test_subdivision_does_not_ask_which_way_triangles_turn() -> None:
    triangles = read_stand_in(Side.RIGHT).triangles
    one, other = (subdivide(t, 778, rounds=2) for t in (triangles, triangles[:, ::-1]))
    assert abs(one.matrix - other.matrix).max() < 1e-12


def test_the_border_runs_with_the_triangles() -> None:
    triangles = np.array([[0, 1, 2], [0, 2, 3]])
    assert border_loop(triangles).tolist() == [0, 1, 2, 3]


def test_a_linear_map_is_its_matrix() -> None:
    model = read_stand_in(Side.LEFT)
    fine = subdivide(model.triangles, 778, rounds=1)
    vertices = np.stack([model.v_template, 2 * model.v_template + 1])
    found = LinearMap(fine.matrix)(torch.tensor(vertices))
    wanted = np.stack([fine.matrix @ one for one in vertices])
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-7)
