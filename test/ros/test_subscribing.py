from interwild_ros.ros.image_input import image_topic
from interwild_ros.ros.subscribing import FollowingSubscription, Gate, offers_on, Wish
import pytest
import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Header, String

RELIABLE = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)
BEST_EFFORT = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.fixture
def publish(ros_node):
    return lambda qos, kind=String: ros_node.create_publisher(kind, '/words', qos)


@pytest.fixture
def heard():
    return []


@pytest.fixture
def subscription(ros_node, heard):
    return following(ros_node, heard, Wish())


def following(node, heard, wish, gate=None):
    def take(message):
        heard.append(message.data)

    return FollowingSubscription(node, String, '/words', take, wish, gate)


def wait_for_publishers(node, spin_until, count):
    spin_until(lambda: len(offers_on(node, '/words')) == count)


def test_nothing_is_asked_for_before_somebody_publishes(subscription):
    assert not subscription.follow()
    assert subscription.ask is None


@pytest.mark.parametrize('qos', [RELIABLE, BEST_EFFORT], ids=['reliable', 'best_effort'])
def test_the_publisher_is_heard_whatever_it_offers(
    qos, subscription, publish, heard, ros_node, spin_until
):
    publisher = publish(qos)
    wait_for_publishers(ros_node, spin_until, 1)
    assert subscription.follow()
    assert subscription.ask.is_reliable == (qos is RELIABLE)
    assert not subscription.follow(), 'made anew without a reason'
    spin_until(publisher.get_subscription_count)
    publisher.publish(String(data='hello'))
    spin_until(lambda: heard == ['hello'])


@pytest.mark.parametrize(
    ('before', 'after'),
    [(RELIABLE, BEST_EFFORT), (BEST_EFFORT, RELIABLE)],
    ids=['to_best_effort', 'to_reliable'],
)
def test_a_publisher_that_comes_back_with_another_offer_is_heard_again(
    before, after, subscription, publish, heard, ros_node, spin_until
):
    first = publish(before)
    wait_for_publishers(ros_node, spin_until, 1)
    subscription.follow()
    ros_node.destroy_publisher(first)
    wait_for_publishers(ros_node, spin_until, 0)
    assert not subscription.follow()
    second = publish(after)
    wait_for_publishers(ros_node, spin_until, 1)
    assert subscription.follow()
    spin_until(second.get_subscription_count)
    second.publish(String(data='again'))
    spin_until(lambda: heard == ['again'])


def test_of_two_publishers_the_weaker_decides_and_both_are_heard(
    subscription, publish, heard, ros_node, spin_until
):
    strong, weak = publish(RELIABLE), publish(BEST_EFFORT)
    wait_for_publishers(ros_node, spin_until, 2)
    subscription.follow()
    assert not subscription.ask.is_reliable
    spin_until(lambda: strong.get_subscription_count() and weak.get_subscription_count())
    strong.publish(String(data='strong'))
    spin_until(lambda: 'strong' in heard)
    weak.publish(String(data='weak'))
    spin_until(lambda: 'weak' in heard)


def test_a_publisher_of_another_type_is_seen_but_not_followed(
    subscription, publish, ros_node, spin_until
):
    publish(RELIABLE, Header)
    wait_for_publishers(ros_node, spin_until, 1)
    assert not subscription.follow()
    assert [offer.kind for offer in subscription.offers] == ['std_msgs/msg/Header']


def test_what_a_latched_publisher_said_before_is_heard(publish, heard, ros_node, spin_until):
    publish(LATCHED).publish(String(data='before'))
    wait_for_publishers(ros_node, spin_until, 1)
    following(ros_node, heard, Wish(takes_latched=True)).follow()
    spin_until(lambda: heard == ['before'])


def test_a_fixed_reliability_that_is_not_offered_is_counted(publish, heard, ros_node, spin_until):
    publish(BEST_EFFORT)
    subscription = following(ros_node, heard, Wish(reliability='reliable'))
    assert subscription.follow()
    spin_until(lambda: subscription.incompatible_events)
    assert subscription.incompatible_policy == 'RELIABILITY'


def test_a_fixed_reliability_can_be_overridden_by_ros_parameters(ros_node, heard):
    subscription = following(ros_node, heard, Wish(reliability='best_effort'))
    subscription.follow()
    name = 'qos_overrides./words.subscription.reliability'
    assert ros_node.get_parameter(name).value == 'best_effort'


def test_behind_a_closed_gate_messages_wait_and_none_is_lost(publish, heard, ros_node, spin_until):
    room = [False]
    gate = Gate(lambda: room[0] and len(heard) < limit[0])
    limit = [3]
    publisher = publish(RELIABLE)
    wait_for_publishers(ros_node, spin_until, 1)
    following(ros_node, heard, Wish(depth=None), gate).follow()
    spin_until(publisher.get_subscription_count)
    for number in range(20):
        publisher.publish(String(data=str(number)))
    with pytest.raises(pytest.fail.Exception):
        spin_until(lambda: heard, timeout_sec=0.3)
    room[0] = True
    spin_until(lambda: len(heard) == 3)
    with pytest.raises(pytest.fail.Exception):
        spin_until(lambda: len(heard) > 3, timeout_sec=0.3)
    limit[0] = 100
    spin_until(lambda: len(heard) == 20)
    assert heard == [str(number) for number in range(20)]


@pytest.mark.parametrize(
    ('rules', 'raw', 'compressed'),
    [
        ([], '/image', '/image/compressed'),
        (['image:=/eye/rgb'], '/eye/rgb', '/eye/rgb/compressed'),
        (['image/compressed:=/jpeg'], '/image', '/jpeg'),
        (['image:=/eye/rgb', 'image/compressed:=/jpeg'], '/eye/rgb', '/jpeg'),
        (['__ns:=/robot'], '/robot/image', '/robot/image/compressed'),
    ],
)
def test_remapping_the_image_moves_both_transports(rules, raw, compressed, ros_node):
    arguments = ['--ros-args', *(part for rule in rules for part in ('-r', rule))]
    node = rclpy.create_node('mapped', context=ros_node.context, cli_args=arguments)
    assert image_topic(node, is_compressed=False) == raw
    assert image_topic(node, is_compressed=True) == compressed
    node.destroy_node()
