from interwild_ros.ros.silence import explain, Listening
from interwild_ros.ros.subscribing import Ask, Offer
import pytest

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'


def listening(**changes):
    known = {
        'name': 'image',
        'topic': '/image',
        'kind': IMAGE,
        'offers': (),
        'ask': None,
        'incompatible_events': 0,
        'incompatible_policy': '',
        'elsewhere': (),
    }
    return Listening(**known | changes)


def offer(node='/cam', kind=IMAGE, is_reliable=True):
    return Offer(node=node, kind=kind, is_reliable=is_reliable, is_latched=False)


def test_nobody_publishes():
    assert explain(listening()) == f'nobody publishes /image ({IMAGE})'


def test_pictures_on_another_topic_are_named_with_the_remapping():
    text = explain(listening(elsewhere=[('/eye/image_raw', IMAGE)]))
    assert 'nobody publishes /image' in text
    assert '/eye/image_raw: remap image to it' in text


@pytest.mark.parametrize(
    ('kind', 'other', 'setting'),
    [(IMAGE, COMPRESSED, 'compressed'), (COMPRESSED, IMAGE, 'raw')],
)
def test_the_other_transport_is_pointed_at(kind, other, setting):
    text = explain(listening(kind=kind, elsewhere=[('/image/x', other)]))
    assert f'/image/x would do with image_transport set to {setting}' in text


def test_a_wrong_type_is_named_with_its_publisher():
    text = explain(listening(offers=[offer(kind=COMPRESSED)]))
    assert f'/cam (reliable) publishes {COMPRESSED} on /image, wanted {IMAGE}' in text
    assert 'nobody' not in text


def test_incompatible_qos_is_explained_with_names_events_and_remedy():
    text = explain(
        listening(
            offers=[offer(is_reliable=False)],
            ask=Ask(is_reliable=True),
            incompatible_events=2,
            incompatible_policy='RELIABILITY',
        )
    )
    for part in ('/image has 1 publisher', '/cam (best effort)', '2 incompatible-QoS events'):
        assert part in text
    assert 'RELIABILITY' in text
    assert 'set qos_reliability to auto or best_effort' in text


@pytest.mark.parametrize('is_reliable', [True, False])
def test_silent_publishers_are_named(is_reliable):
    offers = [offer('/a', is_reliable=is_reliable), offer('/b', is_reliable=is_reliable)]
    text = explain(listening(offers=offers, ask=Ask(is_reliable=is_reliable)))
    assert '/image has 2 publishers: /a' in text
    assert '/b' in text
    assert 'nothing was sent' in text
