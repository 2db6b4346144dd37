import json

from drawn_series import columns_of, draw_joints, drop_frames, write_output
import numpy as np
import pytest


@pytest.fixture(scope='module')
def outputs(tmp_path_factory):
    """A result, the same 10 mm to the right, and the same without its first ten frames."""
    folder = tmp_path_factory.mktemp('outputs')
    joints = draw_joints(40)
    columns = columns_of(joints)
    write_output(folder / 'here', columns)
    write_output(folder / 'shifted', columns_of(joints + np.array([0.01, 0.0, 0.0])))
    write_output(folder / 'late', drop_frames(columns, range(10)))
    return folder


def compared(run_interwild, folder, *words):
    done = run_interwild('compare', *words, '--json', cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_result_compared_with_itself_is_all_zeros(run_interwild, outputs):
    said = compared(run_interwild, outputs, 'here', 'here')
    assert said['a'] == said['b'] == {'path': 'here', 'kind': 'analysis'}
    assert said['hands']['mpjpe_mm']['largest'] == 0
    assert said['hands']['wrist_error_mm']['largest'] == 0
    assert said['mrrpe_mm']['largest'] == 0
    assert said['hands']['presence']['f1'] == 1
    assert said['latency']['difference_ms'] == 0
    assert 'per_frame' not in said


def test_a_shift_of_ten_millimetres_is_ten_millimetres_in_every_frame(run_interwild, outputs):
    said = compared(run_interwild, outputs, 'shifted', 'here', '--per-frame')
    assert said['hands']['wrist_error_mm']['mean'] == pytest.approx(10, abs=1e-2)
    assert len(said['per_frame']) == 40
    for frame in said['per_frame']:
        assert frame['right_wrist_error_mm'] == pytest.approx(10, abs=1e-2)
        assert frame['left_mpjpe_mm'] == pytest.approx(0, abs=1e-2)


def test_missing_frames_lower_recall(run_interwild, outputs):
    said = compared(run_interwild, outputs, 'late', 'here', '--per-frame')
    assert said['hands']['presence']['recall'] == 0.75
    assert said['hands']['presence']['precision'] == 1
    assert said['per_frame'][0]['stamp_a_ns'] is None
    assert said['per_frame'][0]['right_wrist_error_mm'] is None


def test_the_table_says_the_same_and_the_page_is_written(run_interwild, outputs, tmp_path):
    page = tmp_path / 'new' / 'page.html'
    words = ('compare', 'shifted', 'here', '--per-frame', '--report', page)
    done = run_interwild(*words, cwd=outputs)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith('stamp_b_ns\tstamp_a_ns\tright_tracked_a')
    assert len([line for line in lines if line.startswith('17000')]) == 40
    (errors,) = [line for line in lines if line.startswith('  wrist error')]
    assert errors.split()[2:] == ['10.00', 'mm'] * 3
    assert str(page) in done.stdout
    assert page.read_text().startswith('<!doctype html>')


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('nowhere', 'here'), 'there is no nowhere'),
        (('here', 'here/summary.json'), 'is no source of hands'),
        (('.', 'here'), 'name one'),
        (('here', 'here', '--tolerance-ms', '-1'), '--tolerance-ms is -1.0'),
        (('here', 'here', '--tolerance-ms', 'nan'), '--tolerance-ms is nan'),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_reason(run_interwild, outputs, words, said):
    done = run_interwild('compare', *words, cwd=outputs)
    assert done.returncode == 2
    assert said in done.stderr
    assert 'Traceback' not in done.stderr
