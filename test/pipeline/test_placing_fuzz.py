"""Whatever the networks say, placing gives a hand, or none with a reason: never an exception."""

from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from interwild_ros.bag.message_types import MessageTypes
from interwild_ros.bag.outgoing import TWO_HANDS, two_hands_message
from interwild_ros.config import Settings
from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.pipeline.placing import place_pair
from interwild_ros.records import Camera, Frame, HandBox, HandEstimate, PairEstimate, Side
import numpy as np
import pytest
import torch

FRAME = Frame(np.zeros((48, 64, 3), np.uint8), Camera(64, 48, 60.0, 60.0, 31.5, 23.5), 7, 'camera')
MODELS = HandPair(*(read_stand_in(side) for side in Side))
TOPOLOGY = MODELS.topology()
NUMBERS = ('box', 'joints', 'joints_image', 'vertices', 'wrist_covariance', 'pose', 'betas')

ANYTHING = st.floats(allow_nan=True, allow_infinity=True)
SANE = st.floats(-500, 500)
PIXELS = st.one_of(
    arrays(np.float64, (21, 2), elements=SANE), arrays(np.float64, (21, 2), elements=ANYTHING)
)
METRES = st.one_of(
    st.none(),
    arrays(np.float64, (21, 3), elements=st.floats(-0.2, 0.2)),
    arrays(np.float64, (21, 3), elements=ANYTHING),
)
THREE = st.one_of(
    arrays(np.float64, 3, elements=st.floats(-2, 2)), arrays(np.float64, 3, elements=ANYTHING)
)
HANDS = st.tuples(PIXELS, METRES)


@pytest.fixture(scope='module')
def posed():
    with torch.inference_mode():
        vertices, joints = MODELS(torch.zeros(2, 48), torch.zeros(2, 10))
    wrist = joints[:, :1]
    return (joints - wrist).double().numpy(), (vertices - wrist).double().numpy()


@pytest.fixture(scope='module')
def new():
    return MessageTypes([TWO_HANDS]).new


def estimate(side, hand, posed):
    pixels, joints_m = hand
    return HandEstimate(
        box=HandBox(side, (1.0, 2.0, 30.0, 40.0), 0.9),
        joints_image_px=pixels,
        joint_depths_m=np.zeros(21),
        pose=np.zeros(48),
        betas=np.zeros(10),
        joints_m=posed[0][side] if joints_m is None else joints_m,
        vertices_m=posed[1][side],
    )


@settings(max_examples=400, deadline=None, derandomize=True)
@given(right=HANDS, left=HANDS, between=THREE, mode=st.sampled_from(['auto', 'apart', 'together']))
@example((np.zeros((21, 2)), None), (np.zeros((21, 2)), None), np.zeros(3), 'auto')
@example((np.full((21, 2), np.nan), None), (np.eye(21, 2), None), np.full(3, np.nan), 'together')
def test_no_exception_and_no_nan_of_a_tracked_hand(posed, new, right, left, between, mode):
    pair = PairEstimate(
        estimate(Side.RIGHT, right, posed), estimate(Side.LEFT, left, posed), between, True
    )
    two_hands = place_pair(FRAME, pair, Settings(placement=mode), TOPOLOGY)
    message = two_hands_message(new, two_hands)
    for hand in (message.right, message.left):
        if hand.tracked:
            assert all(np.isfinite(getattr(hand, name)).all() for name in NUMBERS)
            assert np.isfinite(hand.reprojection_error)
            variances = np.linalg.eigvalsh(np.reshape(hand.wrist_covariance, (3, 3)))
            assert (variances > -1e-5 * abs(variances).max()).all()
        else:
            assert hand.reason
            assert np.isnan(hand.joints).all()
