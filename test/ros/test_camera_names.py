from interwild_ros.config import Settings
from interwild_ros.ros.camera_names import CameraNames, cameras_of
import pytest


def test_an_only_camera_has_the_names_of_the_node():
    (names,) = cameras_of(Settings())
    assert names.input('image') == 'image'
    assert names.own('two_hands') == '~/two_hands'
    assert names.below('/robot/hands_node') == '/robot/hands_node'
    assert names.settings(Settings()) == Settings()
    assert str(names) == ''


def test_the_names_of_several_begin_with_that_of_the_camera():
    front, wrist = cameras_of(Settings(cameras=('front', 'wrist')))
    assert front.input('image') == 'front/image'
    assert wrist.own('right/keypoints') == '~/wrist/right/keypoints'
    assert wrist.below('/hands_node') == '/hands_node/wrist'
    assert str(front) == 'front: '


@pytest.mark.parametrize('name', ['tf_prefix', 'fallback_frame_id'])
def test_no_two_cameras_share_a_frame(name):
    settings = Settings(cameras=('front', 'wrist'), tf_prefix='anna/')
    own = [getattr(names.settings(settings), name) for names in cameras_of(settings)]
    assert len(set(own)) == 2


def test_the_prefix_of_the_node_stands_before_the_name_of_the_camera():
    assert CameraNames('front').settings(Settings(tf_prefix='anna/')).tf_prefix == 'anna/front/'
