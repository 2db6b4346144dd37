from interwild_ros.hand_model.mano import HandPair
from interwild_ros.hand_model.mano_file import find_hand_models, read_stand_in
from interwild_ros.records import Side
from interwild_ros.testing.parity_hand import write_parity_mano
import pytest


@pytest.fixture(scope='session')
def hand_models():
    """The stand-in hands: the left one is the exact mirror image of the right one."""
    return HandPair(*(read_stand_in(side) for side in Side))


@pytest.fixture(scope='session')
def parity_hands(tmp_path_factory):
    """The look-alikes with which the golden numbers were made."""
    folder = tmp_path_factory.mktemp('parity_mano')
    write_parity_mano(folder)
    return HandPair(*find_hand_models(str(folder)))
