import os
from pathlib import Path
from xml.etree import ElementTree

from interwild_ros.ros.roomy_memory import use_roomy_memory
import pytest

NAMES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
A_PICTURE_BYTES = 1280 * 720 * 3


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Nothing is named, and nothing stays named afterwards."""
    for name in NAMES:
        monkeypatch.setenv(name, 'whatever it was')  # so that it is known what to go back to
        monkeypatch.delenv(name)
    return monkeypatch


def test_a_profile_with_room_for_pictures_is_used():
    use_roomy_memory()
    (profile,) = {Path(os.environ[name]) for name in NAMES}
    sizes = [
        int(element.text or 0)
        for element in ElementTree.parse(profile).iter()
        if element.tag.endswith('segment_size')
    ]
    assert min(sizes) > 2 * A_PICTURE_BYTES


@pytest.mark.parametrize('name', NAMES)
def test_a_profile_that_the_user_has_named_stays(environment, name):
    environment.setenv(name, '/mine.xml')
    use_roomy_memory()
    assert {other: os.environ.get(other) for other in NAMES if other in os.environ} == {
        name: '/mine.xml'
    }
