"""After warming up nothing is compiled or loaded any more, which would hold up a frame."""

import gc

from interwild_ros.config import Settings
from interwild_ros.imaging.demo_clip import demo_clip
from interwild_ros.pipeline.following import Follower
from interwild_ros.pipeline.pipeline import load_pipeline
from interwild_ros.pipeline.warm_up import warm_up
from interwild_ros.records import Frame, NS_PER_SEC
from numba.core.registry import CPUDispatcher
import pytest


def loaded():
    """Return for how many kinds of arguments each compiled function is there."""
    return {
        f'{thing.py_func.__module__}.{thing.py_func.__name__}': len(thing.signatures)
        for thing in gc.get_objects()
        if type(thing) is CPUDispatcher and thing.py_func.__module__.startswith('interwild')
    }


@pytest.fixture(scope='module')
def pipeline():
    pipeline = load_pipeline(Settings(device='cpu'))
    warm_up(pipeline)
    return pipeline


def test_following_compiles_nothing_that_was_not_warm(pipeline):
    before = loaded()
    follower = Follower(pipeline)
    followed = [
        follower(Frame(shown.image, shown.camera, 1 + number * NS_PER_SEC // 30, ''))
        for number, shown in enumerate(demo_clip(frames=12))
    ]
    assert any(of.hands.hands and of.raw.hands for of in followed)
    assert before
    assert loaded() == before
