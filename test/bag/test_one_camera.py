from camera_bags import add_frames, camera_bag, FRAME_ID, IMAGE, INFO, stamps, write_camera_bag
from interwild_ros.bag.cameras import CameraTopics, Wanted
from interwild_ros.bag.one_camera import frame_id_of, is_compressed, one_camera
from interwild_ros.bag.sturdy import open_sturdy
from interwild_ros.errors import AssetError
import pytest


def test_the_only_camera_is_meant(tmp_path):
    with open_sturdy(write_camera_bag(tmp_path / 'bag')) as bag:
        camera = one_camera(bag, Wanted())
        assert camera == CameraTopics(IMAGE, info=INFO)
        assert not is_compressed(bag, camera)
        assert frame_id_of(bag, camera) == FRAME_ID


def test_of_several_cameras_one_must_be_named(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, stamps(2), image='/left/image', info_topic='')
        add_frames(bag, stamps(2), image='/right/jpeg', info_topic='', is_compressed=True)
    with open_sturdy(tmp_path / 'bag') as bag:
        with pytest.raises(AssetError, match=r'2 cameras \(/left/image, /right/jpeg\)'):
            one_camera(bag, Wanted())
        camera = one_camera(bag, Wanted(images=['/right/jpeg']))
        assert camera.image == '/right/jpeg'
        assert is_compressed(bag, camera)
