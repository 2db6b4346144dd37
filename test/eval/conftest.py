from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import read_stand_in
from interwild_ros.records import Side
import pytest


@pytest.fixture(scope='session')
def hand_models():
    return HandPair(*(read_stand_in(side) for side in Side))
