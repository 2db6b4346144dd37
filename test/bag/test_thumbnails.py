from pathlib import Path

from analyses import analyse, rule_made, SETTINGS
from camera_bags import add_frames, camera_bag, IMAGE, INFO, stamps
import cv2
from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.hands_bag import HANDS_TOPIC
from interwild_ros.bag.ordered import camera_times, times_of
from interwild_ros.bag.plan import plan_of
from interwild_ros.bag.sturdy import open_sturdy
from interwild_ros.bag.thumbnails import Thumbnails
import numpy as np


def test_frames_are_drawn_with_their_own_hands_in_the_order_asked_for(tmp_path: Path) -> None:
    first, second, third = stamps(3)
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, [third, first, second])
    (outcome,) = analyse(tmp_path / 'bag', out=tmp_path / 'out')
    camera = CameraTopics(IMAGE, INFO)
    with open_sturdy(tmp_path / 'bag') as bag:
        plan = plan_of(camera_times(camera, times_of(bag, (camera,))), depth_slop_ns=0)
        thumbnails = Thumbnails(bag, camera, plan, SETTINGS, rule_made().topology)
        hands = outcome.folder / 'hands.mcap'
        drawn = list(thumbnails.draw([third, first], hands, HANDS_TOPIC))
        assert list(thumbnails.draw([], hands, HANDS_TOPIC)) == []
    assert [stamp_ns for stamp_ns, _ in drawn] == [third, first]
    pictures = [cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) for _, jpeg in drawn]
    assert {picture.shape for picture in pictures} == {(120, 160, 3)}
    assert not np.array_equal(*pictures)
