from copy import deepcopy
from dataclasses import replace

import cv2
from interwild_ros.config import Settings
from interwild_ros.geometry import crops
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.geometry.upright import turns_to_upright
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.networks.detectnet import Candidates, PLACES
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.rule_weights import fill_by_rule
from interwild_ros.networks.variants import VARIANTS
from interwild_ros.pipeline import finding
from interwild_ros.pipeline.finding import Finder
from interwild_ros.pipeline.readout import pair_reading
from interwild_ros.pipeline.view import look_at
from interwild_ros.records import Frame, Side
from interwild_ros.testing.valueless import Transfers, VALUELESS, valueless_device
from interwild_ros.tracking.matching import Sought, WHOLE
import numpy as np
import pytest
import torch

SETTINGS = Settings()
RIGHT_BOX, LEFT_BOX = (100.0, 120.0, 220.0, 260.0), (380.0, 150.0, 500.0, 270.0)
BOTH = Sought((RIGHT_BOX, LEFT_BOX), detects=False, region=None)
ON_THE_RIGHT, ON_THE_LEFT = (20.0, 30.0), (60.0, 30.0)  # detector cells, by where they are


@pytest.fixture(scope='module')
def plain():
    """Networks that tell no kinds."""
    return build_networks('compact', 'rule-made')[0]


@pytest.fixture(scope='module')
def telling():
    networks = InterWild(VARIANTS['compact']).eval()
    fill_by_rule(networks)
    return networks


@pytest.fixture(params=['plain', 'telling'])
def networks(request):
    return request.getfixturevalue(request.param)


def smooth_frame(seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (480, 640, 3), np.uint8)
    image = cv2.GaussianBlur(noise, (0, 0), 4)
    return Frame(image, camera_from_fov(640, 480, 60.0), stamp_ns=0, frame_id='c')


def find(networks, sought, settings=SETTINGS, frame=None):
    """Return the view and what is found in it."""
    with torch.inference_mode():
        view = look_at(
            frame or smooth_frame(),
            settings,
            networks.spaces,
            torch.device('cpu'),
            sought.region,
        )
        return view, Finder(networks, settings.crop_source)(view, sought)


class Looks:
    """Counts how often the detector's maps are made, for the length of a block."""

    def __init__(self, networks):
        self.count = 0
        self._hook = networks.body_box_net.bbox_center.register_forward_hook(self._note)

    def _note(self, *_):
        self.count += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._hook.remove()


def image_boxes(view, found):
    return view.image_points(found.boxes.view(2, 2, 2)).flatten(1).numpy()


def read_boxes(view, found):
    """Return the image boxes (2, 4) of the crops that were read."""
    side = float(view.spaces.crop_px)
    low = found.input_from_crop[:, :, 2]
    scale = torch.diagonal(found.input_from_crop[:, :, :2], dim1=1, dim2=2)
    high = low + scale * side
    return view.image_points(torch.stack([low, high], 1)).flatten(1).numpy()


def crop_boxes(view, boxes):
    """Return the image boxes (2, 4) of the crops that belong to image boxes of hands."""
    spaces = view.spaces
    square = crops.squared(torch.tensor(boxes, dtype=torch.float64))
    return crops.enlarged(square, spaces.crop_box_scale).numpy()


def test_sought_hands_are_read_where_they_are_expected_without_the_detector(networks):
    with Looks(networks) as looks:
        view, found = find(networks, BOTH)
    assert looks.count == 0
    assert found.detected is None
    assert found.is_hand == (True, True)
    np.testing.assert_allclose(read_boxes(view, found), crop_boxes(view, BOTH.boxes), atol=0.01)


@pytest.mark.parametrize('source', ['frame', 'network'])
def test_a_device_is_not_waited_for_before_all_is_said_of_hands_that_are_followed(
    networks, source, monkeypatch
):
    copies = []

    def copied(*tensors):
        copies.append({tensor.device for tensor in tensors})
        return [torch.rand(tensor.shape) for tensor in tensors]

    monkeypatch.setattr(finding, 'in_one_copy', copied)
    view = look_at(smooth_frame(), SETTINGS, networks.spaces, VALUELESS)
    with pytest.raises((NotImplementedError, RuntimeError), match='meta'):
        view.picture.float().mean().item()  # no number can be had: who asks for one fails
    elsewhere = deepcopy(networks).to(VALUELESS)
    with valueless_device(), Transfers() as transfers, torch.no_grad():
        pair = pair_reading(view, Finder(elsewhere, source)(view, BOTH), networks.spaces)
    assert copies == [{VALUELESS}]
    assert pair.right.joints_image_px.shape == (21, 2)
    assert transfers.waiting == []
    assert transfers.async_


def test_one_copy_gives_every_tensor_back():
    tensors = (torch.rand(2, 3), torch.rand(4), torch.rand(1, 2, 2))
    for found, tensor in zip(finding.in_one_copy(*tensors), tensors, strict=True):
        torch.testing.assert_close(found, tensor, rtol=0, atol=0)


def about_joints(view, joints_px):
    """Return the image boxes (2, 4) of hands with these joints (2, 21, 2), input px."""
    joints = view.image_points(joints_px)
    low, high = joints.amin(1), joints.amax(1)
    middle, half = (low + high) / 2, 1.2 * (high - low) / 2
    return torch.cat([middle - half, middle + half], 1).numpy()


def test_each_side_is_read_in_its_own_box(networks):
    exchanged = replace(BOTH, boxes=BOTH.boxes[::-1])
    view, found = find(networks, exchanged)
    np.testing.assert_allclose(
        read_boxes(view, found), crop_boxes(view, exchanged.boxes), atol=0.01
    )


def test_sought_hands_keep_their_boxes_when_the_detector_looks_too(networks):
    with Looks(networks) as looks:
        view, found = find(networks, replace(BOTH, detects=True))
    assert looks.count == 1
    assert len(found.detected) == (2 if networks.hand_kind_net is None else PLACES)
    np.testing.assert_allclose(read_boxes(view, found), crop_boxes(view, BOTH.boxes), atol=0.01)


def test_a_region_decides_what_the_detector_sees_and_not_what_is_read(networks):
    region = (60.0, 80.0, 560.0, 320.0)
    _, whole = find(networks, replace(BOTH, detects=True))
    view, near = find(networks, replace(BOTH, detects=True, region=region))
    np.testing.assert_allclose(read_boxes(view, near), crop_boxes(view, BOTH.boxes), atol=0.01)
    assert near.detected[0].box != whole.detected[0].box
    found = view.image_points(near.joints_px)
    view, _ = find(networks, BOTH)
    torch.testing.assert_close(found, view.image_points(whole.joints_px), atol=0.05, rtol=0)


def test_where_nothing_is_known_the_detectors_own_boxes_are_read_as_in_the_original(plain):
    view, found = find(plain, WHOLE)
    with torch.inference_mode():
        detections = plain.detect(view.detector_input)
        wanted = plain.crop_boxes(detections)[0]
    _, input_from_crop = crops.crop_maps(wanted, plain.spaces)
    torch.testing.assert_close(found.input_from_crop, input_from_crop, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(found.scores, detections.score[0])
    assert found.is_hand == (True, True)
    for candidate, share, box in zip(
        found.detected, (1.0, 0.0), image_boxes(view, found), strict=True
    ):
        assert candidate.right_share == share
        np.testing.assert_allclose(candidate.box, box, atol=0.01)


def test_without_anything_sought_or_proposed_the_middle_is_read_and_is_no_hand(networks):
    view, found = find(networks, Sought((None, None), detects=False, region=None))
    assert found.is_hand == (False, False)
    assert found.detected is None
    np.testing.assert_allclose(
        read_boxes(view, found), crop_boxes(view, [view.middle_box()] * 2), atol=0.01
    )


@pytest.mark.parametrize('side', Side)
def test_beside_a_lone_hand_its_own_box_is_read_again_and_is_no_hand_of_the_other_side(
    side, networks
):
    boxes = tuple(box if one is side else None for one, box in zip(Side, BOTH.boxes, strict=True))
    view, found = find(networks, Sought(boxes, detects=False, region=None))
    box = BOTH.boxes[side]
    np.testing.assert_allclose(read_boxes(view, found), crop_boxes(view, [box, box]), atol=0.01)
    assert found.is_hand[side.other] is False
    assert found.is_hand[side] is True


def test_networks_without_kinds_are_sure_of_what_is_followed(plain):
    _, found = find(plain, BOTH)
    assert found.scores.tolist() == [1.0, 1.0]
    assert found.readings.kinds is None


def test_networks_with_kinds_score_each_hand_by_them_and_box_its_joints(telling):
    view, found = find(telling, BOTH)
    torch.testing.assert_close(found.scores, found.readings.kinds[:, 0])
    wanted = about_joints(view, found.joints_px)
    np.testing.assert_allclose(image_boxes(view, found), wanted, atol=0.05)


@pytest.mark.parametrize('region', [None, (20.0, 40.0, 620.0, 380.0)])
def test_crops_from_the_networks_input_show_the_same_hands(region, networks):
    """Where the input is as fine as the picture, it does not matter what crops are cut from."""
    sought = replace(BOTH, region=region)
    found = {}
    for source in ('frame', 'network'):
        settings = SETTINGS.changed({'crop_source': source, 'region_scale': 1.0})
        view, hands = find(networks, sought, settings)
        np.testing.assert_allclose(
            read_boxes(view, hands), crop_boxes(view, BOTH.boxes), atol=0.01
        )
        found[source] = view.image_points(hands.joints_px)
    assert (found['frame'] - found['network']).abs().max() < 6


class ToldByColour(InterWild):
    """Networks that are told the hands: a candidate each, and kinds by a crop's colour.

    Red is a right hand, green a left one, and black none.
    """

    def __init__(self, centres, right_shares, scores=None):
        super().__init__(VARIANTS['compact'])
        fill_by_rule(self)
        self.eval()
        self.reads = 0
        count = len(centres)
        self._candidates = Candidates(
            torch.tensor([centres]),
            torch.full((1, count, 2), 8.0),
            torch.tensor([scores or [0.5] * count]),
            torch.tensor([right_shares]),
        )

    def propose(self, body_pictures, count):
        return self._candidates

    def read_hands(self, hand_crops):
        self.reads += 1
        red, green = hand_crops[:, :2].mean(dim=(2, 3)).unbind(1)
        own, other = torch.stack([red[0], green[1]]), torch.stack([green[0], red[1]])
        kinds = torch.stack([own, other, torch.full_like(own, 0.05)], 1) + 0.01
        return super().read_hands(hand_crops)._replace(kinds=kinds / kinds.sum(1, keepdim=True))


def coloured_frame():
    """Return a picture whose left half is red and whose right half is green."""
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, :320, 0] = 200
    image[:, 320:, 1] = 200
    return Frame(image, camera_from_fov(640, 480, 60.0), stamp_ns=0, frame_id='c')


def frame_with_hands_at_the_edges():
    """Return a black picture whose left edge is red and whose right edge is green."""
    frame = coloured_frame()
    frame.image[:, 190:450] = 0
    return frame


def columns(view, found):
    return view.image_points(found.joints_px)[..., 0].mean(1)


@pytest.mark.parametrize('right_shares', [(0.9, 0.2), (0.2, 0.9), (0.5, 0.5)])
def test_what_a_crop_shows_overrules_the_detectors_word_on_sides(right_shares):
    networks = ToldByColour([ON_THE_RIGHT, ON_THE_LEFT], right_shares)
    view, found = find(networks, WHOLE, frame=coloured_frame())
    right, left = columns(view, found)
    assert right < 320 < left
    assert (found.scores > 0.5).all()
    assert found.is_hand == (True, True)
    # then once more about the joints
    assert networks.reads == (3 if right_shares[0] < right_shares[1] else 2)
    assert [candidate.right_share for candidate in found.detected] == pytest.approx(right_shares)


class Noting(ToldByColour):
    """Notes the joints of every reading and the maps of its crops."""

    def __init__(self, *args):
        super().__init__(*args)
        self.noted = []

    def input_joints(self, joints, input_from_crop):
        found = super().input_joints(joints, input_from_crop)
        self.noted.append((found, input_from_crop))
        return found


def turns(maps):
    """Return how what crops show is turned, rad, of maps (2, 2, 3) to what they are cut from."""
    return -torch.atan2(maps[:, 1, 0], maps[:, 0, 0])


def test_new_hands_are_read_once_more_upright():
    networks = Noting([ON_THE_RIGHT, ON_THE_LEFT], [0.9, 0.2])
    find(networks, WHOLE, frame=coloured_frame())
    (joints_px, first), (_, last) = networks.noted
    assert turns(first).tolist() == [0.0, 0.0]
    wanted = turns_to_upright(joints_px)
    assert wanted.abs().min() > 0.02
    torch.testing.assert_close(turns(last), wanted, atol=1e-4, rtol=0)


def test_a_new_hand_lies_between_what_was_proposed_and_its_joints():
    networks = Noting([ON_THE_RIGHT, ON_THE_LEFT], [0.9, 0.2])
    view, found = find(networks, WHOLE, frame=coloured_frame())
    (first, _), (last, maps) = networks.noted
    proposed = np.array([candidate.box for candidate in found.detected])
    assert (np.abs(about_joints(view, last) - proposed).max(1) > 10).all()
    np.testing.assert_allclose(
        image_boxes(view, found), (about_joints(view, last) + proposed) / 2, atol=0.05
    )
    middle = maps @ torch.tensor([*[view.spaces.crop_centre_px] * 2, 1.0])
    read = ((about_joints(view, first) + proposed) / 2).reshape(2, 2, 2).mean(1)
    np.testing.assert_allclose(view.image_points(middle[:, None])[:, 0], read, atol=0.05)


def test_followed_hands_are_read_as_they_are_sought():
    networks = Noting([], [])
    find(networks, replace(BOTH, turns=(0.4, -2.0)), frame=coloured_frame())
    [(_, maps)] = networks.noted
    torch.testing.assert_close(turns(maps), torch.tensor([0.4, -2.0]))


BLACK_PLACES = [(38.0, 10.0), (42.0, 50.0)]


def four_places(side, **rest):
    """Return networks with a hand in the first place, and that of this side in the fourth."""
    first, fourth = (
        (ON_THE_RIGHT, ON_THE_LEFT) if side is Side.LEFT else (ON_THE_LEFT, ON_THE_RIGHT)
    )
    return ToldByColour([first, *BLACK_PLACES, fourth], [0.5, 0.5, 0.5, 0.5], **rest)


@pytest.mark.parametrize('side', Side)
def test_a_hand_beside_another_is_found_in_a_place_that_is_not_of_the_first_two(side):
    view, found = find(four_places(side), WHOLE, frame=frame_with_hands_at_the_edges())
    right, left = columns(view, found)
    assert right < 220
    assert left > 420
    assert (found.scores > 0.5).all()
    assert found.is_hand == (True, True)


@pytest.mark.parametrize('side', Side)
def test_places_that_the_detector_hardly_believes_in_are_not_read(side):
    networks = four_places(side, scores=[0.5, 0.4, 0.04, 0.04])
    _, found = find(networks, WHOLE, frame=frame_with_hands_at_the_edges())
    assert found.scores[side] < 0.5 < found.scores[side.other]
    assert networks.reads <= 4  # as they are, exchanged, and each again about its joints


def test_where_no_hand_is_no_further_places_are_read():
    black = replace(coloured_frame(), image=np.zeros((480, 640, 3), np.uint8))
    for places in ([ON_THE_RIGHT, ON_THE_LEFT], [ON_THE_RIGHT, ON_THE_LEFT, *BLACK_PLACES]):
        networks = ToldByColour(places, [0.5] * len(places))
        _, found = find(networks, WHOLE, frame=black)
        assert (found.scores < 0.5).all()
        assert networks.reads == 2  # as they are, and exchanged


def test_beside_a_hand_that_is_followed_one_place_is_read():
    networks = ToldByColour([ON_THE_RIGHT, *BLACK_PLACES, ON_THE_LEFT], [0.5, 0.5, 0.4, 0.3])
    sought = Sought((RIGHT_BOX, None), detects=True, region=None)
    find(networks, sought, frame=frame_with_hands_at_the_edges())
    assert networks.reads == 1


class Doubting(ToldByColour):
    """Takes a red hand for one of the other side, whichever reads it, and blue for half a hand."""

    def read_hands(self, hand_crops):
        red, _, blue = hand_crops.mean(dim=(2, 3)).unbind(1)
        kinds = torch.stack([red * 0.2 + blue * 0.4, red * 0.8 + blue * 0.2, blue * 0.4], 1) + 0.01
        kinds = kinds / kinds.sum(1, keepdim=True)
        return InterWild.read_hands(self, hand_crops)._replace(kinds=kinds)


def test_a_hand_that_each_side_takes_for_the_others_is_not_left_out_for_what_is_hardly_one():
    frame = frame_with_hands_at_the_edges()
    frame.image[:, 450:] = (0, 0, 200)
    networks = Doubting([(6.0, 30.0), (74.0, 10.0), (74.0, 50.0)], [0.5] * 3)
    view, found = find(networks, WHOLE, frame=frame)
    assert (columns(view, found) < 190).any()


@pytest.mark.parametrize('side', Side)
def test_a_lone_hand_that_is_followed_is_judged_by_what_both_sides_say_of_it(side):
    boxes = tuple(RIGHT_BOX if one is side else None for one in Side)
    sought = Sought(boxes, detects=False, region=None)
    for networks, score in (
        (Doubting([], []), 0.5),
        (ToldByColour([], []), float(side is Side.RIGHT)),
    ):
        _, found = find(networks, sought, frame=coloured_frame())
        assert found.is_hand == (side is Side.RIGHT, side is Side.LEFT)
        assert float(found.scores[side]) == pytest.approx(score, abs=0.15)
        torch.testing.assert_close(found.readings.kinds.sum(1), torch.ones(2))


@pytest.mark.parametrize('right_share', [0.1, 0.9])
def test_a_lone_hand_goes_to_the_side_that_its_crop_shows(right_share):
    for place, wanted in ((ON_THE_RIGHT, Side.RIGHT), (ON_THE_LEFT, Side.LEFT)):
        _, found = find(ToldByColour([place], [right_share]), WHOLE, frame=coloured_frame())
        assert found.is_hand[wanted]
        assert not found.is_hand[wanted.other]
        assert found.scores[wanted] > 0.5


def test_hands_that_are_followed_keep_their_sides_whatever_one_crop_shows():
    """Labels of followed hands are the tracker's to exchange, by the evidence of many frames."""
    networks = ToldByColour([ON_THE_RIGHT, ON_THE_LEFT], [0.9, 0.1])
    for detects in (False, True):
        networks.reads = 0
        sought = Sought((LEFT_BOX, RIGHT_BOX), detects=detects, region=None)
        view, found = find(networks, sought, frame=coloured_frame())
        np.testing.assert_allclose(
            read_boxes(view, found), crop_boxes(view, sought.boxes), atol=0.01
        )
        assert networks.reads == 1
        assert (found.readings.kinds[:, 1] > 0.5).all()


def test_two_slots_that_read_one_hand_are_one_hand_of_the_likelier_side():
    class OneHand(ToldByColour):
        def input_joints(self, joints, input_from_crop):
            right, _ = super().input_joints(joints, input_from_crop)
            return torch.stack([right, right + 0.1])

    for box, wanted in ((RIGHT_BOX, (True, False)), (LEFT_BOX, (False, True))):
        networks = OneHand([ON_THE_RIGHT], [0.9])
        same = Sought((box, box), detects=False, region=None)
        _, found = find(networks, same, frame=coloured_frame())
        assert found.is_hand == wanted
