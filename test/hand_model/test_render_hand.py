from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import find_hand_models, read_stand_in
from interwild_ros.hand_model.render_hand import RenderHand, TINTS
from interwild_ros.records import Side
import pytest
import torch
from torch import Tensor

MIRROR = torch.tensor([-1.0, 1, 1])


@pytest.fixture(scope='module')
def hands() -> tuple[RenderHand, RenderHand]:
    return RenderHand(Side.RIGHT), RenderHand(Side.LEFT)


@pytest.fixture(scope='module')
def posed() -> Tensor:
    """Three right hands in random poses and shapes, (3, 778, 3)."""
    pair = HandPair(*find_hand_models())
    generator = torch.Generator().manual_seed(1)
    pose = torch.randn(6, 48, generator=generator) * 0.3
    vertices, _ = pair(pose, torch.randn(6, 10, generator=generator))
    return vertices[:3]


def test_the_fine_mesh_stays_near_the_778_vertices(
    hands: tuple[RenderHand, RenderHand], posed: Tensor
) -> None:
    fine, _ = hands[0](posed)
    nearest = torch.cdist(posed, fine).amin(-1)
    assert nearest.max() < 3e-3
    assert nearest.mean() < 1e-3


def test_it_moves_with_the_hand(hands: tuple[RenderHand, RenderHand], posed: Tensor) -> None:
    turn = torch.linalg.matrix_exp(torch.tensor([[0.0, -1, 2], [1, 0, -3], [-2, 3, 0]]))
    shift = torch.tensor([0.1, -0.2, 0.5])
    fine, normals = hands[0](posed)
    moved, moved_normals = hands[0](posed @ turn.T + shift)
    torch.testing.assert_close(moved, fine @ turn.T + shift, rtol=0, atol=2e-5)
    torch.testing.assert_close(moved_normals, normals @ turn.T, rtol=0, atol=5e-3)


def test_the_left_one_is_the_right_one_mirrored(
    hands: tuple[RenderHand, RenderHand], posed: Tensor
) -> None:
    right, left = hands[0](posed)[0], hands[1](posed * MIRROR)[0]
    torch.testing.assert_close(left, right * MIRROR, rtol=0, atol=2e-5)
    faces = [hand.triangles.sort(1).values.unique(dim=0) for hand in hands]
    torch.testing.assert_close(faces[0], faces[1])


def test_normals_lead_out_of_the_forearm(hands: tuple[RenderHand, RenderHand]) -> None:
    for hand, side in zip(hands, Side, strict=True):
        rest = torch.tensor(read_stand_in(side).v_template, dtype=torch.float32)[None]
        vertices, normals = (part[0] for part in hand(rest))
        arm = hand.tints[:, TINTS.index('arm')] > 0.1
        from_axis = vertices[arm] * torch.tensor([0.0, 1, 1])
        assert ((from_axis * normals[arm]).sum(-1) > 0).all()


def test_bending_the_forearm_keeps_the_hand_and_the_forearms_length(
    hands: tuple[RenderHand, RenderHand], posed: Tensor
) -> None:
    turn = torch.tensor([[0.0, 0, 0.6]]).expand(3, 3)
    straight, _ = hands[0](posed)
    bent, _ = hands[0](posed, turn)
    arm = hands[0].tints[:, TINTS.index('arm')]
    fingers = torch.arange(len(arm)) < 778
    away_from_wrist = fingers & (torch.cdist(straight[0], posed[0, :1]).squeeze() < 0.5)
    still = (bent - straight).norm(dim=-1)[:, away_from_wrist]
    assert still.median() < 1e-6
    end = arm > 0.98
    assert ((bent - straight).norm(dim=-1)[:, end] > 0.05).all()
    for hand in (straight, bent):
        length = (hand[:, end].mean(1) - posed.mean(1)).norm(dim=-1)
        assert ((length > 0.15) & (length < 0.35)).all()


def test_a_sleeve_lies_on_the_skin(hands: tuple[RenderHand, RenderHand], posed: Tensor) -> None:
    sleeve = 5e-3 * (hands[0].tints[:, TINTS.index('arm')] > 0.4)
    bare, normals = hands[0](posed)
    dressed, _ = hands[0](posed, None, sleeve)
    along = ((dressed - bare) * normals).sum(-1)
    torch.testing.assert_close(along.mean(0), sleeve, rtol=0, atol=2e-3)


def test_tints_are_shares_and_each_occurs(hands: tuple[RenderHand, RenderHand]) -> None:
    tints = hands[0].tints
    assert tints.min() >= 0
    assert tints.max() <= 1
    for index, name in enumerate(TINTS):
        marked = (tints[:, index] > 0.5).float().mean()
        assert 0.003 < marked < 0.6, name
    torch.testing.assert_close(hands[1].tints, tints)
