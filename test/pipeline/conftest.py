from interwild_ros.config import Settings
from interwild_ros.geometry.camera import camera_from_fov
from interwild_ros.pipeline.pipeline import load_pipeline
from interwild_ros.records import Frame
import numpy as np
import pytest


@pytest.fixture(scope='session')
def pipeline():
    """The compact networks with rule-made weights on the stand-in hands."""
    return load_pipeline(Settings(weights='rule-made', device='cpu'))


@pytest.fixture
def noise_frame():
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    return Frame(image, camera_from_fov(640, 480, 60.0), stamp_ns=12_345, frame_id='camera')
