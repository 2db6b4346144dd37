"""Whatever runs the networks, the numbers are the same."""

from interwild_ros.config import Settings
from interwild_ros.errors import SettingError
from interwild_ros.imaging.demo_clip import demo_clip
from interwild_ros.networks.checkpoint import build_networks
from interwild_ros.pipeline import engine
from interwild_ros.pipeline.engine import choose_engine
from interwild_ros.pipeline.pipeline import load_pipeline
from interwild_ros.records import Frame
from interwild_ros.tracking.matching import Sought
import numpy as np
import pytest
import torch

CPU = torch.device('cpu')


@pytest.fixture(scope='module')
def networks():
    return build_networks('compact')[0]


@pytest.fixture(scope='module')
def frame():
    (shown,) = demo_clip(frames=1)
    return Frame(shown.image, shown.camera, stamp_ns=1, frame_id='eye')


def pipeline_of(wanted, precision):
    if wanted == 'openvino':
        pytest.importorskip('openvino')
    return load_pipeline(Settings(device='cpu', engine=wanted, precision=precision))


@pytest.fixture(scope='module')
def plain(frame):
    """What PyTorch says in float32, and where to look for the same hands again."""
    pipeline = pipeline_of('torch', 'float32')
    first = pipeline.estimate(frame)
    boxes = (first.right.box.corners, first.left.box.corners)
    sought = Sought(boxes, detects=True, region=None)
    return pipeline.estimate(frame, sought), sought


@pytest.mark.parametrize(
    ('wanted', 'precision', 'within_m'),
    [
        ('torch', 'bfloat16', 1e-3),
        ('openvino', 'float32', 1e-5),
        ('openvino', 'bfloat16', 1e-3),
    ],
)
def test_every_engine_makes_the_same_hands(frame, plain, wanted, precision, within_m):
    pipeline = pipeline_of(wanted, precision)
    assert pipeline.card.engine == f'{wanted} {precision}'
    wanted_pair, sought = plain
    found = pipeline.estimate(frame, sought)
    for one, other in ((found.right, wanted_pair.right), (found.left, wanted_pair.left)):
        np.testing.assert_allclose(one.vertices_m, other.vertices_m, atol=within_m, rtol=0)
        np.testing.assert_allclose(one.joints_image_px, other.joints_image_px, atol=1.0, rtol=0)
        assert one.box.score == pytest.approx(other.box.score, abs=0.05)
    assert len(found.detected) == len(wanted_pair.detected)
    for one, other in zip(found.detected, wanted_pair.detected, strict=True):
        np.testing.assert_allclose(one.box, other.box, atol=1e-2)


def test_auto_takes_openvino_where_it_is_installed_and_a_cpu_is_used(networks, monkeypatch):
    monkeypatch.setattr(engine, 'has_openvino', lambda: False)
    assert choose_engine(networks, CPU).name == 'torch float32'
    pytest.importorskip('openvino')
    monkeypatch.setattr(engine, 'has_openvino', lambda: True)
    assert choose_engine(networks, CPU).name == 'openvino float32'


def test_openvino_does_not_run_on_a_gpu(networks):
    with pytest.raises(SettingError, match='openvino, which runs on the CPU, but device is cuda'):
        choose_engine(networks, torch.device('cuda', 0), 'openvino')


def test_a_cpu_without_bfloat16_says_that_it_takes_float32(networks, monkeypatch):
    monkeypatch.setattr(engine, 'has_quick_bfloat16', lambda: False)
    found = choose_engine(networks, CPU, 'torch', 'bfloat16')
    assert found.name == 'torch float32'
    assert found.warnings == ('precision is bfloat16, which this CPU lacks: float32 used',)


def test_the_networks_that_were_given_stay_as_they_are(networks):
    before = {name: tensor.clone() for name, tensor in networks.state_dict().items()}
    choose_engine(networks, CPU, 'torch', 'bfloat16')
    after = networks.state_dict()
    assert before.keys() == after.keys()
    assert all(before[name].equal(after[name]) for name in before)
