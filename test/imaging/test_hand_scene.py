from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import find_hand_models
from interwild_ros.hand_model.render_hand import RenderHand, TINTS
from interwild_ros.imaging.hand_scene import HandScene
from interwild_ros.imaging.shading import Light
from interwild_ros.imaging.skin import dressed, skin_colours, SkinTone, Sleeve
from interwild_ros.records import Camera, Side
import numpy as np
import pytest
import torch
from torch import Tensor

CAMERA = Camera(160, 120, 140.0, 140.0, 79.5, 59.5)
# the palm to the camera, the fingers up
CAM_FROM_MODEL = torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])


@pytest.fixture(scope='module')
def hands() -> list[RenderHand]:
    return [RenderHand(side) for side in Side]


@pytest.fixture(scope='module')
def posed() -> list[Tensor]:
    """A right and a left hand, twice each: as they are, and 3 cm further right."""
    vertices, joints = HandPair(*find_hand_models())(torch.zeros(2, 48), torch.zeros(2, 10))
    places = torch.tensor([[-0.13, 0.05, 0.5], [0.13, 0.05, 0.5]])
    relative = (vertices - joints[:, :1]) @ CAM_FROM_MODEL.T
    relative[1, :, :2] *= -1  # a left hand's model is mirrored: this turns its palm round
    once = relative + places[:, None]
    step = torch.tensor([0.03, 0, 0])
    return [torch.stack([hand, hand + step]) for hand in once]


def white(hands: list[RenderHand]) -> list[Tensor]:
    return [torch.ones(len(hand.tints), 3) for hand in hands]


def test_vertices_are_covered_and_corners_are_not(
    hands: list[RenderHand], posed: list[Tensor]
) -> None:
    drawn = HandScene(hands, CAMERA)(posed, white(hands), Light())
    assert drawn.shape == (2, 120, 160, 4)
    for batch in range(2):
        for hand in posed:
            points = hand[batch, :, :2] / hand[batch, :, 2:] * 140 + torch.tensor([79.5, 59.5])
            middle = points.mean(0).round().long()
            assert drawn[batch, middle[1], middle[0], 3] == 1
        assert drawn[batch, 0, 0, 3] == 0


def test_the_picture_is_centred_on_the_hand(hands: list[RenderHand], posed: list[Tensor]) -> None:
    scene = HandScene(hands[:1], CAMERA)
    alone = scene(posed[:1], white(hands)[:1], Light())[0, ..., 3]
    vertices, _ = hands[0](posed[0][:1])
    points = vertices[0, :, :2] / vertices[0, :, 2:] * 140 + torch.tensor([79.5, 59.5])
    rows, columns = (alone > 0.5).nonzero(as_tuple=True)
    low, high = points.amin(0), points.amax(0)
    # a fingertip fills half a pixel a little below its top
    assert abs(columns.min() - low[0]) < 1.5
    assert abs(columns.max() - high[0]) < 1.5
    assert abs(rows.min() - low[1]) < 1.5


def test_coverage_at_edges_is_partial_and_colours_never_exceed_it(
    hands: list[RenderHand], posed: list[Tensor]
) -> None:
    drawn = HandScene(hands, CAMERA)(posed, white(hands), Light(strength=2.0))
    coverage = drawn[..., 3:]
    assert set((coverage * 4).unique().tolist()) == {0, 1, 2, 3, 4}
    assert (drawn[..., :3] <= coverage + 1e-6).all()


def test_a_batch_equals_its_pictures_one_by_one(
    hands: list[RenderHand], posed: list[Tensor]
) -> None:
    scene = HandScene(hands, CAMERA)
    together = scene(posed, white(hands), Light())
    for i in range(2):
        alone = scene([hand[i : i + 1] for hand in posed], white(hands), Light())
        torch.testing.assert_close(alone[0], together[i], rtol=0, atol=1e-5)


def test_the_nearer_hand_hides_the_other(hands: list[RenderHand], posed: list[Tensor]) -> None:
    near, far = posed[0][:1], posed[0][:1] + torch.tensor([0, 0, 0.1])
    red, green = torch.eye(3)[:2, None].expand(2, len(hands[0].tints), 3)
    scene = HandScene([hands[0], hands[0]], CAMERA)
    light = Light(highlight=0)
    for order in ((near, far), (far, near)):
        drawn = scene(list(order), [red, green] if order[0] is near else [green, red], light)[0]
        at = (near[0, :, :2] / near[0, :, 2:]).mean(0) * 140 + torch.tensor([79.5, 59.5])
        pixel = drawn[int(at[1]), int(at[0])]
        assert pixel[0] > 0.2
        assert pixel[1] == 0


def test_skin_is_lighter_in_the_palm_and_a_sleeve_covers_the_forearm_alone(
    hands: list[RenderHand],
) -> None:
    hand = hands[0]
    rng = np.random.default_rng(0)
    bare = skin_colours(hand, SkinTone(), rng)
    assert bare.min() > 0
    assert bare.max() < 1.1
    palm, arm = (hand.tints[:, TINTS.index(name)] for name in ('palm', 'arm'))
    assert bare[palm > 0.9].mean() > bare[(palm < 0.1) & (arm == 0)].mean() + 0.05
    covered, thickness_m = dressed(hand, bare, Sleeve(start=0.4))
    torch.testing.assert_close(covered[arm < 0.39], bare[arm < 0.39])
    assert (thickness_m[arm < 0.39] == 0).all()
    assert (thickness_m[arm > 0.45] > 1e-3).all()
