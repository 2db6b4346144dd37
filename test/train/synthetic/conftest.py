from interwild_ros.train.synthetic.annotated import SyntheticPictures
from interwild_ros.train.synthetic.bodies import BodyMaker
from interwild_ros.train.synthetic.crops import CropMaker
from interwild_ros.train.synthetic.domains import DOMAINS
from interwild_ros.train.synthetic.pairs import PairMaker
from interwild_ros.train.synthetic.scenes import SceneMaker
import pytest

SEED = 5


@pytest.fixture(scope='session', params=sorted(DOMAINS))
def domain(request):
    return DOMAINS[request.param]


@pytest.fixture(scope='session')
def scene_maker(domain):
    return SceneMaker(domain, seed=SEED)


@pytest.fixture(scope='session')
def scenes(scene_maker):
    return scene_maker.make(range(48))


@pytest.fixture(scope='session')
def crop_maker(domain):
    return CropMaker(domain, seed=SEED)


@pytest.fixture(scope='session')
def crops(crop_maker):
    return crop_maker.make(range(24))


@pytest.fixture(scope='session')
def body_maker(domain):
    return BodyMaker(domain, seed=SEED)


@pytest.fixture(scope='session')
def bodies(body_maker):
    return body_maker.make(range(24))


@pytest.fixture(scope='session')
def pair_maker(domain):
    return PairMaker(domain, seed=SEED)


@pytest.fixture(scope='session')
def pictures(domain):
    return SyntheticPictures(domain, seed=SEED, length=20)
