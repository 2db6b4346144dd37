from pathlib import Path

import cv2
from interwild_ros.errors import AssetError
from interwild_ros.imaging.sources import natural_key, open_source
import numpy as np
import pytest

WIDTH, HEIGHT = 64, 48


def _picture(level: int) -> np.ndarray:
    """BGR, mostly blue: the colours cannot be swapped unseen."""
    return np.full((HEIGHT, WIDTH, 3), (level, level // 2, 0), np.uint8)


@pytest.fixture
def video(tmp_path) -> Path:
    path = tmp_path / 'clip.mp4'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 25.0, (WIDTH, HEIGHT))
    for number in range(5):
        writer.write(_picture(40 + 40 * number))
    writer.release()
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / 'pictures'
    folder.mkdir()
    for number in (1, 2, 10):
        cv2.imwrite(str(folder / f'hand{number}.png'), _picture(20 * number))
    (folder / 'notes.txt').write_text('no picture')
    (folder / '.hidden.png').write_bytes(b'no picture')
    return folder


def _levels(source: str, **options: float) -> list[int]:
    return [int(p.rgb[..., 2].mean().round()) for p in open_source(source, **options).pictures()]


def _times_sec(source: str, **options: float) -> list[float]:
    return [p.time_ns / 1e9 for p in open_source(source, **options).pictures()]


def test_a_video_gives_every_picture_in_rgb_at_its_own_time(video):
    source = open_source(str(video))
    assert source.rate_hz == 25.0
    assert _levels(str(video)) == pytest.approx([40, 80, 120, 160, 200], abs=4)
    assert _times_sec(str(video)) == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16])
    first = next(source.pictures())
    assert (first.width, first.height) == (WIDTH, HEIGHT)
    assert first.rgb[..., 0].max() <= 4


def test_a_stated_rate_replaces_the_videos_own(video):
    assert open_source(str(video), rate_hz=10.0).rate_hz == 10.0
    assert _times_sec(str(video), rate_hz=10.0) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_a_source_can_be_played_again(video, folder):
    for path in (video, folder):
        source = open_source(str(path))
        assert [p.time_ns for p in source.pictures()] == [p.time_ns for p in source.pictures()]


def test_a_folder_gives_its_pictures_in_natural_order_and_nothing_else(folder):
    assert _levels(str(folder)) == [20, 40, 200]
    assert _times_sec(str(folder)) == pytest.approx([0, 1 / 30, 2 / 30])
    assert _times_sec(str(folder), rate_hz=5.0) == pytest.approx([0, 0.2, 0.4])


def test_numbers_in_names_count_as_numbers():
    names = ['a10.png', 'a9.png', 'A1.png', '2.png', '10.png', 'b.png', 'a9b2.png', 'a9b10.png']
    order = ['2.png', '10.png', 'A1.png', 'a9.png', 'a9b2.png', 'a9b10.png', 'a10.png', 'b.png']
    assert sorted(names, key=natural_key) == order


def test_a_picture_is_a_source_of_one(folder):
    assert _levels(str(folder / 'hand10.png')) == [200]


def test_a_jpeg_keeps_its_own_bytes(tmp_path):
    path = tmp_path / 'hand.jpg'
    cv2.imwrite(str(path), _picture(200))
    (picture,) = open_source(str(path)).pictures()
    assert picture.jpeg == path.read_bytes()
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)
    assert picture.rgb[..., 2].mean() == pytest.approx(200, abs=3)


def test_a_turned_photograph_is_turned_upright(tmp_path):
    jpeg = cv2.imencode('.jpg', _picture(200))[1].tobytes()
    # APP1 with one TIFF entry: orientation 6, turn by 90 degrees
    exif = b'Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0' + bytes(4)
    path = tmp_path / 'phone.jpg'
    segment = b'\xff\xe1' + (len(exif) + 2).to_bytes(2, 'big') + exif
    path.write_bytes(jpeg[:2] + segment + jpeg[2:])
    (picture,) = open_source(str(path)).pictures()
    assert (picture.width, picture.height) == (HEIGHT, WIDTH)
    assert picture.rgb.shape == (WIDTH, HEIGHT, 3)
    assert picture.jpeg is None


def _refused(source: object) -> str:
    with pytest.raises(AssetError) as raised:
        open_source(str(source))
    return str(raised.value)


def test_a_source_that_is_not_there_is_named(tmp_path, capfd):
    assert 'no source' in _refused('')
    assert str(tmp_path / 'absent.mp4') in _refused(tmp_path / 'absent.mp4')
    assert 'webcam 97' in _refused('97')
    capfd.readouterr()  # OpenCV complains there too


def test_a_folder_without_pictures_says_what_it_wanted(tmp_path):
    (tmp_path / 'notes.txt').write_text('no picture')
    assert '.png' in _refused(tmp_path)


def test_what_cannot_be_read_is_refused_before_the_first_picture_by_its_name(tmp_path, capfd):
    for name in ('broken.mp4', 'broken.png', 'broken.jpg', 'empty.avi'):
        path = tmp_path / name
        path.write_bytes(b'' if name.startswith('empty') else b'\xff\xd8\xff no picture' * 20)
        assert name in _refused(path)
    capfd.readouterr()


def test_an_unreadable_picture_among_good_ones_is_named(folder):
    (folder / 'hand3.jpg').write_bytes(cv2.imencode('.jpg', _picture(9))[1].tobytes()[:-50])
    pictures = open_source(str(folder)).pictures()
    assert next(pictures).time_ns == 0
    with pytest.raises(AssetError, match=r'hand3\.jpg'):
        list(pictures)
