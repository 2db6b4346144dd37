from array import array
import struct
import zlib

import cv2
from interwild_ros.errors import InputError
from interwild_ros.imaging import decode
from interwild_ros.imaging.decode import (
    decode_compressed,
    decode_image,
    picture_file,
    PictureFile,
)
from interwild_ros.imaging.encodings import ENCODINGS
import numpy as np
import pytest

WIDTH, HEIGHT = 12, 8
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (HEIGHT, WIDTH, 1), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (HEIGHT, WIDTH, 1), dtype=np.uint8)

# What a message of each encoding holds, in the order of its name, when it shows RGB (or GREY).
CHANNELS = {
    'rgb': RGB,
    'bgr': RGB[..., ::-1],
    'rgba': np.concatenate([RGB, ALPHA], axis=2),
    'bgra': np.concatenate([RGB[..., ::-1], ALPHA], axis=2),
    'mono': GREY,
}
GENERIC = {'8UC1': 'mono', '8UC3': 'bgr', '8UC4': 'bgra'}
GENERIC_16 = {'16UC1': 'mono', '16UC3': 'bgr', '16UC4': 'bgra'}
EIGHT_BITS = {f'{name}8': pixels for name, pixels in CHANNELS.items()} | {
    name: CHANNELS[like] for name, like in GENERIC.items()
}
SIXTEEN_BITS = {f'{name}16': pixels for name, pixels in CHANNELS.items()} | {
    name: CHANNELS[like] for name, like in GENERIC_16.items()
}


def _shown(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(GREY, 3, axis=2) if pixels.shape[2] == 1 else RGB


def _padded(rows: np.ndarray, padding: int) -> tuple[bytes, int]:
    """Rows (height, bytes) with junk after each, and their step."""
    junk = RNG.integers(0, 256, (len(rows), padding), dtype=np.uint8)
    return np.hstack([rows, junk]).tobytes(), rows.shape[1] + padding


def _bytes_of(pixels: np.ndarray, padding: int) -> tuple[bytes, int]:
    return _padded(np.ascontiguousarray(pixels).view(np.uint8).reshape(HEIGHT, -1), padding)


def _cause(*arguments) -> tuple[str, str]:
    with pytest.raises(InputError) as raised:
        decode_image(*arguments)
    return raised.value.cause, str(raised.value)


@pytest.mark.parametrize('padding', [0, 1, 7, 12])
@pytest.mark.parametrize('encoding', EIGHT_BITS)
def test_eight_bits_come_out_as_they_are(encoding, padding):
    data, step = _bytes_of(EIGHT_BITS[encoding], padding)
    for is_bigendian in (False, True):
        picture = decode_image(encoding, WIDTH, HEIGHT, step, is_bigendian, data)
        np.testing.assert_array_equal(picture, _shown(EIGHT_BITS[encoding]))


@pytest.mark.parametrize('padding', [0, 1, 6])
@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('encoding', SIXTEEN_BITS)
def test_sixteen_bits_of_either_byte_order_are_scaled_to_eight(encoding, order, padding):
    wide = SIXTEEN_BITS[encoding].astype(np.uint16) * 257
    data, step = _bytes_of(wide.astype(f'{order}u2'), padding)
    picture = decode_image(encoding, WIDTH, HEIGHT, step, order == '>', data)
    np.testing.assert_array_equal(picture, _shown(SIXTEEN_BITS[encoding]))


def test_sixteen_bits_are_rounded_to_the_nearest_of_eight():
    every = np.arange(65536, dtype='<u2').reshape(256, 256)
    picture = decode_image('mono16', 256, 256, 512, False, every.tobytes())
    want = np.round(every * (255 / 65535)).astype(np.uint8)
    np.testing.assert_array_equal(picture, np.repeat(want[..., None], 3, axis=2))


# BT.601 with headroom, as video has it: brightness 16 to 235, colours about 128.
def _yuv(rgb: np.ndarray) -> np.ndarray:
    matrix = np.array(
        [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]
    )
    return np.round(rgb / 255 @ matrix.T + [16, 128, 128]).astype(np.uint8)


def _pairs() -> tuple[np.ndarray, np.ndarray]:
    """A picture whose 2 x 2 blocks have one colour each, so that sharing colours loses none."""
    blocks = RNG.integers(0, 256, (HEIGHT // 2, WIDTH // 2, 3), dtype=np.uint8)
    rgb = blocks.repeat(2, axis=0).repeat(2, axis=1)
    return rgb, _yuv(rgb)


def _yuv_rows(encoding: str, yuv: np.ndarray) -> np.ndarray:
    y, u, v = np.moveaxis(yuv, 2, 0)
    left = slice(None, None, 2)
    if encoding in ('uyvy', 'yuv422'):
        packed = np.stack([u[:, left], y[:, left], v[:, left], y[:, 1::2]], axis=2)
        return packed.reshape(HEIGHT, -1)
    if encoding in ('yuyv', 'yuv422_yuy2'):
        packed = np.stack([y[:, left], u[:, left], y[:, 1::2], v[:, left]], axis=2)
        return packed.reshape(HEIGHT, -1)
    first, second = (v, u) if encoding == 'nv21' else (u, v)
    colours = np.stack([first[left, left], second[left, left]], axis=2)
    return np.concatenate([y, colours.reshape(HEIGHT // 2, WIDTH)])


@pytest.mark.parametrize('padding', [0, 1, 8])
@pytest.mark.parametrize('encoding', ['uyvy', 'yuv422', 'yuyv', 'yuv422_yuy2', 'nv12', 'nv21'])
def test_shared_colours_come_out_within_rounding(encoding, padding):
    rgb, yuv = _pairs()
    data, step = _padded(_yuv_rows(encoding, yuv), padding)
    picture = decode_image(encoding, WIDTH, HEIGHT, step, False, data)
    assert np.abs(picture.astype(int) - rgb).max() <= 3


@pytest.mark.parametrize('padding', [0, 3])
def test_nv24_has_a_colour_for_every_pixel(padding):
    rgb = cv2.GaussianBlur(RGB, (3, 3), 0)
    y, u, v = np.moveaxis(_yuv(rgb), 2, 0)
    brightness, step = _padded(y, padding)
    colours, _ = _padded(np.stack([u, v], axis=2).reshape(HEIGHT, -1), 2 * padding)
    picture = decode_image('nv24', WIDTH, HEIGHT, step, False, brightness + colours)
    assert np.abs(picture.astype(int) - rgb).max() <= 3


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
def test_a_bayer_mosaic_of_one_colour_is_that_colour(pattern, bits):
    colour = {'r': 200, 'g': 120, 'b': 40}
    a, b, c, d = (colour[letter] for letter in pattern)
    mosaic = np.tile(np.array([[a, b], [c, d]], np.uint16), (HEIGHT // 2, WIDTH // 2))
    data, step = _bytes_of(mosaic.astype(np.uint8) if bits == 8 else mosaic * 257, 4)
    picture = decode_image(f'bayer_{pattern}{bits}', WIDTH, HEIGHT, step, False, data)
    assert (picture == [200, 120, 40]).all()


@pytest.mark.parametrize(
    'kind',
    [bytes, bytearray, memoryview, lambda b: array('B', b), lambda b: np.frombuffer(b, np.uint8)],
)
def test_every_kind_of_buffer_will_do(kind):
    for encoding in ('rgb8', 'bgr8'):
        data = kind(EIGHT_BITS[encoding].tobytes())
        picture = decode_image(encoding, WIDTH, HEIGHT, 3 * WIDTH, False, data)
        np.testing.assert_array_equal(picture, RGB)


def test_plain_rgb_is_a_view_and_everything_is_contiguous_and_writable():
    data = array('B', RGB.tobytes())
    picture = decode_image('rgb8', WIDTH, HEIGHT, 3 * WIDTH, False, data)
    assert np.shares_memory(picture, np.frombuffer(data, np.uint8))
    for given in (data, bytes(data)):
        picture = decode_image('rgb8', WIDTH, HEIGHT, 3 * WIDTH, False, given)
        assert picture.flags.c_contiguous
        assert picture.flags.writeable


def test_an_unknown_encoding_is_refused_by_name():
    for encoding in ('rgb9', '', '32FC1', 'RGB8', 'yuv'):
        cause, message = _cause(encoding, WIDTH, HEIGHT, 4 * WIDTH, False, bytes(4096))
        assert cause == 'bad_encoding'
        assert repr(encoding) in message
        assert 'bgr8' in message


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_data_one_byte_short_is_refused_with_both_lengths(encoding):
    step = WIDTH * 8
    rows = {'nv12': HEIGHT * 3 // 2, 'nv21': HEIGHT * 3 // 2, 'nv24': HEIGHT * 3}
    wanted = step * rows.get(encoding, HEIGHT)
    decode_image(encoding, WIDTH, HEIGHT, step, False, bytes(wanted))
    cause, message = _cause(encoding, WIDTH, HEIGHT, step, False, bytes(wanted - 1))
    assert cause == 'short_data'
    assert str(wanted - 1) in message
    assert str(wanted) in message


def test_a_step_shorter_than_a_row_is_refused_with_both_lengths():
    cause, message = _cause('rgb8', WIDTH, HEIGHT, 3 * WIDTH - 1, False, bytes(4096))
    assert cause == 'bad_step'
    assert str(3 * WIDTH - 1) in message
    assert str(3 * WIDTH) in message
    assert _cause('rgb8', WIDTH, HEIGHT, 0, False, bytes(4096))[0] == 'bad_step'
    assert _cause('mono16', WIDTH, HEIGHT, WIDTH, False, bytes(4096))[0] == 'bad_step'


def test_a_picture_without_pixels_is_refused():
    for width, height in ((0, 8), (8, 0), (0, 0)):
        assert _cause('rgb8', width, height, 24, False, bytes(4096))[0] == 'zero_size'


def test_half_a_pair_of_pixels_is_refused():
    for encoding in ('yuv422', 'yuyv', 'nv12', 'nv21'):
        assert _cause(encoding, 11, 8, 24, False, bytes(4096))[0] == 'odd_size'
    assert _cause('nv12', 12, 7, 24, False, bytes(4096))[0] == 'odd_size'


def test_an_8k_picture_is_decoded_and_a_wider_one_than_anybody_has_is_refused():
    picture = decode_image('mono8', 7680, 4320, 7680, False, bytes(7680 * 4320))
    assert picture.shape == (4320, 7680, 3)
    cause, message = _cause('mono8', 20000, 1, 20000, False, bytes(20000))
    assert cause == 'too_large'
    assert '20000' in message
    assert '16384' in message


def test_whatever_the_numbers_say_nothing_but_an_input_error_is_raised():
    rng = np.random.default_rng(1)
    outcomes = set()
    for _ in range(3000):
        encoding = ENCODINGS[rng.integers(len(ENCODINGS))]
        width, height, step = (int(n) for n in rng.integers(0, (10, 10, 60)))
        data = rng.bytes(int(rng.integers(0, 600)))
        try:
            picture = decode_image(encoding, width, height, step, bool(rng.integers(2)), data)
            assert picture.shape == (height, width, 3)
            outcomes.add('decoded')
        except InputError as error:
            outcomes.add(error.cause)
    assert outcomes == {'decoded', 'zero_size', 'odd_size', 'bad_step', 'short_data'}


SMOOTH = cv2.GaussianBlur(RNG.integers(0, 256, (120, 160, 3), dtype=np.uint8), (0, 0), 4)


def _file(extension: str, rgb: np.ndarray, *options: int) -> bytes:
    bgr = rgb if rgb.ndim == 2 else rgb[..., ::-1]
    return cv2.imencode(extension, np.ascontiguousarray(bgr), options)[1].tobytes()


JPEG, PNG = _file('.jpg', SMOOTH), _file('.png', SMOOTH)
PROGRESSIVE = _file('.jpg', SMOOTH, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
RESTARTS = _file('.jpg', SMOOTH, cv2.IMWRITE_JPEG_RST_INTERVAL, 4)


def _compressed_cause(format: str, data: bytes) -> tuple[str, str]:
    with pytest.raises(InputError) as raised:
        decode_compressed(format, data)
    return raised.value.cause, str(raised.value)


@pytest.mark.parametrize('format', ['jpeg', 'bgr8; jpeg compressed rgb8'])
def test_an_opencv_that_only_reads_bgr_gives_the_same(format, monkeypatch):
    want = decode_compressed(format, JPEG)
    monkeypatch.setattr(decode, '_OF_RGB', None)
    assert np.array_equal(decode_compressed(format, JPEG), want)


@pytest.mark.parametrize('format', ['jpeg', 'jpg', 'rgb8; jpeg compressed bgr8', 'png', ''])
@pytest.mark.parametrize('data', [JPEG, PROGRESSIVE, RESTARTS])
def test_a_jpeg_is_a_jpeg_whatever_its_format_is_called(format, data):
    picture = decode_compressed(format, data)
    assert np.abs(picture.astype(int) - SMOOTH).max() <= 8
    assert picture.flags.c_contiguous


@pytest.mark.parametrize(
    'format', ['png', 'rgb8; png compressed bgr8', 'bgr8; png compressed bgr8']
)
def test_a_png_comes_out_exactly(format):
    np.testing.assert_array_equal(decode_compressed(format, PNG), SMOOTH)
    np.testing.assert_array_equal(decode_compressed(format, array('B', PNG)), SMOOTH)


@pytest.mark.parametrize(
    ('data', 'media_type'), [(JPEG, 'image/jpeg'), (PROGRESSIVE, 'image/jpeg'), (PNG, 'image/png')]
)
def test_a_file_that_any_viewer_shows_rightly_says_its_type_and_size(data, media_type):
    for format in ('', 'jpeg', 'rgb8; jpeg compressed bgr8', 'bgr8; png compressed bgr8'):
        assert picture_file(format, array('B', data)) == PictureFile(media_type, 160, 120)


@pytest.mark.parametrize(
    ('format', 'data'),
    [
        ('rgb8; jpeg compressed rgb8', JPEG),  # red and blue are exchanged in the file
        ('bayer_rggb8; png compressed ', _file('.png', SMOOTH[..., 0])),
        ('16UC1; png compressed ', _file('.png', SMOOTH[..., 0].astype(np.uint16) * 257)),
    ],
)
def test_a_file_whose_own_colours_are_not_the_pictures_is_not_to_be_shown(format, data):
    assert picture_file(format, data) is None


def test_a_file_that_cannot_be_decoded_is_no_picture_file():
    for format, data, cause in (
        ('jpeg', JPEG[:-50], 'corrupt_image'),
        ('16UC1; compressedDepth', PNG, 'bad_encoding'),
    ):
        with pytest.raises(InputError) as raised:
            picture_file(format, data)
        assert raised.value.cause == cause


def test_grey_files_come_out_grey():
    grey = SMOOTH[..., 1]
    want = np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(decode_compressed('png', _file('.png', grey)), want)
    jpeg = decode_compressed('mono8; jpeg compressed mono8', _file('.jpg', grey))
    assert np.abs(jpeg.astype(int) - want).max() <= 8


def test_a_png_of_sixteen_bits_is_scaled_and_alpha_is_dropped():
    wide = _file('.png', SMOOTH.astype(np.uint16) * 257)
    np.testing.assert_array_equal(decode_compressed('rgb16; png compressed bgr16', wide), SMOOTH)
    bgra = np.dstack([SMOOTH[..., ::-1], SMOOTH[..., 0]])
    data = cv2.imencode('.png', bgra)[1].tobytes()
    np.testing.assert_array_equal(decode_compressed('bgra8; png compressed bgra8', data), SMOOTH)


def test_an_rgb_array_that_was_compressed_as_it_was_keeps_its_order():
    data = cv2.imencode('.png', SMOOTH)[1].tobytes()  # OpenCV takes it for BGR
    for format in ('rgb8; png compressed ', 'rgb8; png compressed rgb8'):
        np.testing.assert_array_equal(decode_compressed(format, data), SMOOTH)


def test_a_mosaic_kept_in_a_png_is_decoded_like_one_in_an_image():
    mosaic = RNG.integers(0, 256, (120, 160), dtype=np.uint8)
    data = _file('.png', mosaic)
    want = decode_image('bayer_grbg8', 160, 120, 160, False, mosaic.tobytes())
    np.testing.assert_array_equal(decode_compressed('bayer_grbg8; png compressed ', data), want)


def test_exif_orientation_does_not_turn_the_picture():
    # APP1 with one TIFF entry: orientation (0x0112), short, 6 (turn by 90 degrees)
    entry = struct.pack('<HHIHH', 0x0112, 3, 1, 6, 0)
    tiff = b'II*\0\x08\0\0\0' + struct.pack('<H', 1) + entry + bytes(4)
    segment = b'Exif\0\0' + tiff
    turned = JPEG[:2] + b'\xff\xe1' + struct.pack('>H', len(segment) + 2) + segment + JPEG[2:]
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape == (160, 120, 3)
    np.testing.assert_array_equal(
        decode_compressed('jpeg', turned), decode_compressed('jpeg', JPEG)
    )


@pytest.mark.parametrize('data', [JPEG, PROGRESSIVE, RESTARTS, PNG])
def test_a_file_cut_anywhere_is_refused(data):
    for length in [*range(0, len(data) - 2, 37), len(data) - 2]:
        assert _compressed_cause('jpeg', data[:length])[0] == 'corrupt_image'


def test_a_thumbnails_end_is_not_the_pictures_end():
    thumbnail = b'Exif\0\0' + _file('.jpg', SMOOTH[:20, :20])
    inside = b'\xff\xe1' + struct.pack('>H', len(thumbnail) + 2) + thumbnail
    whole = JPEG[:2] + inside + JPEG[2:]
    decode_compressed('jpeg', whole)
    assert _compressed_cause('jpeg', whole[:-400])[0] == 'corrupt_image'


def test_bytes_after_the_end_do_no_harm():
    for data in (JPEG, PNG):
        padded = decode_compressed('', data + bytes(100))
        np.testing.assert_array_equal(padded, decode_compressed('', data))


def test_one_wrong_bit_in_a_png_is_found():
    rng = np.random.default_rng(2)
    for place in rng.integers(8, len(PNG) - 8, 50):
        broken = bytearray(PNG)
        broken[place] ^= 1 << rng.integers(8)
        assert _compressed_cause('png', bytes(broken))[0] == 'corrupt_image'


def test_a_jpeg_with_its_middle_overwritten_is_refused():
    for filling in (b'\xff', b'\xff\x01', b'\xff\xd8'):
        hole = filling * (1000 // len(filling)) + b'\x01\xff\x02'
        broken = JPEG[:1500] + hole + JPEG[1500 + len(hole) :]
        assert len(broken) == len(JPEG)
        assert _compressed_cause('jpeg', broken)[0] == 'corrupt_image'


def test_what_is_no_picture_is_refused_by_its_format():
    assert _compressed_cause('jpeg', b'')[0] == 'corrupt_image'
    assert _compressed_cause('jpeg', b'hello, world')[0] == 'corrupt_image'
    cause, message = _compressed_cause('h264', b'\0\0\0\x01')
    assert cause == 'bad_encoding'
    assert 'h264' in message
    depth = '16UC1; compressedDepth png'
    assert _compressed_cause(depth, PNG)[0] == 'bad_encoding'


def test_a_file_that_claims_to_be_huge_is_refused_before_it_is_decoded():
    header = b'IHDR' + struct.pack('>IIBBBBB', 100000, 100000, 8, 2, 0, 0, 0)
    chunk = struct.pack('>I', 13) + header + struct.pack('>I', zlib.crc32(header))
    assert _compressed_cause('png', PNG[:8] + chunk + PNG[33:])[0] == 'too_large'


def test_whatever_the_bytes_are_nothing_but_an_input_error_is_raised(capfd):
    rng = np.random.default_rng(3)
    causes = set()
    for _ in range(300):
        data = bytearray((JPEG, PNG, PROGRESSIVE)[rng.integers(3)])
        first = int(rng.integers(0, 700))
        data[first : first + int(rng.integers(1, 60))] = rng.bytes(int(rng.integers(0, 60)))
        try:
            assert decode_compressed('jpeg', bytes(data)).dtype == np.uint8
            causes.add('decoded')
        except InputError as error:
            causes.add(error.cause)
    assert {'decoded', 'corrupt_image'} <= causes
    assert causes <= {'decoded', 'corrupt_image', 'zero_size', 'too_large'}
    capfd.readouterr()  # libjpeg and libpng complain there, as they should
