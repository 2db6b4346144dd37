from interwild_ros.bag.playlist import Choice, playlist_of
from interwild_ros.bag.read import TopicInfo
from interwild_ros.errors import AssetError
import pytest

TOPICS = {
    '/cam/image': TopicInfo('sensor_msgs/msg/Image', 9),
    '/clock': TopicInfo('rosgraph_msgs/msg/Clock', 50),
    '/empty': TopicInfo('std_msgs/msg/String', 0),
    '/hands_node/topology': TopicInfo('interwild_ros/msg/HandTopology', 1),
    '/hands_node/two_hands': TopicInfo('interwild_ros/msg/TwoHands', 9),
    '/imu': TopicInfo('sensor_msgs/msg/Imu', 90),
    '/other': TopicInfo('odd_msgs/msg/Odd', 2),
    '/tf_static': TopicInfo('tf2_msgs/msg/TFMessage', 1),
}


def played(**choice):
    return {*playlist_of(TOPICS, Choice(**choice)).names}


def test_all_that_has_messages_is_played_but_the_time():
    playlist = playlist_of(TOPICS, Choice())
    assert playlist.names.keys() == TOPICS.keys() - {'/empty', '/clock'}
    assert all(topic == name for topic, name in playlist.names.items())
    assert playlist.left_out == {'/clock': 'the player tells the time'}


def test_the_time_of_the_bag_is_played_where_nobody_else_tells_it():
    assert '/clock' in played(tells_time=False)


def test_what_a_node_publishes_anew_is_not_played():
    playlist = playlist_of(TOPICS, Choice(node='/hands_node'))
    assert not any(topic.startswith('/hands_node') for topic in playlist.names)
    assert playlist.left_out['/hands_node/two_hands'] == '/hands_node publishes it anew'
    assert '/hands_node/two_hands' in played(node='/robot/hands_node')
    assert '/hands_node/two_hands' in played(node='/hands')


def test_under_another_name_there_is_no_collision():
    names = {'/hands_node/two_hands': '/then/two_hands', '/imu': '/hands_node/imu'}
    playlist = playlist_of(TOPICS, Choice(node='/hands_node', names=names))
    assert playlist.names['/hands_node/two_hands'] == '/then/two_hands'
    assert '/imu' in playlist.left_out


def test_topics_are_chosen_and_excluded():
    assert played(topics=['/imu', '/other']) == {'/imu', '/other'}
    assert played(topics=['/imu', '/other'], excluded=['/imu']) == {'/other'}
    assert '/imu' not in played(excluded=['/imu'])


def test_what_is_needed_is_played_unasked_and_cannot_be_excluded():
    assert played(topics=['/imu'], needed=['/cam/image']) == {'/imu', '/cam/image'}
    with pytest.raises(AssetError, match='/cam/image cannot be excluded'):
        played(needed=['/cam/image'], excluded=['/cam/image'])


@pytest.mark.parametrize(
    'choice', [{'topics': ['/nothing']}, {'excluded': ['/nothing']}, {'names': {'/nothing': '/a'}}]
)
def test_a_topic_that_is_not_there_is_refused_with_those_that_are(choice):
    with pytest.raises(AssetError, match=r'no topic /nothing, only /cam/image, /clock'):
        played(**choice)


def test_what_cannot_be_published_is_left_out_with_the_reason():
    def obstacle(kind):
        return f'{kind} is not here' if kind.startswith('odd') else ''

    playlist = playlist_of(TOPICS, Choice(), obstacle=obstacle)
    assert playlist.left_out['/other'] == 'odd_msgs/msg/Odd is not here'
    assert '/other' not in playlist.names
    with pytest.raises(AssetError, match='nothing is left to play: /other: odd_msgs'):
        playlist_of(TOPICS, Choice(topics=['/other']), obstacle=obstacle)


def test_static_things_are_latched_and_what_was_recorded_so():
    playlist = playlist_of(TOPICS, Choice(), latched=['/imu', '/clock'])
    assert playlist.latched == {'/tf_static', '/hands_node/topology', '/imu'}
