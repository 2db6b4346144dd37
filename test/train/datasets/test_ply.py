from interwild_ros.errors import AssetError
from interwild_ros.testing.tiny_datasets import write_ply
from interwild_ros.train.datasets.ply import read_ply_vertices
import numpy as np
import pytest

VERTICES = np.random.default_rng(0).normal(size=(50, 3))
FORMS = ('ascii', 'binary_little_endian')


@pytest.fixture(params=FORMS)
def path(request, tmp_path):
    path = tmp_path / 'mesh.ply'
    write_ply(path, VERTICES, form=request.param)
    return path


def test_vertices_come_back(path):
    np.testing.assert_allclose(read_ply_vertices(path, count=50), VERTICES, atol=1e-6)


@pytest.mark.parametrize('kept', [0.2, 0.5, 0.9])
def test_a_file_cut_short_is_refused(path, kept):
    content = path.read_bytes()
    end_of_vertices = content.find(b'end_header') + 50 * 15  # less than either form needs
    path.write_bytes(content[: int(kept * end_of_vertices)])
    with pytest.raises(AssetError, match=r'mesh\.ply'):
        read_ply_vertices(path, count=50)


def test_axes_are_found_by_name_and_type(tmp_path):
    path = tmp_path / 'mesh.ply'
    header = (
        'ply\r\nformat binary_little_endian 1.0\r\ncomment made by hand\r\nelement vertex 2\r\n'
        'property double z\r\nproperty uchar flag\r\nproperty float y\r\nproperty short x\r\n'
        'end_header\r\n'
    )
    table = np.zeros(2, [('z', '<f8'), ('flag', 'u1'), ('y', '<f4'), ('x', '<i2')])
    table['x'], table['y'], table['z'] = [1, -2], [3.5, 4.5], [5, 6]
    path.write_bytes(header.encode() + table.tobytes())
    assert read_ply_vertices(path, count=2).tolist() == [[1, 3.5, 5], [-2, 4.5, 6]]


def test_another_number_of_vertices_is_refused(path):
    with pytest.raises(AssetError, match='50 vertices, wanted 778'):
        read_ply_vertices(path, count=778)


@pytest.mark.parametrize(
    ('old', 'new', 'complaint'),
    [
        ('ply\n', 'stl\n', r"begins with b'stl.*wanted ply"),
        ('format ascii', 'format binary_big_endian', 'format binary_big_endian, wanted ascii'),
        ('element vertex 50', 'element face 50', r'element .*wanted vertices'),
        ('float z', 'float w', 'wanted numbers x, y, z'),
        ('float z', 'list uchar int z', 'wanted numbers x, y, z'),
        ('element vertex 50', 'element vertex many', r'element .*wanted vertices'),
        (' 200 150 120\n', ' 200 150 what\n', 'cut short or no numbers'),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, old, new, complaint):
    path = tmp_path / 'mesh.ply'
    write_ply(path, VERTICES)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(AssetError, match=complaint):
        read_ply_vertices(path, count=50)


def test_vertices_that_are_not_finite_are_refused(tmp_path):
    write_ply(tmp_path / 'mesh.ply', np.full((50, 3), np.nan))
    with pytest.raises(AssetError, match='not finite'):
        read_ply_vertices(tmp_path / 'mesh.ply', count=50)
