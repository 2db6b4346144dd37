import ast
from pathlib import Path
import subprocess
import sys

from analyses import analyse
from camera_bags import (
    add_frames,
    camera_bag,
    compressed,
    FRAME_ID,
    header,
    HEIGHT,
    IMAGE,
    INFO,
    info,
    picture,
    pixels,
    stamps,
    STORE,
    WIDTH,
    write_camera_bag,
)
import cv2
from interwild_ros.bag.export_input import open_export_input, Wish
from interwild_ros.bag.sturdy import open_sturdy
from interwild_ros.errors import AssetError
from interwild_ros.records import Side
from interwild_ros.testing.some_hands import some_topology
import numpy as np
import pytest
import recorded

pytest.importorskip('rerun')

from interwild_ros.bag.rerun_file import write_rerun_file
from rerun_rows import rerun_program, RerunFile, verify

PACKAGE = Path(__file__).resolve().parents[2] / 'interwild_ros'
MESH, VERTICES = 'hands/{}/mesh', 'Mesh3D:vertex_positions'
OF_HAND = {
    'hands/{}/mesh': VERTICES,
    'hands/{}/joints': 'Points3D:positions',
    'hands/{}/bones': 'LineStrips3D:strips',
    'hands/{}/wrist': 'Transform3D:translation',
    'camera/{}/joints': 'Points2D:positions',
    'camera/{}/bones': 'LineStrips2D:strips',
    'camera/{}/box': 'Boxes2D:half_sizes',
}
BLOB, IMAGE_BUFFER = 'EncodedImage:blob', 'Image:buffer'


def export(bag, path, *, quality=85, **wish):
    with open_export_input(Wish(bag=bag, **wish)) as source:
        written = write_rerun_file(source, path, quality=quality)
    verify(path)
    return written, RerunFile(path)


@pytest.fixture
def shown(small_bag, tmp_path):
    return export(small_bag, tmp_path / 'small.rrd')[1]


def test_every_picture_is_on_the_timeline_with_its_stamp(shown):
    rows = shown.rows('camera/image', BLOB)
    assert [row.stamp_ns for row in rows] == recorded.STAMPS_NS
    assert [row.frame for row in rows] == [0, 1, 2, 3, 4]
    assert shown.timelines == {'stamp', 'frame'}


def test_a_compressed_picture_passes_byte_for_byte(shown):
    for index, row in enumerate(shown.rows('camera/image', BLOB)):
        want = bytes(recorded.picture_message(index).data)
        assert bytes(row.value.ravel().astype(np.uint8)) == want
    (kind, *_) = shown.rows('camera/image', 'EncodedImage:media_type')
    assert kind.value == ['image/png']


def test_hands_are_those_of_the_message_at_its_stamp(shown):
    for side in Side:
        want = {
            recorded.STAMPS_NS[index]: hand
            for index in recorded.TRACKED
            for hand in recorded.hands_of(index).hands
            if hand.side is side
        }
        for entity, component, values in (
            ('hands/{}/mesh', VERTICES, lambda hand: hand.vertices_m),
            ('hands/{}/joints', 'Points3D:positions', lambda hand: hand.joints_m),
            ('hands/{}/wrist', 'Transform3D:translation', lambda hand: hand.wrist_m[None]),
            (
                'hands/{}/wrist',
                'Transform3D:quaternion',
                lambda hand: hand.wrist_quaternion_xyzw[None],
            ),
            ('camera/{}/joints', 'Points2D:positions', lambda hand: hand.joints_image_px),
            ('plots/score/{}', 'Scalars:scalars', lambda hand: np.array([hand.box.score])),
            (
                'plots/wrist_depth_m/{}',
                'Scalars:scalars',
                lambda hand: np.float32(hand.wrist_m[2:]),
            ),
        ):
            rows = shown.rows(entity.format(side.label), component)
            rows = [row for row in rows if row.stamp_ns in want]
            assert [row.stamp_ns for row in rows] == sorted(want)
            for row in rows:
                found = np.float32(row.value)
                np.testing.assert_array_equal(found, np.float32(values(want[row.stamp_ns])))


def test_bones_end_in_the_joints_and_boxes_stand_where_they_did(shown):
    stamp_ns, (hand, _) = recorded.STAMPS_NS[2], recorded.hands_of(2).hands
    bones = shown.at('hands/right/bones', 'LineStrips3D:strips', stamp_ns)
    parents = some_topology().joint_parents
    want = [(hand.joints_m[parents[joint]], hand.joints_m[joint]) for joint in range(1, 21)]
    np.testing.assert_array_equal(np.stack([np.stack(b) for b in bones]), np.float32(want))
    half = shown.at('camera/right/box', 'Boxes2D:half_sizes', stamp_ns)[0]
    middle = shown.at('camera/right/box', 'Boxes2D:centers', stamp_ns)[0]
    np.testing.assert_allclose([*(middle - half), *(middle + half)], hand.box.corners)
    assert shown.at('camera/right/box', 'Boxes2D:labels', stamp_ns)[0] == 'right 0.75'


def test_triangles_and_joint_names_are_written_once(shown):
    topology = some_topology()
    for side, triangles in (
        ('right', topology.right_triangles),
        ('left', topology.left_triangles),
    ):
        found = shown.static(f'hands/{side}/mesh', 'Mesh3D:triangle_indices')
        np.testing.assert_array_equal(found, triangles)
        names = shown.static(f'hands/{side}/joints', 'Points3D:labels')
        assert tuple(names) == topology.joint_names


def test_normals_are_of_length_one(shown):
    normals = shown.rows('hands/right/mesh', 'Mesh3D:vertex_normals')[0].value
    assert normals.shape == (778, 3)
    used = np.unique(some_topology().right_triangles)
    np.testing.assert_allclose(np.linalg.norm(normals[used], axis=1), 1, atol=1e-5)


@pytest.mark.parametrize('side', ['right', 'left'])
def test_a_lost_hand_is_cleared_at_its_frame_and_not_before(shown, side):
    there, lost = recorded.STAMPS_NS[2], recorded.STAMPS_NS[4]
    for entity, component in OF_HAND.items():
        assert shown.at(entity.format(side), component, there) is not None, entity
        assert shown.at(entity.format(side), component, lost - 1) is not None, entity
        assert shown.at(entity.format(side), component, lost) is None, entity


def test_plots_have_a_hole_while_a_hand_is_away_and_go_on_with_its_score(shown):
    (hole,) = shown.rows('plots/wrist_depth_m/left', 'Clear:is_recursive')
    assert hole.stamp_ns == recorded.STAMPS_NS[4]
    scores = shown.rows('plots/score/left', 'Scalars:scalars')
    assert [float(row.value[0]) for row in scores] == [0.125, 0.75, 0.125]


def test_the_log_says_when_and_why_a_hand_was_lost(shown):
    rows = shown.rows('log', 'TextLog:text')
    said = [(row.frame, str(row.value[0])) for row in rows]
    assert sorted(said) == [
        (0, 'left hand is not there: low_score'),
        (0, 'right hand is there'),
        (2, 'left hand is there'),
        (4, 'left hand is lost: low_score'),
        (4, 'right hand is lost: low_score'),
    ]


def test_the_pinhole_is_that_of_camera_info(shown):
    (row,) = shown.rows('camera', 'Pinhole:image_from_camera')
    said = recorded.camera_message(0)
    assert row.stamp_ns == recorded.STAMPS_NS[0]
    np.testing.assert_array_equal(row.value.reshape(3, 3).T, np.reshape(said.k, (3, 3)))
    size = shown.rows('camera', 'Pinhole:resolution')[0].value.ravel()
    assert size.tolist() == [said.width, said.height]


def test_distortion_is_said_to_be_left_out(small_bag, tmp_path):
    written, _ = export(small_bag, tmp_path / 'small.rrd')
    assert any('distortion of the lens (plumb_bob)' in text for text in written.warnings)


def test_a_camera_that_changes_is_written_anew(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        for index, stamp_ns in enumerate(stamps(4)):
            bag.add(INFO, info(stamp_ns, focal_px=150.0 if index < 2 else 300.0), stamp_ns)
            bag.add(IMAGE, compressed(stamp_ns, index), stamp_ns)
    _, shown = export(tmp_path / 'bag', tmp_path / 'out.rrd')
    rows = shown.rows('camera', 'Pinhole:image_from_camera')
    assert [(row.frame, row.value.ravel()[0]) for row in rows] == [(0, 150.0), (2, 300.0)]


def test_raw_pictures_become_jpeg_or_stay_exactly_what_they_were(tmp_path):
    smooth = [cv2.GaussianBlur(pixels(index), (0, 0), 4) for index in range(2)]
    with camera_bag(tmp_path / 'bag') as bag:
        for stamp_ns, rgb in zip(stamps(2), smooth, strict=True):
            message = picture(stamp_ns, 0)
            message.data = rgb.ravel()
            bag.add(IMAGE, message, stamp_ns)
    sizes = {}
    for quality in (50, 95):
        _, shown = export(tmp_path / 'bag', tmp_path / 'small.rrd', quality=quality)
        blobs = [row.value.ravel().astype(np.uint8) for row in shown.rows('camera/image', BLOB)]
        sizes[quality] = sum(map(len, blobs))
        for blob, rgb in zip(blobs, smooth, strict=True):
            jpeg = cv2.imdecode(blob, cv2.IMREAD_COLOR)[..., ::-1]
            assert np.abs(jpeg.astype(float) - rgb).mean() < 3
    assert sizes[50] < sizes[95] < sum(rgb.size for rgb in smooth) / 4
    _, exact = export(tmp_path / 'bag', tmp_path / 'exact.rrd', quality=None)
    for row, rgb in zip(exact.rows('camera/image', IMAGE_BUFFER), smooth, strict=True):
        found = row.value.astype(np.uint8).reshape(HEIGHT, WIDTH, 3)
        np.testing.assert_array_equal(found, rgb)


def test_a_picture_whose_channels_are_swapped_in_the_file_is_shown_in_its_colours(tmp_path):
    red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    red[..., 0] = 255
    message = compressed(stamps(1)[0], 0)
    message.format = 'rgb8; jpeg compressed rgb8'  # RGB, written as if it were BGR
    message.data = cv2.imencode('.jpg', red)[1].ravel()
    with camera_bag(tmp_path / 'bag') as bag:
        bag.add(IMAGE, message, 1)
    _, shown = export(tmp_path / 'bag', tmp_path / 'out.rrd')
    blob = shown.rows('camera/image', BLOB)[0].value.ravel().astype(np.uint8)
    bgr = cv2.imdecode(blob, cv2.IMREAD_COLOR)
    assert bgr[0, 0].tolist() == pytest.approx([0, 0, 255], abs=3)


@pytest.fixture(scope='module')
def analysed(tmp_path_factory):
    """A bag, and what `interwild analyze` makes of it with a frame of every joint."""
    folder = tmp_path_factory.mktemp('analysed')
    bag = write_camera_bag(folder / 'session', 4)
    (outcome,) = analyse(bag, out=folder / 'out', settings={'joint_frames': True})
    return bag, outcome.folder


def test_hands_and_pictures_of_two_bags_lie_on_each_other(analysed, tmp_path):
    bag, folder = analysed
    written, shown = export(folder, tmp_path / 'out.rrd', images=bag)
    assert (written.pictures, written.hands, written.frames) == (4, 4, 4)
    rows = shown.rows('camera/image', BLOB)
    assert [row.stamp_ns for row in rows] == stamps(4)
    scores = shown.rows('plots/score/right', 'Scalars:scalars')
    assert [row.stamp_ns for row in scores] == stamps(4)
    assert [row.frame for row in scores] == [0, 1, 2, 3]
    assert not [text for text in written.warnings if 'picture' in text]


def test_without_pictures_the_camera_is_that_of_the_hands(analysed, tmp_path):
    _, folder = analysed
    written, shown = export(folder / 'hands.mcap', tmp_path / 'out.rrd')
    assert written.pictures == 0
    assert any('--images' in text for text in written.warnings)
    (row,) = shown.rows('camera', 'Pinhole:image_from_camera')
    assert (row.stamp_ns, row.value.ravel()[0]) == (stamps(1)[0], 150.0)


def test_frames_of_a_hand_stand_below_it_under_their_own_names(analysed, tmp_path):
    _, shown = export(analysed[1], tmp_path / 'out.rrd')
    tf = 'hands/right/tf/right_hand'
    assert shown.rows(tf, 'Transform3D:parent_frame')[0].value[0] == FRAME_ID
    moved, wrist = (
        shown.rows(entity, 'Transform3D:translation') for entity in (tf, 'hands/right/wrist')
    )
    assert [row.stamp_ns for row in moved] == [row.stamp_ns for row in wrist]
    np.testing.assert_array_equal([r.value for r in moved], [r.value for r in wrist])
    tip = f'{tf}_index4'
    assert shown.rows(tip, 'Transform3D:parent_frame')[0].value[0] == 'right_hand'
    assert shown.rows(tip, 'Transform3D:child_frame')[0].value[0] == 'right_hand_index4'


def test_a_mirrored_picture_is_turned_back_as_the_analysis_did(tmp_path):
    bag = write_camera_bag(tmp_path / 'session', 1)
    (outcome,) = analyse(bag, out=tmp_path / 'out', settings={'mirrored_image': True})
    _, shown = export(outcome.folder, tmp_path / 'out.rrd', images=bag, quality=None)
    found = shown.rows('camera/image', IMAGE_BUFFER)[0].value.astype(np.uint8)
    np.testing.assert_array_equal(found.reshape(HEIGHT, WIDTH, 3), pixels(0)[:, ::-1])


def test_a_folder_of_several_results_names_them(analysed):
    with (
        pytest.raises(AssetError, match=r'holds 1 results, name one: .*cam\.image'),
        open_export_input(Wish(bag=analysed[1].parent)),
    ):
        pass


def transform(stamp_ns, parent, child, x_m):
    types = STORE.types
    vector = types['geometry_msgs/msg/Vector3'](x=x_m, y=0.0, z=0.5)
    turned = types['geometry_msgs/msg/Quaternion'](x=0.0, y=0.0, z=0.0, w=1.0)
    moved = types['geometry_msgs/msg/Transform'](translation=vector, rotation=turned)
    head = header(stamp_ns)
    head.frame_id = parent
    return types['geometry_msgs/msg/TransformStamped'](
        header=head, child_frame_id=child, transform=moved
    )


def tf_message(*transforms):
    return STORE.types['tf2_msgs/msg/TFMessage'](transforms=list(transforms))


def test_transforms_of_a_robot_keep_their_names_and_stamps(tmp_path):
    first, second = stamps(2)
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, stamps(2))
        bag.add('/tf_static', tf_message(transform(0, 'head', FRAME_ID, 0.25)), first)
        bag.add('/tf', tf_message(transform(first, 'world', 'head', 1.0)), first)
        bag.add('/tf', tf_message(transform(second - 1, 'world', 'head', 2.0)), second)
        # a robot's own hand is not the person's
        bag.add('/tf', tf_message(transform(first, 'arm', 'left_hand', 3.0)), second)
    written, shown = export(tmp_path / 'bag', tmp_path / 'out.rrd')
    assert written.transforms == 4
    assert shown.static(f'tf/{FRAME_ID}', 'Transform3D:translation').tolist() == [[0.25, 0, 0.5]]
    rows = shown.rows('tf/head', 'Transform3D:translation')
    assert [(r.stamp_ns, r.frame, r.value[0][0]) for r in rows] == [
        (first, 0, 1.0),
        (second - 1, 0, 2.0),
    ]
    assert shown.rows('tf/left_hand', 'Transform3D:parent_frame')[0].value[0] == 'arm'
    root = shown.static('', 'Transform3D:parent_frame')
    assert root[0] == FRAME_ID


def test_without_hands_it_says_who_makes_them(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 2)
    written, shown = export(bag, tmp_path / 'out.rrd')
    assert any('no hands' in t and '`interwild analyze`' in t for t in written.warnings)
    assert written.pictures == 2
    assert not {entity for entity in shown.entities if entity.startswith(('hands', 'plots'))}


def test_without_camera_info_there_is_no_pinhole(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        add_frames(bag, stamps(1), info_topic='')
    written, shown = export(tmp_path / 'bag', tmp_path / 'out.rrd')
    assert any('no CameraInfo' in text for text in written.warnings)
    assert 'camera' not in shown.entities


def test_a_bag_with_nothing_to_show_is_refused(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        bag.add(INFO, info(1), 1)
    with pytest.raises(AssetError, match='neither hands nor pictures'):
        export(tmp_path / 'bag', tmp_path / 'out.rrd')


def test_several_cameras_are_asked_about_by_their_names(tmp_path):
    with camera_bag(tmp_path / 'bag') as bag:
        for name in ('left', 'right'):
            add_frames(bag, stamps(2), image=f'/{name}/image', info_topic=f'/{name}/camera_info')
    with pytest.raises(AssetError, match=r'2 cameras \(/left/image, /right/image\).*--camera'):
        export(tmp_path / 'bag', tmp_path / 'out.rrd')
    written, _ = export(tmp_path / 'bag', tmp_path / 'out.rrd', camera='/right/image')
    assert written.pictures == 2


def test_several_topics_with_hands_are_asked_about_by_their_names(small_bag, tmp_path):
    raw = recorded.RAW
    _, shown = export(small_bag, tmp_path / 'raw.rrd', hands=raw)
    (want, _) = recorded.raw_hands_of(2).hands
    found = shown.at('hands/right/mesh', VERTICES, recorded.STAMPS_NS[2])
    np.testing.assert_array_equal(np.float32(found), np.float32(want.vertices_m))
    two = tmp_path / 'two'
    copy_with(small_bag, two, {recorded.RAW: '/other/two_hands'})
    with pytest.raises(AssetError, match=r'2 topics with hands \(/hands_node.*/other.*--topic'):
        export(two, tmp_path / 'out.rrd')
    with pytest.raises(AssetError, match='no hands on /nowhere; it has /hands_node'):
        export(two, tmp_path / 'out.rrd', hands='/nowhere')


def copy_with(bag, folder, renamed):
    """Copy a bag with topics under other names."""
    with open_sturdy(bag) as old, camera_bag(folder) as new:
        STORE.register({k: v for k, v in old._store.fielddefs.items() if k not in STORE.fielddefs})
        for message in old.messages(old.topics):
            kind, topic = old.topics[message.topic].kind, message.topic
            new.add_bytes(renamed.get(topic, topic), kind, message.data, message.received_ns)


def test_hands_that_come_out_of_order_are_cleared_in_the_order_of_their_stamps(
    small_bag, tmp_path
):
    mixed = tmp_path / 'mixed'
    with open_sturdy(small_bag) as old, camera_bag(mixed) as new:
        STORE.register({k: v for k, v in old._store.fielddefs.items() if k not in STORE.fielddefs})
        for message in reversed(list(old.messages([recorded.HANDS, recorded.TOPOLOGY]))):
            kind = old.topics[message.topic].kind
            new.add_bytes(message.topic, kind, message.data, 7)
    _, shown = export(mixed, tmp_path / 'out.rrd')
    for entity, component in OF_HAND.items():
        assert shown.at(entity.format('left'), component, recorded.STAMPS_NS[2]) is not None
        assert shown.at(entity.format('left'), component, recorded.STAMPS_NS[4]) is None


def test_of_a_bag_that_is_cut_off_the_rest_is_written(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 6)
    (file,) = bag.glob('*.mcap')
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 2 // 3])
    written, shown = export(bag, tmp_path / 'out.rrd')
    assert any(text.startswith('damaged: ') for text in written.warnings)
    rows = shown.rows('camera/image', BLOB)
    assert 0 < written.pictures == len(rows) < 6
    assert [row.stamp_ns for row in rows] == stamps(6)[: len(rows)]


def test_a_picture_that_is_no_picture_is_counted_and_left_out(tmp_path):
    first, second = stamps(2)
    torn = compressed(first, 0)
    torn.data = torn.data[:200]
    with camera_bag(tmp_path / 'bag') as bag:
        bag.add(IMAGE, torn, first)
        bag.add(IMAGE, compressed(second, 1), second)
    written, shown = export(tmp_path / 'bag', tmp_path / 'out.rrd')
    assert written.skipped == {'corrupt_image': 1}
    assert [row.stamp_ns for row in shown.rows('camera/image', BLOB)] == [second]


def test_the_same_bag_gives_the_same_data(small_bag, tmp_path):
    paths = [tmp_path / 'a.rrd', tmp_path / 'b.rrd']
    first, second = (export(small_bag, path)[1].recording for path in paths)
    assert first == second
    done = rerun_program('rrd', 'compare', '--unordered', *paths)
    assert done.returncode == 0, done.stderr[-2000:]


def test_it_opens_with_views_of_space_picture_and_plots(shown):
    (blueprint,) = shown.blueprints
    assert blueprint.application_id == shown.recording.application_id == 'interwild'


@pytest.mark.parametrize('name', ['hands.mcap', 'folder.rrd'])
def test_nothing_but_a_file_for_rerun_is_written(name, small_bag, tmp_path):
    (tmp_path / 'folder.rrd').mkdir()
    with pytest.raises(AssetError, match=r'wanted a file whose name ends in \.rrd'):
        export(small_bag, tmp_path / name)


FULL_DISK = """
from pathlib import Path
import resource, signal, sys
from interwild_ros.bag.export_input import open_export_input, Wish
from interwild_ros.bag.rerun_file import write_rerun_file
from interwild_ros.errors import AssetError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
for limit in map(int, sys.argv[3:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    try:
        with open_export_input(Wish(bag=Path(sys.argv[1]))) as source:
            write_rerun_file(source, Path(sys.argv[2]), quality=None)
    except AssetError as error:
        print(error)
"""


def test_a_disk_that_is_full_is_an_error_and_leaves_what_was_there(tmp_path):
    bag = write_camera_bag(tmp_path / 'bag', 40)
    export(bag, tmp_path / 'whole.rrd', quality=None)
    size = (tmp_path / 'whole.rrd').stat().st_size
    path = tmp_path / 'full/out.rrd'
    path.parent.mkdir()
    path.write_text('before')
    limits = (1000, size // 2, size - 100)  # at the beginning, in the middle, in the last bytes
    done = subprocess.run(
        [sys.executable, '-c', FULL_DISK, bag, path, *map(str, limits)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == len(limits)
    assert all(line.startswith('cannot write out.rrd: [Errno 27]') for line in said)
    assert path.read_text() == 'before'
    assert list(path.parent.iterdir()) == [path]


def test_only_modules_called_rerun_import_rerun():
    importing = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob('*.py')
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        if 'rerun' in {getattr(node, 'module', ''), *(alias.name for alias in node.names)}
    }
    assert importing
    assert all(name.startswith('bag/rerun_') for name in importing)
