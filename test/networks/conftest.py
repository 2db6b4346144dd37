from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.networks.interwild import InterWild
from interwild_ros.networks.rule_weights import fill_by_rule
from interwild_ros.networks.variants import VARIANTS
import pytest


@pytest.fixture(scope='session')
def official():
    """Official networks with rule-made weights; tests leave them as they are."""
    networks, _ = build_networks('official')
    return networks


@pytest.fixture(scope='session')
def compact():
    networks, _ = build_networks('compact')
    return networks


@pytest.fixture(scope='session')
def whole_compact():
    """Compact networks with every part that the variant can have."""
    networks = InterWild(VARIANTS['compact']).eval()
    fill_by_rule(networks)
    return networks
