"""Every loss of the original, and what each of them trains."""

from pathlib import Path

from interwild_ros.geometry.spaces import OFFICIAL_SPACES
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.records import Side
from interwild_ros.testing import parity
from interwild_ros.testing.some_annotations import some_annotation, weakened
from interwild_ros.train.augmentation import UNCHANGED
from interwild_ros.train.forward import predict, Predictions
from interwild_ros.train.losses import compute_losses, into_crops, Losses, means, total
from interwild_ros.train.samples import Targets, Validity
from interwild_ros.train.transforms import make_sample
import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

GOLDEN = np.load(Path(__file__).parents[1] / 'data/train_losses.npz')
# float32 noise of the original itself: mid values in cells reach 2e-4 (NETWORKS.md 18.4)
LIMIT = 1e-3
SPACES = OFFICIAL_SPACES


def golden_batch(golden):
    """Return the golden's targets and validity as our records; theirs has hands apart."""

    def one(name):
        return torch.from_numpy(golden[name])

    def both(name):
        return torch.stack([one(name.format(hand)) for hand in 'rl'], dim=1)

    targets = Targets(
        box_centres=both('target/{}hand_bbox_center'),
        box_sizes=both('target/{}hand_bbox_size'),
        joints=one('target/joint_img'),
        fit_joints=one('target/mano_joint_img'),
        joints_m=one('target/joint_cam'),
        vertices_m=one('target/mano_mesh_cam'),
        left_from_right_m=one('target/rel_trans'),
        pose=one('target/mano_pose'),
        betas=one('target/mano_shape'),
    )
    validity = Validity(
        boxes=both('meta/{}hand_bbox_valid'),
        joints=one('meta/joint_valid'),
        joints_seen=one('meta/joint_trunc'),
        fit_joints_seen=one('meta/mano_joint_trunc'),
        vertices=one('meta/mano_mesh_valid'),
        left_from_right=one('meta/rel_trans_valid'),
        pose=one('meta/mano_pose_valid'),
        betas=one('meta/mano_shape_valid'),
        has_3d=one('meta/is_3D'),
    )
    return targets, validity


@pytest.fixture(scope='module')
def golden_run():
    """The official networks with rule-made weights on the two random pictures."""
    networks, hand_models = parity.official_with_rule_weights()
    draws = [np.random.default_rng(seed).random((3, 512, 384)) for seed in (1, 2)]
    pictures = torch.from_numpy(np.stack(draws).astype(np.float32))
    with torch.inference_mode():
        found = predict(networks, hand_models, pictures)
        losses = compute_losses(found, *golden_batch(GOLDEN), SPACES)
    return found, losses


def test_every_element_of_every_loss_is_the_originals(golden_run):
    for name, loss in golden_run[1]._asdict().items():
        found = loss[:, ::40] if name == 'mano_mesh_cam' else loss
        np.testing.assert_allclose(found, GOLDEN[f'loss/{name}'], atol=LIMIT, err_msg=name)


def test_the_means_and_their_sum_are_the_originals(golden_run):
    losses = golden_run[1]
    for name, mean in means(losses).items():
        assert float(mean) == pytest.approx(float(GOLDEN[f'loss_mean/{name}']), abs=1e-4), name
    assert float(total(losses)) == pytest.approx(22.579149, abs=2e-4)


def test_joint_targets_follow_the_predicted_crop_as_in_the_original(golden_run):
    targets, valid = golden_batch(GOLDEN)
    maps = golden_run[0].crop_from_input
    for name, joints, seen in (
        ('joint', targets.joints, valid.joints_seen),
        ('mano_joint', targets.fit_joints, valid.fit_joints_seen),
    ):
        found = into_crops(joints, seen, maps, SPACES)
        np.testing.assert_allclose(found.cells, GOLDEN[f'warped_target/{name}_img'], atol=1e-3)
        np.testing.assert_array_equal(found.seen, GOLDEN[f'warped_valid/{name}_trunc'])


def test_the_full_golden_says_the_same(golden_run, shared):
    golden = np.load(shared / 'parity/golden_train.npz')
    for name, loss in golden_run[1]._asdict().items():
        np.testing.assert_allclose(loss, golden[f'loss/{name}'], atol=LIMIT, err_msg=name)


TRAINED = {
    ('rhand_bbox_center', 'rhand_bbox_size', 'lhand_bbox_center', 'lhand_bbox_size'): {
        'body_backbone',
        'body_box_net',
    },
    ('rel_trans',): {'hand_trans_net'},
    ('joint_img',): {'hand_roi_net', 'hand_position_net'},
    ('mano_joint_img',): {'hand_roi_net', 'hand_position_net'},
    ('mano_pose', 'mano_shape', 'joint_cam', 'mano_mesh_cam'): {
        'hand_roi_net',
        'hand_rotation_net',
    },
    ('joint_proj',): {'hand_roi_net', 'hand_rotation_net'},
}


@pytest.fixture(scope='module')
def compact():
    """Networks whose boxes are so large that no hand lies outside of its crop."""
    networks, _ = build_networks('compact', 'rule-made')
    for head in (networks.body_box_net.rhand_size, networks.body_box_net.lhand_size):
        head[2].bias.data = torch.tensor([100.0, 100.0])
    return networks


@pytest.fixture(scope='module')
def compact_batch(hand_models, compact):
    picture = np.zeros((480, 640, 3), np.uint8)
    samples = [
        make_sample(
            some_annotation(hand_models, *Side, seed=seed),
            picture,
            UNCHANGED,
            hand_models,
            compact.spaces,
        )
        for seed in range(2)
    ]
    return default_collate(samples)


def test_each_loss_trains_its_own_networks_and_no_other(compact, hand_models, compact_batch):
    pictures = torch.rand(2, 3, 512, 384, generator=torch.Generator().manual_seed(3))
    found = predict(compact, hand_models, pictures)
    _, targets, _, _ = compact_batch
    everything = Validity(*(torch.ones_like(v) for v in compact_batch.validity))
    losses = compute_losses(found, targets, everything, compact.spaces)
    for names, wanted in TRAINED.items():
        compact.zero_grad()
        sum(getattr(losses, name).mean() for name in names).backward(retain_graph=True)
        trained = {
            name.split('.')[0]
            for name, parameter in compact.named_parameters()
            if parameter.grad is not None and parameter.grad.abs().max() > 0
        }
        assert trained == wanted, names
    compact.zero_grad()


def truth_as_predictions(targets, valid, spaces, crop_from_input):
    """Return what perfect networks would say, whatever crops their detector chose."""
    cells = into_crops(targets.joints, valid.joints_seen, crop_from_input, spaces).cells
    return Predictions(
        box_centres=targets.box_centres,
        box_sizes=targets.box_sizes,
        box_scores=torch.ones(len(cells), 2),
        crop_from_input=crop_from_input,
        joints=cells,
        projected=cells[..., :2],
        joints_m=targets.joints_m,
        vertices_m=targets.vertices_m,
        pose=targets.pose,
        betas=targets.betas,
        left_from_right_m=targets.left_from_right_m,
    )


SOME_CROPS = torch.tensor([[0.9, 0.0, -60.0], [0.0, 0.9, -100.0]]).expand(2, 2, 2, 3)


def perfect(batch, spaces):
    return truth_as_predictions(batch.targets, batch.validity, spaces, SOME_CROPS)


def test_perfect_predictions_cost_nothing_and_any_change_costs(compact, compact_batch):
    _, targets, valid, _ = compact_batch
    truth = perfect(compact_batch, compact.spaces)
    losses = compute_losses(truth, targets, valid, compact.spaces)
    # the fits' joints are the annotated ones up to float32
    assert float(total(losses)) < 1e-4
    for name in ('box_sizes', 'joints', 'projected', 'joints_m', 'pose', 'left_from_right_m'):
        moved = truth._replace(**{name: getattr(truth, name) + 0.1})
        assert float(total(compute_losses(moved, targets, valid, compact.spaces))) > 1e-3, name


def test_a_full_turn_of_a_pose_costs_nothing(compact, compact_batch):
    """Rotations are compared, not their axis-angles."""
    _, targets, valid, _ = compact_batch
    axis_angles = targets.pose.reshape(-1, 32, 3)
    norms = axis_angles.norm(dim=-1, keepdim=True)
    turned = axis_angles * (1 + 2 * torch.pi / norms)
    found = perfect(compact_batch, compact.spaces)._replace(pose=turned.flatten(1))
    losses = compute_losses(found, targets, valid, compact.spaces)
    assert float(losses.mano_pose.max()) < 1e-5


def test_weak_2d_truth_supervises_no_annotated_depth_but_the_fits_depth(hand_models):
    """Q14: `joint_img` has no z without 3D truth, `mano_joint_img` keeps it."""
    annotation = weakened(some_annotation(hand_models, *Side))
    picture = np.zeros((480, 640, 3), np.uint8)
    sample = make_sample(annotation, picture, UNCHANGED, hand_models)
    batch = default_collate([sample, sample])
    found = perfect(batch, SPACES)
    worse = found._replace(
        joints=found.joints + 3,
        joints_m=found.joints_m + 1,
        left_from_right_m=found.left_from_right_m + 1,
    )
    losses = compute_losses(worse, batch.targets, batch.validity, SPACES)
    assert float(losses.joint_cam.abs().max()) == float(losses.rel_trans.abs().max()) == 0
    assert float(losses.joint_img[..., 2].abs().max()) == 0
    assert float(losses.joint_img[..., :2].max()) == pytest.approx(3, abs=1e-4)
    assert float(losses.mano_joint_img[..., 2].max()) > 2


def test_joints_outside_of_the_predicted_crop_do_not_count(compact_batch, compact):
    _, targets, valid, _ = compact_batch
    far_away = SOME_CROPS + torch.tensor([0.0, 0.0, 10_000.0])
    found = into_crops(targets.joints, valid.joints_seen, far_away, compact.spaces)
    assert float(found.seen.sum()) == 0


def test_losses_and_hand_models_keep_their_precision_under_autocast(
    compact, hand_models, compact_batch
):
    _, targets, valid, _ = compact_batch
    truth = perfect(compact_batch, compact.spaces)
    moved = truth._replace(pose=truth.pose + 0.01)
    exact = compute_losses(moved, targets, valid, compact.spaces)
    with torch.inference_mode(), torch.autocast('cpu', torch.bfloat16):
        found = compute_losses(moved, targets, valid, compact.spaces)
        predicted = predict(compact, hand_models, torch.zeros(1, 3, 512, 384))
    torch.testing.assert_close(found, exact)
    rows = predicted.pose.float().reshape(2, 48), predicted.betas.float().reshape(2, 10)
    with torch.inference_mode():
        vertices, joints = hand_models(*rows)
    wanted = (vertices - joints[:, :1]).reshape(1, -1, 3)
    torch.testing.assert_close(predicted.vertices_m, wanted, atol=1e-5, rtol=0)


def test_losses_are_named_as_in_the_original():
    names = {key.split('/')[1] for key in GOLDEN.files if key.startswith('loss/')}
    assert set(Losses._fields) == names
