from interwild_ros.geometry.rotations import matrix_from_axis_angle
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.networks.variants import VARIANTS
from interwild_ros.records import Side
from interwild_ros.train.crop_alteration import CropAlteration
from interwild_ros.train.streams import HandCrops
import pytest
import torch

SPACES = VARIANTS['compact'].spaces
COUNT = 16


@pytest.fixture(scope='module')
def batch():
    """Hands seen from afar, each with its index finger's tip as the only light spot."""
    torch.manual_seed(0)
    models = HandPair(*(read_stand_in(side) for side in Side)).eval()
    pose, betas = 0.3 * torch.randn(COUNT, 48), torch.randn(COUNT, 10)
    with torch.no_grad():
        vertices, joints = models.one_side(Side.RIGHT, pose, betas)
    joints, vertices = joints - joints[:, :1], vertices - joints[:, :1]
    xy = joints[..., :2] * 300 + 64 - (joints[:, 8:9, :2] * 300) / 2
    pictures = torch.zeros(COUNT, 3, 128, 128, dtype=torch.uint8)
    for row, (x, y) in enumerate(xy[:, 8].round().int().tolist()):
        pictures[row, :, y - 2 : y + 3, x - 2 : x + 3] = 180
    cells = SPACES.volume_from_crop(xy.round())
    z = SPACES.volume_from_depth_m(joints[..., 2:])
    ones = torch.ones(COUNT)
    return HandCrops(
        pictures,
        torch.cat([cells, z], -1),
        ones[:, None].expand(-1, 21),
        joints,
        vertices,
        pose,
        betas,
        ones,
        ones,
        torch.arange(COUNT) % 4 - 1,
    )


@pytest.fixture(scope='module')
def altered(batch):
    return CropAlteration(SPACES, seed=3)(batch, range(COUNT))


def test_the_picture_moves_with_the_joints(altered):
    """Some spots are hidden, or out of the crop: so most count, and not all."""
    offsets = []
    cells = torch.arange(128.0)
    for picture, joints in zip(altered.pictures, altered.joints, strict=True):
        x, y = SPACES.crop_from_volume(joints[8, :2])
        near = ((cells - x).abs() < 6)[None] & ((cells - y).abs() < 6)[:, None]
        spot = picture.float().sum(0) * near
        columns, rows = ((spot.sum(axis) * cells).sum() / spot.sum() for axis in (0, 1))
        offsets.append(torch.hypot(columns - x, rows - y))
    assert torch.stack(offsets).nanmedian() < 0.5


def test_the_pose_still_gives_the_mesh(altered):
    models = HandPair(*(read_stand_in(side) for side in Side)).eval()
    with torch.no_grad():
        vertices, joints = models.one_side(Side.RIGHT, altered.pose, altered.betas)
    assert torch.allclose(vertices - joints[:, :1], altered.vertices_m, atol=1e-5)
    assert torch.allclose(joints - joints[:, :1], altered.joints_m, atol=1e-5)


def test_joints_in_space_turn_as_those_in_the_picture(batch, altered):
    for before, after, joints_before, joints_after in zip(
        batch.joints_m, altered.joints_m, batch.joints, altered.joints, strict=True
    ):
        in_space = torch.atan2(after[12, 1], after[12, 0]) - torch.atan2(
            before[12, 1], before[12, 0]
        )
        then, now = (j[12, :2] - j[0, :2] for j in (joints_before, joints_after))
        in_picture = torch.atan2(now[1], now[0]) - torch.atan2(then[1], then[0])
        assert torch.cos(in_space - in_picture) == pytest.approx(1.0, abs=5e-3)


def test_depths_and_fingers_stay(batch, altered):
    assert torch.equal(altered.joints[..., 2], batch.joints[..., 2])
    assert torch.equal(altered.pose[:, 3:], batch.pose[:, 3:])
    turned = matrix_from_axis_angle(altered.pose[:, :3])
    assert torch.allclose(turned[:, 2], matrix_from_axis_angle(batch.pose[:, :3])[:, 2], atol=1e-5)


def test_what_a_crop_shows_stays(batch, altered):
    assert torch.equal(altered.kinds, batch.kinds)
    assert torch.equal(altered.counts, batch.counts)


def test_the_same_index_is_altered_in_the_same_way(batch, altered):
    half = HandCrops(*(rows[8:] for rows in batch))
    again = CropAlteration(SPACES, seed=3)(half, range(8, COUNT))
    assert all(torch.equal(a, b[8:]) for a, b in zip(again, altered, strict=True))
    other = CropAlteration(SPACES, seed=4)(half, range(8, COUNT))
    assert not torch.equal(other.pictures, again.pictures)
