import io

from interwild_ros.cli.progress import progress_text, ProgressLine


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_says_how_much_how_fast_and_how_long():
    assert progress_text(50, 200, 10.0) == '[######..................] 50/200, 5.0 fps, 0:30 left'
    assert progress_text(200, 200, 10.0).startswith('[########################] 200/200')


def test_hours_are_told_as_hours():
    assert progress_text(1, 36001, 1.0).endswith('1.0 fps, 10:00:00 left')


def test_without_a_total_only_what_is_done_is_told():
    assert progress_text(500, 0, 3.0) == '500'


def test_before_the_first_nothing_is_foretold():
    assert progress_text(0, 10, 0.0) == '[........................] 0/10, 0.0 fps'


def test_on_a_terminal_one_line_is_written_over():
    terminal = Terminal()
    line = ProgressLine(terminal)
    line.show('bag', 3, 3)
    line.show('other', 1, 1)
    line.end()
    first, second, rest = terminal.getvalue().split('\n')
    assert first.startswith('\rbag [')
    assert second.startswith('\rother [')
    assert rest == ''


def test_elsewhere_the_end_is_told_in_a_line_of_its_own():
    log = io.StringIO()
    line = ProgressLine(log)
    for done in range(1, 100):
        line.show('bag', done, 99)
    line.end()
    assert log.getvalue().count('\n') == 1
    assert '99/99' in log.getvalue()
