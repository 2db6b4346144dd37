import math

from interwild_ros.networks.variants import COMPACT_SPACES, VARIANTS
from interwild_ros.train.ablation.relating import INPUTS, Relation, relation_loss
from interwild_ros.train.ablation.studies import ablate_crops, ablate_relations, Budget
from interwild_ros.train.ablation.views import PairViewMaker
from interwild_ros.train.synthetic.domains import STUDIO
from interwild_ros.train.synthetic.residuals import NO_BETTER_KNOWN
import pytest
import torch

TINY = Budget(steps=2, samples=6, held_out=4, batch_size=8)


@pytest.fixture(scope='module')
def views():
    maker = PairViewMaker(STUDIO, seed=4, spaces=COMPACT_SPACES, residuals=NO_BETTER_KNOWN)
    return maker.draw(range(4))


@pytest.fixture(params=INPUTS)
def sees(request):
    return request.param


def changed(network, views, **fields):
    with torch.no_grad():
        return not torch.equal(network(views), network(views._replace(**fields)))


def test_each_rival_sees_what_it_is_named_for(views, sees):
    torch.manual_seed(0)
    network = Relation(VARIANTS['compact'], sees).eval()
    moved, deeper = views.joints.clone(), views.joints.clone()
    moved[:, 0, 8, 0] += 2
    deeper[:, 0, 8, 2] += 2
    assert changed(network, views, pictures=255 - views.pictures) == ('image' in sees)
    assert changed(network, views, joints=moved) == (sees != 'image')
    assert changed(network, views, joints=deeper) == ('2.5D' in sees)


def test_without_weak_supervision_the_wild_teaches_nothing(views):
    wild = views._replace(has_3d=torch.zeros(4))
    place = torch.zeros(4, 3, requires_grad=True)
    assert relation_loss(place, wild, is_weak=False) == 0
    assert relation_loss(place, wild, is_weak=True) > 0


def test_both_tables_have_their_rows():
    said = []
    crops = ablate_crops(VARIANTS['compact'], TINY, said.append)
    relations = ablate_relations(VARIANTS['compact'], TINY, said.append)
    assert list(crops) == ['two-hand crop', 'one-hand crop']
    assert len(relations) == 2 * len(INPUTS)
    for row in (*crops.values(), *relations.values()):
        assert all(math.isfinite(value) for value in row.values())
    assert any('training' in line for line in said)
