from pathlib import Path
import zlib

from interwild_ros.geometry import crops, mirror
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.networks.shnet import HandPose
from interwild_ros.networks.variants import VARIANTS
import numpy as np
import pytest
import torch

GOLDEN = np.load(Path(__file__).parents[1] / 'data/network_units.npz')
SIZES = {  # tensors under each prefix of an official checkpoint
    'body_backbone': 318,
    'body_box_net': 28,
    'hand_roi_net': 318,
    'hand_position_net': 2,
    'hand_rotation_net': 15,
    'hand_trans_net': 129,
}


def crops_for(networks, count):
    return torch.rand(count, 3, networks.spaces.crop_px, networks.spaces.crop_px)


def test_the_names_are_the_810_of_the_official_checkpoint(official):
    names = list(official.state_dict())
    assert len(names) == 810
    assert {p: sum(n.startswith(f'{p}.') for n in names) for p in SIZES} == SIZES


def test_names_and_shapes_equal_the_official_list(official, shared):
    lines = (shared / 'parity/state_dict.tsv').read_text().splitlines()
    rows = [line.split('\t') for line in lines][1:]
    wanted = {name: shape for name, shape, *_ in rows if 'mano_layer' not in name}
    state = official.state_dict()
    assert set(state) == set(wanted)
    for name, tensor in state.items():
        found = 'x'.join(map(str, tensor.shape)) or 'scalar'
        assert found == wanted[name], name


def test_both_hand_heads_equal_the_originals(official, monkeypatch):
    # made with a PyTorch3D that keeps angles up to pi, and the first root is past it (Q3)
    monkeypatch.setattr(official.hand_rotation_net, 'axis_angle', 'canonical')
    z = np.random.default_rng(zlib.crc32(b'hand_feat')).standard_normal((2, 2048, 8, 8))
    features = torch.from_numpy(np.abs(z).astype(np.float32))
    with torch.inference_mode():
        joints = official.hand_position_net(features)
        pose: HandPose = official.hand_rotation_net(features, joints)
    np.testing.assert_allclose(joints, GOLDEN['hand_nets/joint_img'], atol=1e-4)
    np.testing.assert_allclose(pose.root, GOLDEN['hand_nets/root_pose'], atol=3e-4)
    np.testing.assert_allclose(pose.fingers, GOLDEN['hand_nets/hand_pose'], atol=3e-4)
    np.testing.assert_allclose(pose.betas, GOLDEN['hand_nets/shape'], atol=1e-4)
    np.testing.assert_allclose(pose.virtual_wrist_m, GOLDEN['hand_nets/root_trans'], atol=3e-6)


@pytest.mark.parametrize('variant', sorted(VARIANTS))
def test_every_variant_reads_both_hands_of_any_batch(variant):
    networks, _ = build_networks(variant)
    with torch.inference_mode():
        detections = networks.detect(torch.rand(3, 3, *networks.spaces.body_size[::-1]))
        boxes = networks.crop_boxes(detections)
        readings = networks.read_hands(crops_for(networks, 6))
        _, input_from_crop = crops.crop_maps(boxes.transpose(0, 1).flatten(0, 1), networks.spaces)
        relative = networks.relate(readings.joints, input_from_crop)
    assert boxes.shape == (3, 2, 4)
    assert readings.joints.shape == (6, 21, 3)
    assert readings.pose.fingers.shape == (6, 45)
    assert relative.shape == (3, 3)
    assert all(torch.isfinite(x).all() for x in (boxes, readings.joints, relative))


def test_a_batch_gives_what_its_pictures_give_alone(compact):
    pictures = torch.rand(3, 3, *compact.spaces.body_size[::-1])
    with torch.inference_mode():
        together = compact.detect(pictures)
        alone = [compact.detect(picture[None]) for picture in pictures]
    for i, one in enumerate(alone):
        for found, wanted in zip(one, together, strict=True):
            torch.testing.assert_close(found[0], wanted[i], atol=1e-4, rtol=1e-4)


def test_a_mirrored_picture_of_a_right_hand_is_read_as_its_mirrored_left_hand(compact):
    """SHNet sees the same pixels, so the left answer is the mirror of the right one."""
    crop = crops_for(compact, 1)
    with torch.inference_mode():
        joints, pose, _ = compact.read_hands(torch.cat([crop, crop]))
    right, left = joints
    torch.testing.assert_close(mirror.mirror_volume_joints(right, compact.spaces), left)
    torch.testing.assert_close(mirror.mirror_axis_angle(pose.root[0]), pose.root[1])
    torch.testing.assert_close(pose.betas[0], pose.betas[1])


def test_weak_2d_supervision_never_reaches_the_relative_translation(compact):
    """Gradient stops of section 15: each loss trains its own networks and no other."""
    compact.zero_grad()
    readings = compact.read_hands(crops_for(compact, 2))
    maps = torch.tensor([[1.0, 0.0, 3.0], [0.0, 1.0, 4.0]]).expand(2, 2, 3)
    compact.relate(readings.joints, maps).sum().backward()
    trained = {n.split('.')[0] for n, p in compact.named_parameters() if p.grad is not None}
    assert trained == {'hand_trans_net'}
    compact.zero_grad()


class Stage(torch.nn.Module):
    """One call of the networks as a module, as an exporter wraps it."""

    def __init__(self, networks, call):
        super().__init__()
        self.networks = networks
        self.call = call

    def forward(self, *args):
        return self.call(self.networks, *args)


def read(networks, pictures):
    readings = networks.read_hands(pictures)
    return readings.joints, readings.pose.root, readings.pose.fingers


def relate(networks, joints, maps):
    return networks.relate(joints, maps)


@pytest.mark.filterwarnings('ignore:.*torch.jit.trace:DeprecationWarning')
def test_traced_networks_read_hands_and_batches_that_they_were_not_traced_with(compact):
    maps = torch.tensor([[0.5, 0.0, 3.0], [0.0, 0.5, 4.0]]).repeat(2, 1, 1)
    few, many = crops_for(compact, 2), crops_for(compact, 4)
    with torch.inference_mode():
        traced = torch.jit.trace(Stage(compact, read), few, check_trace=False)
        for found, wanted in zip(traced(many), read(compact, many), strict=True):
            torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
        joints = read(compact, few)[0]
        traced = torch.jit.trace(Stage(compact, relate), (joints, maps), check_trace=False)
        moved = joints + 0.1
        torch.testing.assert_close(traced(moved, maps), relate(compact, moved, maps))
