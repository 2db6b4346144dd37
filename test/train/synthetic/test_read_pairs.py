import math

from interwild_ros.geometry.spaces import apply_affine, invert_affine
from interwild_ros.geometry.upright import turns_to_upright
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.records import Side
from interwild_ros.train.streams import JointPairs
from interwild_ros.train.synthetic.crops import CropShares
from interwild_ros.train.synthetic.domains import HELD_OUT
from interwild_ros.train.synthetic.pair_crops import PairCropMaker
from interwild_ros.train.synthetic.read_pairs import read_pairs, ReadPairs
from interwild_ros.train.synthetic.scenes import SceneMaker
import pytest
import torch

COUNT = 16
AS_AT_WORK = CropShares(turned=1.0)


@pytest.fixture(scope='module')
def networks():
    return build_networks('auto')[0]


@pytest.fixture(scope='module')
def maker(networks):
    return PairCropMaker(HELD_OUT, seed=8, spaces=networks.spaces, shares=AS_AT_WORK)


@pytest.fixture(scope='module')
def crops(maker):
    return maker.draw(range(COUNT))


@pytest.fixture(scope='module')
def scenes(maker):
    return maker._scenes.make(range(COUNT))


@pytest.fixture(scope='module')
def read(networks, maker):
    return read_pairs(networks, maker.draw, COUNT)


def test_both_hands_are_in_their_crops_and_mostly_upright(networks, crops, scenes):
    true_px = apply_affine(invert_affine(crops.image_from_crop), scenes.joints_px)
    side = networks.spaces.crop_px
    inside = ((true_px >= 0) & (true_px < side)).all(-1).float()
    assert inside.mean() > 0.97
    assert turns_to_upright(true_px).abs().median() < 0.25
    assert turns_to_upright(scenes.joints_px).abs().median() > 0.4


def test_a_pair_follows_from_its_number(maker, crops):
    for one, other in zip(maker.draw(range(3, 6)), crops, strict=True):
        assert torch.equal(one, other[3:6])


def test_hands_that_cannot_be_seen_do_not_count(networks):
    turned_away = PairCropMaker(HELD_OUT, seed=8, spaces=networks.spaces, shares=AS_AT_WORK)
    turned_away._scenes = SceneMaker(HELD_OUT, seed=8)  # in some of which one hand is missing
    scenes = turned_away._scenes.make(range(COUNT))
    counts = turned_away.draw(range(COUNT)).counts
    assert not counts[~scenes.present.all(1)].any()
    assert counts[scenes.present.all(1)].float().mean() > 0.5


def test_what_is_read_is_where_the_hands_are(networks, maker, read):
    """Either hand, so that left crops are mirrored on the way in and on the way out."""
    crops, scenes = maker.draw(range(2 * COUNT)), maker._scenes.make(range(2 * COUNT))
    rows = crops.counts.nonzero()[:COUNT, 0]
    torch.testing.assert_close(read.input_from_crop, crops.image_from_crop[rows])
    xy = networks.spaces.crop_from_volume(read.joints[..., :2])
    true_px = scenes.joints_px[rows]
    off = (apply_affine(read.input_from_crop, xy) - true_px).norm(dim=-1).mean(-1)
    sides = (true_px.amax(2) - true_px.amin(2)).amax(-1)
    assert ((off / sides).median(0).values < 0.15).all()
    depths_m = networks.spaces.depth_m_from_volume(read.joints[..., 2])
    assert depths_m[:, :, 0].abs().median() < 0.01  # of the wrists, from themselves
    lengths = (read.left_from_right_m, scenes.left_from_right_m[rows])
    torch.testing.assert_close(*(ways.norm(dim=1) for ways in lengths))


def test_pairs_that_do_not_count_are_left_out(networks, maker):
    def draw(indices):
        crops = maker.draw(indices)
        return crops._replace(counts=crops.counts & (torch.tensor(list(indices)) % 3 == 2))

    few = read_pairs(networks, draw, 2)
    crops = maker.draw(range(COUNT))
    rows = draw(range(COUNT)).counts.nonzero()[:2, 0]
    assert (rows >= 2).all()  # the first pairs that are drawn have none that counts
    torch.testing.assert_close(few.input_from_crop, crops.image_from_crop[rows])


def test_the_shipped_transnet_relates_what_was_read(networks, read):
    with torch.no_grad():
        found = networks.hand_trans_net(
            read.joints.transpose(0, 1), read.input_from_crop.transpose(0, 1)
        )
    off = (found - read.left_from_right_m).norm(dim=1)
    assert off.median() < 0.5 * read.left_from_right_m.norm(dim=1).median()


@pytest.fixture
def flat(networks):
    """Pairs as a camera sees them from very far: px are the metres along x and y."""
    generator = torch.Generator().manual_seed(0)
    way = 0.2 * torch.randn(5, 3, generator=generator)
    joints = torch.rand(5, 2, 21, 3, generator=generator)
    joints[:, Side.LEFT, 0] = joints[:, Side.RIGHT, 0]
    maps = torch.eye(2, 3).repeat(5, 2, 1, 1)
    maps[:, Side.LEFT, :, 2] = way[:, :2]
    return JointPairs(joints, maps, way, torch.arange(5.0))


def test_altered_pairs_are_pairs_that_might_have_been_read(networks, flat):
    altered = ReadPairs(flat, seed=4).draw(range(200))
    wrists = apply_affine(
        altered.input_from_crop, networks.spaces.crop_from_volume(altered.joints[..., :2])
    )[:, :, 0]
    seen_way = wrists[:, Side.LEFT] - wrists[:, Side.RIGHT]
    torch.testing.assert_close(seen_way, altered.left_from_right_m[:, :2], atol=1e-5, rtol=0)
    source = altered.interacting.long()
    depth = altered.left_from_right_m[:, 2] / flat.left_from_right_m[source, 2]
    is_mirrored = depth < 0
    torch.testing.assert_close(depth.abs(), torch.ones(200))
    assert 0.35 < is_mirrored.float().mean() < 0.65
    assert set(source.tolist()) == set(range(5))
    kept = altered.joints[~is_mirrored], flat.joints[source[~is_mirrored]]
    assert torch.equal(*kept)
    exchanged = altered.joints[is_mirrored], flat.joints[source[is_mirrored]].flip(1)
    assert torch.equal(*exchanged)


def test_alterations_follow_from_seed_and_number(flat):
    whole = ReadPairs(flat, seed=4).draw(range(20))
    for one, other in zip(ReadPairs(flat, seed=4).draw(range(7, 9)), whole, strict=True):
        assert torch.equal(one, other[7:9])
    assert not torch.equal(ReadPairs(flat, seed=5).draw(range(20)).joints, whole.joints)
    turns = torch.atan2(whole.input_from_crop[:, 0, 1, 0], whole.input_from_crop[:, 0, 1, 1])
    assert math.radians(8) < turns.std() < math.radians(40)
