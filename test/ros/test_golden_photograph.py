"""The original's demo picture through the whole node: real processes, the original's numbers."""

import cv2
from interwild_ros.msg import TwoHands
from interwild_ros.ros.node_process import running
from interwild_ros.testing.parity_hand import write_parity_mano
from node_client import NodeClient
import numpy as np
import pytest
from sensor_msgs.msg import Image

HANDS = '/hands_node/two_hands'
MESH_M, ANGLE_RAD, SHAPE, PIXEL, RELATIVE_M = 3e-5, 3e-4, 1e-4, 0.1, 1e-4  # section 18.4


@pytest.fixture(scope='module')
def golden(shared):
    return np.load(shared / 'parity/golden_demo.npz')


@pytest.fixture(scope='module')
def message(ros_domain, shared, tmp_path_factory):
    """What the node publishes for the photograph, received over DDS."""
    folder = tmp_path_factory.mktemp('golden')
    write_parity_mano(folder)
    settings = {
        'variant': 'official',
        'mano_dir': str(folder),
        'crop_source': 'network',
        'region_scale': 1.25,
        'follow': False,  # the original sees each picture by itself
    }
    with running('hands_node', settings, folder=folder, environment={}):
        client = NodeClient(ros_domain)
        client.listen(TwoHands, HANDS)
        publisher = client.node.create_publisher(Image, 'image', 1)
        client.wait_until(publisher.get_subscription_count, timeout_sec=90.0)
        publisher.publish(photograph(shared))
        client.wait_until(lambda: client.heard[HANDS], timeout_sec=60.0)
        yield client.heard[HANDS][0]
        client.close()


def photograph(shared):
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imread(str(shared / 'photos/hands_eating.jpg'), flags)
    height, width = pixels.shape[:2]
    image = Image(height=height, width=width, encoding='bgr8', step=3 * width)
    image.header.stamp.sec, image.header.frame_id = 17, 'photograph'
    image.data.frombytes(pixels.tobytes())
    return image


def test_the_message_is_that_of_the_photograph(message):
    assert message.header.stamp.sec == 17
    assert message.header.frame_id == 'photograph'
    assert message.interacting


@pytest.mark.parametrize(('side', 'letter'), [('right', 'r'), ('left', 'l')])
def test_every_number_of_a_hand_is_the_originals(message, golden, side, letter):
    hand = getattr(message, side)
    assert hand.tracked
    joints, vertices = np.reshape(hand.joints, (21, 3)), np.reshape(hand.vertices, (778, 3))
    for found, key, limit in (
        # float32 metres of a hand some metres away lose the last micrometre
        (vertices - joints[0], f'out/{letter}mano_mesh_cam', MESH_M),
        (joints - joints[0], f'out/{letter}mano_joint_cam', MESH_M),
        (hand.pose[:3], f'out/{letter}mano_root_pose', ANGLE_RAD),
        (hand.pose[3:], f'out/{letter}mano_hand_pose', ANGLE_RAD),
        (hand.betas, f'out/{letter}mano_shape', SHAPE),
    ):
        np.testing.assert_allclose(found, golden[key][0], atol=limit, err_msg=key)
    px = np.reshape(hand.joints_image, (21, 2))
    np.testing.assert_allclose(px, golden[f'demo/{letter}joint_px'], atol=PIXEL)
    corners = golden[f'demo/{letter}hand_bbox_px'].ravel()
    np.testing.assert_allclose(hand.box, corners, atol=2e-3)
    confidence = golden[f'out/{letter}hand_bbox_conf'][0]
    assert hand.score == pytest.approx(confidence, rel=1e-3)


def test_the_relative_translation_is_the_originals(message, golden):
    found = message.left_from_right
    wanted = golden['out/rel_trans'][0]
    np.testing.assert_allclose((found.x, found.y, found.z), wanted, atol=RELATIVE_M)
