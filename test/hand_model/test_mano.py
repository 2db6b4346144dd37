from pathlib import Path
import warnings

from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import HandModelFile
import numpy as np
import pytest
import torch
from torch import Tensor

GOLDEN = Path(__file__).parents[1] / 'data' / 'mano_units.npz'
Models = tuple[HandModelFile, HandModelFile]


@pytest.fixture
def pair(parity_models: Models) -> HandPair:
    return HandPair(*parity_models)


@pytest.fixture
def golden() -> dict[str, Tensor]:
    """Both sides stacked, right first."""
    with np.load(GOLDEN) as file:
        names = {name.split('/')[1] for name in file.files if '/' in name}
        stacked = {n: np.concatenate([file[f'{s}/{n}'] for s in ('right', 'left')]) for n in names}
        stacked['joint_regressor_21'] = file['joint_regressor_21']
    return {name: torch.from_numpy(array) for name, array in stacked.items()}


def random_pose(batch: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pose = torch.randn(batch, 48, generator=generator) * 0.4
    return pose, torch.randn(batch, 10, generator=generator)


def mirrored_pose(pose: Tensor) -> Tensor:
    return pose * torch.tensor([1, -1, -1]).repeat(16)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_posed_hands_equal_the_golden_ones(
    pair: HandPair, golden: dict[str, Tensor], dtype: torch.dtype
) -> None:
    pose = torch.cat([golden['root_pose'], golden['hand_pose']], dim=1).to(dtype)
    vertices, joints = pair.to(dtype)(pose, golden['betas'].to(dtype))
    wrist = joints[:, :1]
    # the golden numbers are float32 of a hand 1 m away
    torch.testing.assert_close(vertices - wrist, golden['mesh_cam'].to(dtype), rtol=0, atol=6e-7)
    torch.testing.assert_close(joints - wrist, golden['joint_cam'].to(dtype), rtol=0, atol=6e-7)


def test_the_joint_regressor_is_the_right_hands_for_both(
    pair: HandPair, golden: dict[str, Tensor], parity_models: Models
) -> None:
    torch.testing.assert_close(pair.joint_regressor, golden['joint_regressor_21'], rtol=0, atol=0)
    right, left = parity_models
    backwards = HandPair(left, right)
    assert backwards.joint_regressor.shape == (21, 778)


def test_the_left_hand_in_a_mirrored_pose_is_the_right_hand_mirrored(pair: HandPair) -> None:
    pose, betas = random_pose(3)
    vertices, joints = pair(torch.cat([pose, mirrored_pose(pose)]), betas.repeat(2, 1))
    mirror = torch.tensor([-1.0, 1, 1])
    torch.testing.assert_close(vertices[3:], vertices[:3] * mirror, rtol=0, atol=1e-6)
    torch.testing.assert_close(joints[3:], joints[:3] * mirror, rtol=0, atol=1e-6)


def test_a_batch_equals_its_rows_one_by_one(pair: HandPair) -> None:
    pose, betas = random_pose(6)
    vertices, joints = pair(pose, betas)
    for row in range(3):
        rows = [row, 3 + row]
        of_row = pair(pose[rows], betas[rows])
        torch.testing.assert_close(of_row[0], vertices[rows], rtol=0, atol=1e-6)
        torch.testing.assert_close(of_row[1], joints[rows], rtol=0, atol=1e-6)


def test_turning_the_root_turns_the_hand_about_its_wrist(pair: HandPair) -> None:
    pose, betas = random_pose(2)
    pose[:, :3] = 0
    rest, _ = pair(pose, betas)
    pose[:, 2] = torch.pi / 2
    turned, _ = pair(pose, betas)
    quarter = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    for side in range(2):
        moved = turned[side] - rest[side] @ quarter.T
        # a turn about one fixed point moves all vertices by the same vector
        torch.testing.assert_close(moved, moved[:1].expand(778, 3), rtol=0, atol=1e-5)


def test_the_mean_pose_is_added_to_the_axis_angle(pair: HandPair, parity_models: Models) -> None:
    pose = torch.zeros(2, 48)
    for side, model in enumerate(parity_models):
        pose[side, 3:] = -torch.tensor(model.hands_mean, dtype=torch.float32)
    vertices, _ = pair(pose, torch.zeros(2, 10))
    template = torch.tensor(np.stack([model.v_template for model in parity_models]))
    torch.testing.assert_close(vertices.double(), template, rtol=0, atol=1e-6)


def test_a_traced_pair_gives_the_same_for_another_batch(pair: HandPair) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # torch deprecates trace, and smplx compares sizes in it
        traced = torch.jit.trace(pair, random_pose(4))
    for batch in (2, 6):
        inputs = random_pose(batch, seed=batch)
        for found, wanted in zip(traced(*inputs), pair(*inputs), strict=True):
            torch.testing.assert_close(found, wanted, rtol=0, atol=0)


def test_the_pair_has_no_state_of_its_own(pair: HandPair) -> None:
    assert not pair.state_dict()
    assert not list(pair.parameters())


def test_inputs_are_left_as_they_were_and_gradients_flow(pair: HandPair) -> None:
    pose, betas = random_pose(2)
    before = pose.clone()
    pose.requires_grad_()
    _, joints = pair(pose, betas)
    joints.square().sum().backward()
    torch.testing.assert_close(pose.detach(), before, rtol=0, atol=0)
    assert pose.grad is not None
    assert pose.grad.abs().min() > 0


def test_topology_names_the_model_and_keeps_both_windings(
    pair: HandPair, parity_models: Models
) -> None:
    topology = pair.topology()
    assert (topology.hand_model, topology.is_stand_in) == ('MANO', False)
    np.testing.assert_array_equal(topology.right_triangles, parity_models[0].triangles)
    np.testing.assert_array_equal(topology.left_triangles, parity_models[1].triangles)
