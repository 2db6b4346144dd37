from interwild_ros.networks.checkpoint import build_networks
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
