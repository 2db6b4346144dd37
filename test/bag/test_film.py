import cv2
from interwild_ros.bag.film import draw_film, draw_frames
from interwild_ros.bag.read import open_bag
from interwild_ros.errors import AssetError
from interwild_ros.imaging.overlay import draw_overlay
import numpy as np
import pytest
from recorded import hands_of, HEIGHT, TRACKED, WIDTH, write_small_bag


def film_frames(path):
    film = cv2.VideoCapture(str(path))
    rate_hz, frames = film.get(cv2.CAP_PROP_FPS), []
    while True:
        ok, frame = film.read()
        if not ok:
            film.release()
            return rate_hz, frames
        frames.append(frame[..., ::-1])


def test_the_film_shows_every_answered_picture_at_its_rate(small_bag, tmp_path):
    said = []
    with open_bag(small_bag) as bag:
        count = draw_film(bag, tmp_path, rate_hz=12.5, say=said.append)
        wanted = [frame.image for frame in draw_frames(bag)]
    rate_hz, found = film_frames(tmp_path / 'overlay.mp4')
    assert (rate_hz, count, len(found)) == (12.5, len(TRACKED), len(TRACKED))
    assert said == [1, 2, 3]
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape
        assert abs(one.astype(float).mean() - other.mean()) < 8  # the codec is lossy


def test_each_frame_is_its_picture_with_the_hands_of_its_stamp(small_bag):
    with open_bag(small_bag) as bag:
        frames = list(draw_frames(bag, notes=('a note',)))
        topology, camera = bag.topology(), bag.camera(image_size=(WIDTH, HEIGHT))
    for frame, index in zip(frames, TRACKED, strict=True):
        picture = np.full((HEIGHT, WIDTH, 3), 40 * index, np.uint8)
        wanted = draw_overlay(picture, hands_of(index), topology, camera, ('a note',))
        # the message has float32, the record has float64: a pixel on an edge may differ
        assert np.mean(frame.image != wanted) < 0.01


def test_the_picture_is_the_frame_with_the_most_hands(small_bag, tmp_path):
    with open_bag(small_bag) as bag:
        draw_film(bag, tmp_path, rate_hz=10.0)
        frames = list(draw_frames(bag))
    most = max(frames, key=lambda frame: frame.hand_count)
    assert most.hand_count == 2
    picture = cv2.imread(str(tmp_path / 'overlay.png'))[..., ::-1]
    np.testing.assert_array_equal(picture, most.image)


def test_a_frame_says_how_well_its_hands_fit_it(small_bag):
    with open_bag(small_bag) as bag:
        frames = list(draw_frames(bag))
    for frame, index in zip(frames, TRACKED, strict=True):
        errors = [hand.reprojection_error_px for hand in hands_of(index).hands]
        assert frame.error_px == pytest.approx(max(errors, default=0.0), rel=1e-6)


def test_a_recording_without_answers_is_refused_and_leaves_no_film(tmp_path):
    folder = write_small_bag(tmp_path / 'bag', answered=())
    with open_bag(folder) as bag, pytest.raises(AssetError, match='no picture of the bag'):
        draw_film(bag, tmp_path, rate_hz=10.0)
    assert [path.name for path in tmp_path.iterdir()] == ['bag']


def test_a_rate_that_no_film_has_is_an_asset_error(small_bag, tmp_path):
    with open_bag(small_bag) as bag, pytest.raises(AssetError, match='has 0 frames, wanted 3'):
        draw_film(bag, tmp_path, rate_hz=0.0)
    assert not (tmp_path / 'overlay.mp4').exists()
