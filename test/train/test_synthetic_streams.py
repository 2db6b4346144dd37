from interwild_ros.networks.variants import VARIANTS
from interwild_ros.train.recipe_sections import CropData
from interwild_ros.train.streams import LEFT_KIND, NO_KIND, RIGHT_KIND, UNKNOWN
from interwild_ros.train.synthetic.crops import along_sight, CropMaker, CropShares
from interwild_ros.train.synthetic.domains import STUDIO
from interwild_ros.train.synthetic_streams import hand_crops, make_stream
import torch

COUNT = 12
SPACES = VARIANTS['compact'].spaces


def crops(**shares):
    data = CropData(domain='studio', **{'mirrored': 0.0, 'strays': 0.0, 'loose': 0.0} | shares)
    return make_stream('shnet', 'compact', data, seed=4).draw(range(COUNT))


def test_crops_show_what_the_recipe_wants():
    assert set(crops().kinds.tolist()) <= {RIGHT_KIND, UNKNOWN}
    assert set(crops(mirrored=1.0).kinds.tolist()) <= {LEFT_KIND, UNKNOWN}
    assert NO_KIND in crops(strays=1.0).kinds.tolist()


def test_of_crops_with_a_hand_of_the_wrong_side_nothing_else_counts():
    assert crops().counts.sum() > COUNT / 2
    assert crops(mirrored=1.0).counts.sum() == 0


def test_a_stream_draws_what_the_maker_makes():
    shares = CropShares(0.3, 0.3, 0.3, 0.5)
    drawn = hand_crops(4, SPACES, STUDIO, shares=shares)(range(COUNT))
    made = CropMaker(STUDIO, seed=4, spaces=SPACES, shares=shares).make(range(COUNT))
    made = along_sight(made, SPACES)
    for name in ('pictures', 'kinds', 'pose', 'joints_m'):
        assert torch.equal(getattr(drawn, name), getattr(made, name)), name
    assert torch.equal(drawn.counts > 0.5, made.counts)


def test_a_sample_keeps_its_kind_when_it_comes_again_altered():
    data = CropData(domain='studio', turns=2, mirrored=0.4, strays=0.3, loose=0.0)
    stream = make_stream('shnet', 'compact', data, seed=4)
    twice = stream.draw(range(2 * COUNT))
    pairs = [
        (one, other)
        for one in range(2 * COUNT)
        for other in range(one)
        if torch.equal(twice.betas[one], twice.betas[other])
    ]
    assert pairs
    assert all(twice.kinds[one] == twice.kinds[other] for one, other in pairs)
