from interwild_ros.geometry.crops import about_joints
from interwild_ros.geometry.mirror import mirror_columns
from interwild_ros.geometry.sight import camera_from_sight
from interwild_ros.geometry.upright import turns_to_upright
from interwild_ros.networks.variants import COMPACT_SPACES
from interwild_ros.train.streams import LEFT_KIND, NO_KIND, RIGHT_KIND, UNKNOWN
from interwild_ros.train.synthetic.crops import along_sight, CropMaker, CropShares
from interwild_ros.train.synthetic.domains import WILD
from interwild_ros.train.synthetic.painting import paint
import pytest
import torch

SEED = 5  # that of the fixtures
PICTURE_ROUNDING = 2  # levels; a batch of another size may add up in another order


def test_a_crop_is_the_same_in_every_batch(crop_maker, crops):
    again = crop_maker.make([5, 17])
    for row, number in enumerate((5, 17)):
        off = (again.pictures[row].int() - crops.pictures[number].int()).abs()
        assert (off > PICTURE_ROUNDING).float().mean() < 1e-3
        for name in ('joints_px', 'joints_m', 'pose', 'betas', 'focal_px'):
            found, wanted = getattr(again, name)[row], getattr(crops, name)[number]
            torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-3)
        assert again.counts[row] == crops.counts[number]


def test_another_seed_makes_other_crops(domain, crops):
    others = CropMaker(domain, seed=6).make(range(3))
    assert (others.pictures != crops.pictures[:3]).float().mean() > 0.3


def test_projecting_the_joints_gives_their_pixels(crops):
    points = crops.joints_m + crops.wrist_m[:, None]
    px = points[..., :2] / points[..., 2:] * crops.focal_px[:, None, None]
    px = px + crops.centre_px[:, None]
    torch.testing.assert_close(px, crops.joints_px, rtol=0, atol=0.02)


def test_the_mesh_is_that_of_a_right_hand(crops, scene_maker):
    with torch.no_grad():
        vertices, joints = scene_maker.hand_models(
            crops.pose.repeat(2, 1), crops.betas.repeat(2, 1)
        )
    relative = (vertices - joints[:, :1])[: len(crops.pose)]
    torch.testing.assert_close(relative, crops.vertices_m, rtol=0, atol=3e-6)


def test_about_the_line_of_sight_everything_is_turned_alike(crops, scene_maker):
    turned = along_sight(crops, COMPACT_SPACES)
    middle = COMPACT_SPACES.crop_centre_px
    turn = camera_from_sight((middle - crops.centre_px) / crops.focal_px[:, None])
    assert (turn[:, 2, 2] < 0.98).any()  # some are far from the picture's middle
    back = (turn @ turned.wrist_m[..., None])[..., 0]
    torch.testing.assert_close(back, crops.wrist_m, rtol=0, atol=1e-5)
    joints_m = turned.joints_m @ turn.transpose(1, 2)
    torch.testing.assert_close(joints_m, crops.joints_m, rtol=0, atol=1e-6)
    with torch.no_grad():
        vertices, joints = scene_maker.hand_models(
            turned.pose.repeat(2, 1), turned.betas.repeat(2, 1)
        )
    relative = (vertices - joints[:, :1])[: len(crops.pose)]
    torch.testing.assert_close(relative, turned.vertices_m, rtol=0, atol=5e-6)


def test_a_crops_middle_is_straight_ahead_about_its_line_of_sight(crops):
    """What stands on the line of sight has no x and y there."""
    middle = COMPACT_SPACES.crop_centre_px
    ray = (middle - crops.centre_px) / crops.focal_px[:, None]
    on_it = torch.nn.functional.pad(ray, (0, 1), value=1.0)
    turned = along_sight(crops._replace(wrist_m=on_it), COMPACT_SPACES).wrist_m
    torch.testing.assert_close(turned[:, :2], torch.zeros_like(ray), rtol=0, atol=1e-5)
    torch.testing.assert_close(turned[:, 2], on_it.norm(dim=1))


def test_left_hands_come_too(crops):
    assert 0.2 < crops.is_left.float().mean() < 0.8


def test_hands_fill_their_crops_as_detected_ones_do(crops):
    side = COMPACT_SPACES.crop_px
    extent = (crops.joints_px.amax(1) - crops.joints_px.amin(1)).amax(1) / side
    wanted = 1 / (1.2 * COMPACT_SPACES.crop_box_scale)
    assert extent.median() == pytest.approx(wanted, rel=0.15)
    middle = (crops.joints_px.amax(1) + crops.joints_px.amin(1)) / 2 / side
    assert (middle - 0.5).abs().max() < 0.2


def test_crops_are_pictures_of_something(crops):
    assert crops.pictures.dtype == torch.uint8
    assert crops.pictures.shape[1:] == (3, 128, 128)
    assert crops.pictures.float().flatten(1).std(1).min() > 3


def test_most_crops_count_and_hidden_hands_do_not(crops):
    assert crops.counts.float().mean() > 0.8
    assert not crops.counts[crops.seen < 0.35].any()


def test_the_hand_is_where_the_truth_says(crop_maker, domain, monkeypatch):
    """Painted bright on black, the hand covers its joints."""
    import interwild_ros.train.synthetic.pictures as pictures

    kept = []

    def bright(layers, backgrounds):
        hands = layers[0]._replace(colours=torch.ones_like(layers[0].colours))
        painted = paint([hands], torch.zeros_like(backgrounds))
        kept.append(painted.pictures)
        return painted

    monkeypatch.setattr(pictures, 'paint', bright)
    made = crop_maker.make(range(100, 124))
    lit = kept[0][..., 0] > 0.4
    lit = torch.where(made.is_left[:, None, None], lit.flip(-1), lit)
    under_the_skin = [joint for joint in range(21) if joint not in (4, 8, 12, 16, 20)]
    at = made.joints_px[:, under_the_skin].round().long().clamp(0, 127)
    on_hand = lit[torch.arange(24)[:, None], at[..., 1], at[..., 0]]
    assert on_hand.float().mean() > 0.97


def test_truth_in_3d_is_the_studios_and_not_the_wilds(domain, crops):
    assert bool(crops.has_3d.all()) == domain.has_3d
    assert not WILD.has_3d


def test_every_crop_that_counts_is_of_a_right_hand_and_of_others_nothing_is_said(crops):
    assert crops.kinds.dtype == torch.int64
    assert torch.equal(crops.kinds == RIGHT_KIND, crops.counts)
    assert torch.equal(crops.kinds == UNKNOWN, ~crops.counts)


def made_with(domain, crops, **shares):
    """Return the same crops with shares of them that are not as they should be."""
    return CropMaker(domain, seed=SEED, shares=CropShares(**shares)).make(range(len(crops.counts)))


def assert_same_rows(found, wanted, rows):
    """Hold crops against others bit by bit, where they should be the same."""
    for name, one, other in zip(found._fields, found, wanted, strict=True):
        assert torch.equal(one[rows], other[rows]), name


def test_mirrored_pictures_are_flips_of_the_others_and_show_left_hands(domain, crops):
    found = made_with(domain, crops, mirrored=0.5)
    mirrored = (found.pictures != crops.pictures).flatten(1).any(1)
    assert 0.2 < mirrored.float().mean() < 0.8
    assert torch.equal(found.pictures[mirrored], crops.pictures[mirrored].flip(-1))
    assert not found.counts[mirrored].any()
    assert not (found.kinds[mirrored & ~crops.counts] != UNKNOWN).any()
    assert set(found.kinds[mirrored & crops.counts].tolist()) == {LEFT_KIND, UNKNOWN}
    assert_same_rows(found, crops, ~mirrored)


def test_a_mirrored_crop_with_the_other_hand_near_is_of_neither_kind(domain, crops, scene_maker):
    found = made_with(domain, crops, mirrored=1.0)
    off = off_centre(crops, scene_maker.make(range(len(crops.counts))))
    of_other = off[torch.arange(len(off)), 1 - crops.is_left.long()]
    assert (found.kinds[crops.counts & (of_other < 0.48)] == UNKNOWN).all()
    assert (found.kinds[crops.counts & (of_other > 0.52)] == LEFT_KIND).all()
    assert (of_other < 0.48).any()


def test_all_crops_can_be_mirrored_and_none(domain, crops):
    all_ = made_with(domain, crops, mirrored=1.0)
    assert torch.equal(all_.pictures, crops.pictures.flip(-1))
    assert_same_rows(made_with(domain, crops, mirrored=0.0), crops, slice(None))


def off_centre(found, scenes):
    """Return how far the middle of each hand (B, 2) is from a crop's, in its sizes of a hand.

    A hand that is not there is infinitely far.
    """
    cameras = scenes.cameras
    scale = (found.focal_px / cameras.focal_px)[:, None, None, None]
    columns = mirror_columns(found.centre_px[:, :1], COMPACT_SPACES.crop_px)
    centre_px = torch.where(
        found.is_left[:, None],
        torch.cat([columns, found.centre_px[:, 1:]], 1),
        found.centre_px,
    )
    shift = centre_px - cameras.centre_px * scale[:, 0, 0]
    boxes = about_joints(scenes.joints_px * scale + shift[:, None, None])
    middles = (boxes[..., :2] + boxes[..., 2:]) / 2
    size = COMPACT_SPACES.crop_px / COMPACT_SPACES.crop_box_scale
    off = ((middles - (COMPACT_SPACES.crop_px - 1) / 2).abs() / size).amax(-1)
    return torch.where(scenes.present, off, torch.inf)


def test_a_crop_without_a_hand_has_none_near_its_middle(domain, crops, scene_maker):
    found = made_with(domain, crops, strays=0.7)
    strays = (found.pictures != crops.pictures).flatten(1).any(1)
    assert 0.4 < strays.float().mean() < 0.95
    assert not found.counts[strays].any()
    off = off_centre(found, scene_maker.make(range(len(strays)))).amin(1)
    none = found.kinds == NO_KIND
    assert none.any()
    assert not none[~strays].any()
    assert (off[none] > 0.64).all()
    assert (found.kinds[strays & ~none] == UNKNOWN).all()
    assert_same_rows(found, crops, ~strays)


def test_crops_as_they_should_be_have_their_hand_in_the_middle(crops, scene_maker):
    off = off_centre(crops, scene_maker.make(range(len(crops.counts))))
    own = off[torch.arange(len(off)), crops.is_left.long()]
    assert (own < 0.3).all()


def test_loose_boxes_are_farther_off_and_of_right_hands_still(domain, crops, scene_maker):
    scenes = scene_maker.make(range(len(crops.counts)))
    rows = torch.arange(len(crops.counts)), crops.is_left.long()
    found = made_with(domain, crops, loose=1.0)
    one, other = (off_centre(made, scenes)[rows] for made in (crops, found))
    assert other.mean() > 1.6 * one.mean()
    assert torch.equal(found.kinds == RIGHT_KIND, found.counts)
    assert found.counts.float().mean() > 0.7


def test_a_share_of_the_boxes_is_loose_and_the_others_are_as_they_were(domain, crops):
    found = made_with(domain, crops, loose=0.4)
    same = (found.pictures == crops.pictures).flatten(1).all(1)
    assert 0.3 < same.float().mean() < 0.9
    assert_same_rows(found, crops, same)


def test_a_crop_about_a_neighbour_is_still_of_its_own_hand_which_it_shows(
    domain, crops, scene_maker
):
    scenes = scene_maker.make(range(len(crops.counts)))
    rows = torch.arange(len(crops.counts)), crops.is_left.long()
    found = made_with(domain, crops, neighbours=1.0)
    moved = (found.pictures != crops.pictures).flatten(1).any(1)
    assert moved.any()
    assert_same_rows(found, crops, ~moved)
    off = off_centre(found, scenes)[rows]
    assert (off[moved] < 0.52).all()
    assert off[moved].mean() > off[~moved].mean()
    assert scenes.present[moved].all()
    assert torch.equal(found.kinds == RIGHT_KIND, found.counts)
    assert torch.equal(found.betas, crops.betas)
    assert torch.equal(found.is_left, crops.is_left)
    shown = found.joints_px[moved & found.counts] / COMPACT_SPACES.crop_px
    assert ((shown > 0) & (shown < 1)).all(-1).float().mean() > 0.8


def test_a_hand_that_is_far_from_the_other_has_no_neighbour(domain, crops, scene_maker):
    scenes = scene_maker.make(range(len(crops.counts)))
    middles = about_joints(scenes.joints_px).view(-1, 2, 2, 2).mean(2)
    sizes = scenes.joints_px.amax(2) - scenes.joints_px.amin(2)
    apart = (middles[:, 0] - middles[:, 1]).abs().amax(1) > 2 * sizes.amax((1, 2))
    apart |= ~scenes.present.all(1)
    assert apart.any()
    assert_same_rows(made_with(domain, crops, neighbours=1.0), crops, apart)


def test_crops_that_are_not_as_they_should_be_are_the_same_in_every_batch(domain):
    maker = CropMaker(domain, seed=SEED, shares=CropShares(0.5, 0.3, 0.5, 0.5))
    whole, part = maker.make(range(16)), maker.make([3, 11])
    for row, number in enumerate((3, 11)):
        off = (part.pictures[row].int() - whole.pictures[number].int()).abs()
        assert (off > PICTURE_ROUNDING).float().mean() < 1e-3
        assert part.kinds[row] == whole.kinds[number]
        assert part.counts[row] == whole.counts[number]


def test_a_stray_that_is_mirrored_shows_no_hand_still(domain, crops):
    one = made_with(domain, crops, strays=0.7)
    other = made_with(domain, crops, strays=0.7, mirrored=1.0)
    assert torch.equal(one.kinds == NO_KIND, other.kinds == NO_KIND)
    assert not (other.kinds == RIGHT_KIND).any()


def test_turned_crops_show_fingers_up_with_all_that_is_true_of_them(domain, crops, scene_maker):
    turned = made_with(domain, crops, turned=1.0)
    test_projecting_the_joints_gives_their_pixels(turned)
    test_the_mesh_is_that_of_a_right_hand(turned, scene_maker)
    before, after = (turns_to_upright(made.joints_px).abs() for made in (crops, turned))
    assert after.median() < 0.25 < before.median()
    assert torch.equal(turned.counts, crops.counts)
    centre = torch.full((len(crops.counts), 1, 2), COMPACT_SPACES.crop_centre_px)
    centre[crops.is_left, :, 0] -= 1  # by mirroring
    off, were = ((made.joints_px - centre).norm(dim=-1) for made in (turned, crops))
    torch.testing.assert_close(off, were, rtol=0, atol=0.01)


def test_a_turned_crop_shows_what_the_crop_showed(domain, crops):
    turned = made_with(domain, crops, turned=1.0)
    rows = torch.arange(len(crops.counts))[:, None]
    sample = [
        made.pictures.float().mean(1)[rows, y, x]
        for made in (crops, turned)
        for x, y in [made.joints_px.round().long().clamp(0, 127).unbind(-1)]
    ]
    inside = ((crops.joints_px > 2) & (crops.joints_px < 125)).all(-1)
    one, other = (levels[inside] for levels in sample)
    assert torch.corrcoef(torch.stack([one, other]))[0, 1] > 0.8


def test_of_crops_some_are_turned(domain, crops):
    some = made_with(domain, crops, turned=0.5)
    same = (some.joints_px - crops.joints_px).abs().amax((1, 2)) < 1e-2
    assert 0 < same.sum() < len(same)
