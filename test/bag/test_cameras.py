"""Which topics of a bag are cameras, and what belongs to them."""

from camera_bags import (
    add_frames,
    camera_bag,
    compressed,
    DEPTH,
    depth,
    IMAGE,
    INFO,
    info,
    picture,
    STORE,
    WIDTH,
)
from interwild_ros.bag.cameras import CameraTopics, find_cameras, Wanted
from interwild_ros.bag.hands_bag import HANDS_TOPIC
from interwild_ros.bag.message_types import MessageTypes
from interwild_ros.bag.outgoing import TWO_HANDS
from interwild_ros.bag.sturdy import open_sturdy
from interwild_ros.bag.write import write_bag
from interwild_ros.errors import AssetError
import pytest


@pytest.fixture
def found(tmp_path):
    """found({topic: message}, images=...): the cameras of a bag with these messages."""

    def find(messages, **wanted):
        with camera_bag(tmp_path / 'bag') as bag:
            for topic, message in messages.items():
                bag.add(topic, message, 1)
        with open_sturdy(tmp_path / 'bag') as opened:
            return find_cameras(opened, Wanted(**wanted))

    return find


def images(found):
    return [camera.image for camera in found.cameras]


def small_depth():
    message = depth(1, 0.5)
    message.width, message.step = WIDTH // 2, WIDTH
    return message


def test_the_info_beside_the_image_belongs_to_it(found):
    messages = {
        '/left/image_raw': picture(1, 0),
        '/left/camera_info': info(1),
        '/right/image_raw/compressed': compressed(1, 0),
        '/right/camera_info': info(1),
    }
    assert found(messages).cameras == (
        CameraTopics('/left/image_raw', '/left/camera_info'),
        CameraTopics('/right/image_raw/compressed', '/right/camera_info'),
    )


def test_a_single_camera_has_the_only_info_wherever_it_is(found):
    assert found({'/a/b/image': picture(1, 0), '/elsewhere': info(1)}).cameras == (
        CameraTopics('/a/b/image', '/elsewhere'),
    )


def test_of_two_cameras_none_has_an_info_that_is_elsewhere(found):
    messages = {'/a/image': picture(1, 0), '/b/image': picture(1, 0), '/elsewhere': info(1)}
    assert [camera.info for camera in found(messages).cameras] == ['', '']


def test_an_info_that_is_named_is_taken(found):
    messages = {IMAGE: picture(1, 0), INFO: info(1), '/other': info(1)}
    assert found(messages, info='/other').cameras[0].info == '/other'


def test_an_info_that_is_not_there_is_refused(found):
    with pytest.raises(AssetError, match='has no CameraInfo on /cam/image'):
        found({IMAGE: picture(1, 0)}, info=IMAGE)


def test_of_a_picture_in_two_transports_the_raw_one_is_taken(found):
    messages = {IMAGE: picture(1, 0), f'{IMAGE}/compressed': compressed(1, 0)}
    assert images(found(messages)) == [IMAGE]


def test_the_compressed_one_can_be_asked_for(found):
    messages = {IMAGE: picture(1, 0), f'{IMAGE}/compressed': compressed(1, 0)}
    assert images(found(messages, images=[f'{IMAGE}/compressed'])) == [f'{IMAGE}/compressed']


def test_pictures_that_this_package_drew_are_no_camera(tmp_path):
    types = MessageTypes([TWO_HANDS])
    with write_bag(tmp_path / 'bag') as bag:
        bag.add_topic(HANDS_TOPIC, TWO_HANDS)
        bag.write(HANDS_TOPIC, types.serialize(types.new(TWO_HANDS)), received_ns=1)
        for topic in (IMAGE, '/hands_node/overlay', '/other_node/overlay'):
            bag.add_topic(topic, 'sensor_msgs/msg/Image')
            data = STORE.serialize_cdr(picture(1, 0), 'sensor_msgs/msg/Image')
            bag.write(topic, bytes(data), received_ns=1)
    with open_sturdy(tmp_path / 'bag') as opened:
        assert images(find_cameras(opened)) == [IMAGE, '/other_node/overlay']


def test_depth_is_no_camera_and_is_mentioned(found):
    result = found({IMAGE: picture(1, 0), DEPTH: depth(1, 0.5)})
    assert result.cameras == (CameraTopics(IMAGE),)
    assert result.remarks == (f'depth on {DEPTH} is not used; --use-depth takes it',)


def test_depth_of_the_size_of_the_picture_is_found(found):
    messages = {IMAGE: picture(1, 0), DEPTH: depth(1, 0.5), '/raw_depth': small_depth()}
    assert found(messages, use_depth=True).cameras == (CameraTopics(IMAGE, '', DEPTH),)


def test_several_suitable_depths_have_to_be_told_apart(found):
    messages = {IMAGE: picture(1, 0), DEPTH: depth(1, 0.5), '/other': depth(1, 0.5)}
    with pytest.raises(AssetError, match=r'has 2 topics with depth .* name it with --depth'):
        found(messages, use_depth=True)


def test_wanted_depth_that_is_not_there_is_told(found):
    with pytest.raises(AssetError, match='has 0 topics with depth of the size'):
        found({IMAGE: picture(1, 0)}, use_depth=True)


def test_depth_that_is_named_but_not_there_is_told(found):
    with pytest.raises(AssetError, match='has no depth pictures on /nothing; it holds /cam/image'):
        found({IMAGE: picture(1, 0)}, depth='/nothing')


def test_a_topic_that_has_no_pictures_is_refused_and_the_others_are_listed(found):
    with pytest.raises(AssetError, match=r'no pictures on /cam/camera_info; it holds .*/cam/imag'):
        found({IMAGE: picture(1, 0), INFO: info(1)}, images=[INFO])


def test_folders_of_two_cameras_never_have_one_name():
    assert CameraTopics('/a/b').name == 'a.b'
    assert CameraTopics('/a_b').name == 'a_b'


def test_a_damaged_first_picture_does_not_hide_the_camera(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        bag.add_bytes(IMAGE, 'sensor_msgs/msg/Image', b'\0\1\0\0', 1)
        add_frames(bag, [1, 2], info_topic='')
    with open_sturdy(tmp_path / 'bag') as opened:
        assert images(find_cameras(opened)) == [IMAGE]
