"""A corner of DDS for ourselves: a domain that nobody on this machine uses, closed to others."""

from __future__ import annotations

import os
import random
import socket

from interwild_ros.errors import NodeError

# Above 101 the ports of DDS meet those that Linux gives to clients.
DOMAIN_IDS = range(1, 102)

# DDS-RTPS 2.5, 9.6.2.3: the first participant of a domain listens on 7400 + 250 d + 10.
_FIRST_PORT = 7410
_PORTS_PER_DOMAIN = 250


def free_domain_id() -> int:
    """Return a domain that no participant on this machine is in.

    :raises NodeError: when all are taken.
    """
    for domain_id in random.sample(DOMAIN_IDS, len(DOMAIN_IDS)):
        if _is_free(domain_id):
            return domain_id
    raise NodeError(
        f'all ROS domains from {DOMAIN_IDS[0]} to {DOMAIN_IDS[-1]} are in use on this machine'
    )


def local_environment(domain_id: int) -> dict[str, str]:
    """Return the variables that put a process into a domain that this machine alone can reach."""
    if os.environ.get('ROS_DISTRO') == 'humble':
        return {'ROS_DOMAIN_ID': str(domain_id), 'ROS_LOCALHOST_ONLY': '1'}
    return {'ROS_DOMAIN_ID': str(domain_id), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}


def _is_free(domain_id: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('', _FIRST_PORT + _PORTS_PER_DOMAIN * domain_id))
        except OSError:
            return False
    return True
