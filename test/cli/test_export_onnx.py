"""`interwild export --onnx` in a process of its own, and what it refuses."""

import json

from interwild_ros.cli.main import main
import pytest


def test_it_writes_three_files_that_say_what_the_networks_say(run_interwild, tmp_path):
    onnxruntime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    words = ('export', '--onnx', 'new/files', '--weights', 'rule-made', '--json')
    done = run_interwild(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ''
    said = json.loads(done.stdout)
    folder = tmp_path / 'new/files'
    assert said['folder'] == str(folder)
    assert (said['variant'], said['weights']) == ('compact', 'rule-made')
    assert said['weights_meaningful'] is False
    assert all(row['difference'] <= row['tolerance'] for row in said['checked'])
    files = sorted(path.name for path in folder.iterdir())
    assert files == sorted({row['file'] for row in said['checked']})
    for file in files:
        session = onnxruntime.InferenceSession(folder / file)
        named = [output.name for output in session.get_outputs()]
        assert named == [row['tensor'] for row in said['checked'] if row['file'] == file]


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('bag', '--onnx', 'out'), '--onnx is given with the bag bag'),
        (('--onnx', 'out', '--weights', 'absent.pth'), 'absent.pth: no such file'),
        (('--onnx', 'out', '--rrd', 'out.rrd'), 'not allowed with'),
        (('--onnx', 'out', '--variant', 'huge'), "invalid choice: 'huge'"),
        (('--onnx', 'file/out'), 'file'),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'file').write_text('')
    assert exit_code(['export', *words]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ['file']


def exit_code(words):
    try:
        return main(words)
    except SystemExit as refused:  # argparse says it so
        return refused.code
