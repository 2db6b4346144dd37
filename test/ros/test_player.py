"""The player over DDS: what is in the bag comes out, in order, in time, and never too fast."""

from contextlib import nullcontext
import time

from camera_bags import (
    add_frames,
    camera_bag,
    IMAGE,
    INFO,
    info,
    picture,
    RECEIVED_LATER_NS,
    stamps,
    write_camera_bag,
)
from interwild_ros.bag.cameras import CameraTopics
from interwild_ros.bag.forward import forward
from interwild_ros.bag.messages import stamp_ns
from interwild_ros.bag.playlist import Choice, playlist_of
from interwild_ros.bag.sturdy import open_sturdy, storage_files
from interwild_ros.bag.write import OfferedQos, write_bag
from interwild_ros.errors import AssetError
from interwild_ros.msg import TwoHands
from interwild_ros.ros.answers import Answers, MOST_OPEN
from interwild_ros.ros.own_node import own_node
from interwild_ros.ros.player import Pace, Player
from interwild_ros.ros.stop_signals import Stopped
from interwild_ros.ros.without_own import sieves_for
from node_client import NodeClient, stamp
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import CompressionMode, StoragePlugin
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

NODE = '/hands_node'
CAMERA = CameraTopics(IMAGE, info=INFO)
LATCHED = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
FAST, ALL = Pace(rate=20.0), Choice()
LONG_SEC = 120.0


@pytest.fixture
def client(ros_domain):
    """Who listens."""
    client = NodeClient(ros_domain)
    yield client
    client.close()


def listen_raw(client, kind, topic):
    """Collect the bytes of a topic's messages."""
    client.node.create_subscription(kind, topic, client.heard[topic].append, 100, raw=True)


class Stage:
    """A player and who listens, in one thread: while one waits the others have their turn."""

    def __init__(self, path, client, *, pace=FAST, camera=CAMERA, choice=ALL, node=''):
        self.path, self.client = path, client
        self.pace, self.camera, self.choice, self.node = pace, camera, choice, node
        self.each = lambda: None

    def play(self, *, listeners):
        """Play when so many listen, and return the player."""
        with open_sturdy(self.path) as bag, own_node('player') as (node, executor):
            answers = Answers(node, self.node) if self.node else None
            playlist = playlist_of(bag.topics, self.choice, latched=bag.latched)
            player = Player(node, bag, playlist, self.camera, self.pace)

            def wait(is_over, timeout_sec):
                end_sec = time.monotonic() + timeout_sec
                while True:
                    player.tell_time()
                    executor.spin_once(timeout_sec=0.0)
                    self.client.wait(0.002)
                    self.each()
                    if is_over() or time.monotonic() > end_sec:
                        return bool(is_over())

            assert wait(lambda: player.listeners >= listeners, LONG_SEC)
            count, names = self.client.node.count_publishers, playlist.names.values()
            assert wait(lambda: all(map(count, names)), LONG_SEC)
            if answers is not None:
                player.serve(answers, sieves_for(self.node, tf_prefix=''))
                topic = answers.topic
                assert wait(lambda: node.count_publishers(topic), LONG_SEC)
            player.play(wait, nullcontext, lambda count: None)
            assert wait(player.is_delivered, LONG_SEC)
            self.after(player)
            return player

    def after(self, player):
        """Look around while the publishers are still there."""
        self.client.wait(0.2)


def in_bag(path, topic):
    with open_sturdy(path) as bag:
        return [message.data for message in forward(bag, [topic])]


def write_words(folder, *, latched=(), step_ns=100_000_000):
    """Write a bag with words on two topics: /a says 0 2 4 6 8, /b says 1 3 5 7 9."""
    with write_bag(folder) as bag:
        for topic in ('/a', '/b'):
            offered = [OfferedQos(transient_local=topic in latched)]
            bag.add_topic(topic, 'std_msgs/msg/String', offered=offered)
        for number in range(10):
            data = serialize_message(String(data=str(number)))
            bag.write('/ab'[:1] + 'ab'[number % 2], data, received_ns=10**9 + number * step_ns)
    return folder


def words(client, topic):
    return [message.data for message in client.heard[topic]]


@pytest.mark.parametrize(
    ('storage', 'compression'),
    [
        (StoragePlugin.MCAP, CompressionMode.STORAGE),
        (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
        (StoragePlugin.SQLITE3, CompressionMode.FILE),
    ],
)
def test_every_message_comes_byte_for_byte(storage, compression, client, tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 8, storage=storage, compression=compression)
    listen_raw(client, Image, IMAGE)
    listen_raw(client, CameraInfo, INFO)
    stage = Stage(bag, client)
    stage.after = lambda player: client.wait_until(
        lambda: len(client.heard[IMAGE]) + len(client.heard[INFO]) == 16, LONG_SEC
    )
    player = stage.play(listeners=2)
    for topic in (IMAGE, INFO):
        assert client.heard[topic] == in_bag(bag, topic)
    assert (player.sent.messages, player.sent.pictures, player.sent.passes) == (16, 8, 1)


def test_the_time_never_runs_back_and_stays_in_the_recording(client, tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 20)
    client.listen(Clock, '/clock', 1000)
    stage = Stage(bag, client, pace=Pace(rate=1.0, clock_hz=200.0))

    def is_at_end(player):
        player.tell_time()
        return client.heard['/clock'] and stamp_ns(client.heard['/clock'][-1].clock) == last_ns

    stage.after = lambda player: client.wait_until(lambda: is_at_end(player), LONG_SEC)
    first_ns, last_ns = (stamps(20)[at] + RECEIVED_LATER_NS for at in (0, -1))
    stage.play(listeners=0)
    told = [stamp_ns(message.clock) for message in client.heard['/clock']]
    assert told == sorted(told)
    assert first_ns <= told[0]
    assert len(set(told)) > 2


def test_messages_that_were_recorded_out_of_order_do_not_turn_time_back(client, tmp_path):
    with camera_bag(tmp_path / 'bag', storage=StoragePlugin.MCAP) as bag:
        times = stamps(6)
        received = [times[at] for at in (0, 3, 1, 4, 2, 5)]
        add_frames(bag, times, received_ns=received)
    client.listen(Clock, '/clock', 1000)
    client.listen(Image, IMAGE)
    stage = Stage(tmp_path / 'bag', client)
    stage.after = lambda player: client.wait_until(lambda: len(client.heard[IMAGE]) == 6, LONG_SEC)
    stage.play(listeners=1)
    told = [stamp_ns(message.clock) for message in client.heard['/clock']]
    assert told == sorted(told)


def test_the_bag_is_played_from_and_to_where_it_is_wanted(client, tmp_path):
    bag = write_words(tmp_path / 'bag')
    for topic in ('/a', '/b'):
        client.listen(String, topic)
    stage = Stage(bag, client, camera=None, pace=Pace(rate=20.0, offset_sec=0.25, length_sec=0.45))
    stage.after = lambda player: client.wait_until(
        lambda: len(client.heard['/a']) + len(client.heard['/b']) == 5, LONG_SEC
    )
    assert stage.play(listeners=2).sent.messages == 5
    assert (words(client, '/a'), words(client, '/b')) == (['4', '6'], ['3', '5', '7'])


def test_what_was_latched_before_the_beginning_holds_there(client, tmp_path):
    bag = write_words(tmp_path / 'bag', latched=['/a'])
    for topic in ('/a', '/b'):
        client.listen(String, topic)
    stage = Stage(bag, client, camera=None, pace=Pace(rate=20.0, offset_sec=0.55))
    stage.after = lambda player: client.wait_until(
        lambda: len(client.heard['/a']) + len(client.heard['/b']) == 7, LONG_SEC
    )
    stage.play(listeners=2)
    assert words(client, '/a') == ['0', '2', '4', '6', '8']
    assert words(client, '/b') == ['7', '9']


def test_who_comes_late_hears_what_was_recorded_as_latched(client, tmp_path):
    bag = write_words(tmp_path / 'bag', latched=['/a'])

    def come_late(player):
        client.listen(String, '/a', LATCHED)
        client.wait_until(lambda: len(client.heard['/a']) == 5, LONG_SEC)

    stage = Stage(bag, client, camera=None)
    stage.after = come_late
    stage.play(listeners=0)
    assert words(client, '/a') == ['0', '2', '4', '6', '8']


def test_topics_are_played_under_other_names(client, tmp_path):
    bag = write_words(tmp_path / 'bag')
    client.listen(String, '/then')
    stage = Stage(bag, client, camera=None, choice=Choice(topics=['/a'], names={'/a': '/then'}))
    stage.after = lambda player: client.wait_until(
        lambda: len(client.heard['/then']) == 5, LONG_SEC
    )
    stage.play(listeners=1)
    assert words(client, '/then') == ['0', '2', '4', '6', '8']


def test_the_camera_is_known_before_its_first_picture(client, tmp_path):
    times = stamps(3)
    with camera_bag(tmp_path / 'bag') as bag:
        for number, stamped_ns in enumerate(times):
            bag.add(IMAGE, picture(stamped_ns, number), stamped_ns)
        bag.add(INFO, info(times[0], focal_px=123.0), times[2] + 1)
    client.listen(CameraInfo, INFO)
    stage = Stage(tmp_path / 'bag', client)
    stage.after = lambda player: client.wait_until(lambda: len(client.heard[INFO]) == 2, LONG_SEC)
    player = stage.play(listeners=1)
    assert [message.k[0] for message in client.heard[INFO]] == [123.0, 123.0]
    assert player.sent.messages == 4


def test_of_a_damaged_bag_all_is_played_that_can_be_read(client, tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 20, compression=CompressionMode.MESSAGE)
    (file,) = storage_files(bag)
    content = bytearray(file.read_bytes())
    at = content.index(b'\x28\xb5\x2f\xfd', len(content) // 2)
    content[at : at + 4] = b'spoi'
    file.write_bytes(content)
    client.listen(Image, IMAGE)
    client.listen(CameraInfo, INFO)
    stage = Stage(bag, client)
    stage.after = lambda player: client.wait_until(
        lambda: len(client.heard[IMAGE]) + len(client.heard[INFO]) >= 39, LONG_SEC
    )
    player = stage.play(listeners=2)
    assert player.sent.unreadable == 1
    assert player.sent.messages == 39
    heard = [stamp_ns(message.header.stamp) for message in client.heard[IMAGE]]
    assert heard == sorted(set(heard))
    assert set(heard) <= set(stamps(20))


def test_a_time_without_messages_is_refused(client, tmp_path):
    bag = write_words(tmp_path / 'bag')
    with pytest.raises(AssetError, match='nothing to play in that time'):
        Stage(bag, client, camera=None, pace=Pace(offset_sec=60.0)).play(listeners=0)


def test_pictures_wait_for_the_answers_to_those_before(client, tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 20)
    hands = client.node.create_publisher(TwoHands, f'{NODE}/two_hands', 100)
    client.listen(Image, IMAGE)
    ahead, answered, turns = [], [], [0]

    def answer_slowly():
        """Answer one picture in every tenth turn."""
        turns[0] += 1
        images = client.heard[IMAGE]
        ahead.append(len(images) - len(answered))
        if turns[0] % 10 == 0 and ahead[-1]:
            message = TwoHands()
            stamp(message, stamp_ns(images[len(answered)].header.stamp), 'eye')
            hands.publish(message)
            answered.append(message)

    stage = Stage(bag, client, pace=Pace(rate=100.0, waits=True), node=NODE)
    stage.each = answer_slowly
    player = stage.play(listeners=1)
    assert len(answered) == 20
    assert max(ahead) == MOST_OPEN
    assert player.sent.unanswered == 0
    heard = [stamp_ns(message.header.stamp) for message in client.heard[IMAGE]]
    assert heard == stamps(20)


def test_frames_of_the_hands_are_taken_out_of_tf_and_counted(client, tmp_path):
    from test_without_own import tf

    with write_bag(tmp_path / 'bag') as bag:
        bag.add_topic('/tf', 'tf2_msgs/msg/TFMessage')
        for number, message in enumerate((tf('arm'), tf('right_hand'), tf('left_hand', 'base'))):
            bag.write('/tf', serialize_message(message), received_ns=10**9 + number)
    client.node.create_publisher(TwoHands, f'{NODE}/two_hands', 1)
    client.listen(TFMessage, '/tf')
    stage = Stage(tmp_path / 'bag', client, camera=None, node=NODE)
    stage.after = lambda player: client.wait_until(lambda: len(client.heard['/tf']) == 2, LONG_SEC)
    player = stage.play(listeners=1)
    assert client.heard['/tf'] == [tf('arm'), tf('base')]
    assert player.sent.taken_out == {'/tf': 1}


def test_a_loop_begins_again(client, tmp_path):
    bag = write_words(tmp_path / 'bag')
    client.listen(String, '/a')

    def end_when_enough():
        if len(client.heard['/a']) > 10:
            raise Stopped

    stage = Stage(bag, client, camera=None, pace=Pace(rate=50.0, loop=True))
    stage.each = end_when_enough
    with pytest.raises(Stopped):
        stage.play(listeners=1)
    assert words(client, '/a')[:10] == ['0', '2', '4', '6', '8'] * 2
