from interwild_ros.networks.variants import COMPACT_SPACES
from interwild_ros.train.synthetic.domains import WILD
from interwild_ros.train.synthetic.painting import paint
import pytest
import torch

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
    from interwild_ros.train.synthetic.crops import CropMaker

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
