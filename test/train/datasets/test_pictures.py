from dataclasses import replace
import struct

import cv2
from interwild_ros.errors import AssetError
from interwild_ros.testing.tiny_datasets import write_interhand26m
from interwild_ros.train.datasets.interhand26m import read_interhand26m
from interwild_ros.train.datasets.pictures import check_pictures, load_picture
import numpy as np
import pytest


@pytest.fixture
def written(tmp_path):
    return write_interhand26m(tmp_path / 'data')


@pytest.fixture
def annotations(written, tmp_path):
    return read_interhand26m(tmp_path / 'data')


def test_a_picture_is_rgb_of_the_annotated_size(annotations):
    annotation = annotations[0]
    red = np.zeros((96, 128, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes blue first
    cv2.imwrite(str(annotation.image), red)
    picture = load_picture(annotation)
    assert picture.shape == (96, 128, 3)
    assert picture.dtype == np.uint8
    assert picture[..., 0].min() > 240
    assert picture[..., 2].max() < 15


def test_exif_orientation_does_not_turn_a_picture(annotations):
    annotation = annotations[0]
    plain = load_picture(annotation)
    # APP1 with one TIFF entry: orientation (0x0112), short, 6 (turn by 90 degrees)
    entry = struct.pack('<HHIHH', 0x0112, 3, 1, 6, 0)
    segment = b'Exif\0\0II*\0\x08\0\0\0' + struct.pack('<H', 1) + entry + bytes(4)
    jpeg = annotation.image.read_bytes()
    head = b'\xff\xe1' + struct.pack('>H', len(segment) + 2)
    annotation.image.write_bytes(jpeg[:2] + head + segment + jpeg[2:])
    np.testing.assert_array_equal(load_picture(annotation), plain)


def test_a_picture_of_another_size_is_refused(annotations):
    larger = replace(annotations[0], image_size=(256, 96))
    with pytest.raises(AssetError, match=r'128 x 96 px, .* annotation 1000 says 256 x 96 px'):
        load_picture(larger)


def test_an_annotation_without_a_file_is_refused(annotations):
    with pytest.raises(AssetError, match='has no picture file'):
        load_picture(replace(annotations[0], image=None))


@pytest.mark.parametrize('content', [b'', b'\xff\xd8\xff\xe0junk', b'no picture at all'])
def test_a_damaged_picture_is_named(annotations, content):
    annotations[0].image.write_bytes(content)
    with pytest.raises(AssetError, match=f'{annotations[0].image.name}: '):
        load_picture(annotations[0])


@pytest.mark.parametrize('thorough', [True, False])
def test_whole_pictures_pass_the_check(annotations, thorough):
    check_pictures(annotations, thorough=thorough)


def test_missing_empty_and_half_pictures_are_named_by_kind(annotations, written):
    missing, empty, half, preallocated, _, _ = (w.path for w in written)
    missing.unlink()
    empty.write_bytes(b'')
    content = half.read_bytes()
    half.write_bytes(content[: len(content) // 2])
    preallocated.write_bytes(content[: len(content) // 2] + bytes(len(content) // 2))
    with pytest.raises(AssetError) as caught:
        check_pictures(annotations)
    message = str(caught.value)
    assert 'InterHand2.6M train: of 6 pictures looked at' in message
    assert f'1 missing: {missing}' in message
    assert f'1 empty: {empty}' in message
    assert f'2 damaged or cut short: {half}, {preallocated}' in message


def test_a_picture_with_something_after_its_end_is_whole(annotations, written):
    with written[0].path.open('ab') as file:
        file.write(b'trailer')
    check_pictures(annotations)


class ManyViews:
    """The same few pictures over and over, the last of them missing."""

    name = 'many'
    has_3d = True

    def __init__(self, annotations, count):
        self.annotations = annotations
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return self.annotations[index % 6]

    def picture_path(self, index):
        if index == self.count // 3 + 1:
            return self.annotations.picture_path(0).with_name('gone.jpg')
        return self.annotations.picture_path(index % 6)


def test_a_sample_is_looked_at_and_all_when_asked(annotations):
    views = ManyViews(annotations, 2_500)
    check_pictures(views)
    with pytest.raises(AssetError, match=r'of 2500 pictures looked at, 1 missing: .*gone\.jpg'):
        check_pictures(views, thorough=True)
