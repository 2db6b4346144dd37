from html.parser import HTMLParser

from browser import look_at
import cv2
from drawn_series import (
    columns_of,
    draw_joints,
    draw_series,
    drop_frames,
    some_jpeg,
    some_summary,
    write_output,
)
from interwild_ros.bag.least_certain import least_certain
from interwild_ros.bag.page import page_of, write_page
from interwild_ros.bag.series_file import read_series
from interwild_ros.bag.summary_file import Said, said_of
from interwild_ros.errors import AssetError
import numpy as np
import pytest

FRAMES = 150
EVIL = '</script><script>document.title="caught"</script><img src=x onerror=alert(1)>"&'
# zooms the first plot and writes what the others then show into the title
ZOOM = """<script>
const plots = [...document.querySelectorAll('.over-time .plotly-graph-div')];
Plotly.relayout(plots[0], {'xaxis.range': [1, 2]}).then(() => setTimeout(() => {
  document.title = JSON.stringify(plots.map(plot => plot.layout.xaxis.range));
}, 1500));
</script>"""


class Elements(HTMLParser):
    """Collects the tags of a page with their attributes, and its text outside of scripts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self._inside = [], [], ''
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ''

    def handle_data(self, data):
        if self._inside not in ('script', 'style'):
            self.text.append(data)

    def named(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope='module')
def some_columns():
    """Two hands with everything that happens: they come and go, frames are missing."""
    tracked = np.ones((FRAMES, 2), bool)
    tracked[20:35, 0] = False
    tracked[100::2, 1] = False
    columns = columns_of(draw_joints(FRAMES, noise_m=0.0005), tracked=tracked)
    return drop_frames(columns, range(50, 62))


def page_text(page):
    return ''.join(Elements(page).text)


def test_the_page_is_one_file_that_asks_for_nothing(tmp_path, some_columns):
    path = write_page(write_output(tmp_path, some_columns), [(1, some_jpeg())])
    assert path == tmp_path / 'report.html'
    elements = Elements(path.read_text())
    sources = [attrs.get('src') or attrs.get('href') for _, attrs in elements.tags]
    assert all(source.startswith('data:') for source in sources if source)
    (policy,) = [m for m in elements.named('meta') if 'http-equiv' in m]
    assert policy['content'].startswith("default-src 'none'")
    assert path.read_text().count('plotly.js v') == 1
    assert '"showSendToCloud": false' in path.read_text()


def test_the_page_is_the_same_every_time(tmp_path, some_columns):
    folder = write_output(tmp_path, some_columns)
    assert write_page(folder).read_bytes() == write_page(folder).read_bytes()


def test_the_page_tells_what_the_summary_tells(tmp_path, some_columns):
    text = page_text(write_page(write_output(tmp_path, some_columns)).read_text())
    said = said_of(some_summary())
    for told in (said.bag, said.camera, *said.warnings, 'of 1,500', 'bad_encoding'):
        assert told in text
    for table in said.tables.values():
        for name, value in table.items():
            assert name in text
            assert value in text


def test_every_text_is_escaped(tmp_path):
    columns = columns_of(draw_joints(5), tracked=np.zeros((5, 2), bool), reason=EVIL)
    summary = {
        'bag': EVIL,
        'camera': EVIL,
        'settings': {EVIL: EVIL},
        'warnings': [EVIL],
        'frames': {'skipped': {EVIL: 1}},
    }
    elements = Elements(write_page(write_output(tmp_path, columns, summary)).read_text())
    assert elements.named('img') == []
    assert not any('onerror' in attrs for _, attrs in elements.tags)
    assert ''.join(elements.text).count(EVIL) >= 6


def test_thumbnails_come_in_their_order_with_what_is_known_of_them(tmp_path, some_columns):
    folder = write_output(tmp_path, some_columns)
    series = read_series(folder / 'hands.parquet')
    stamps = least_certain(series, 4)
    jpegs = [(stamp, some_jpeg(number)) for number, stamp in enumerate([*stamps, 7])]
    pictures = Elements(write_page(folder, jpegs).read_text()).named('img')
    assert len(pictures) == 5
    assert len({picture['src'] for picture in pictures}) == 5
    assert 'largest reprojection error' in pictures[0]['alt']
    assert pictures[4]['alt'] == 'stamp 7'


def test_without_thumbnails_the_least_certain_frames_are_listed(tmp_path, some_columns):
    folder = write_output(tmp_path, some_columns)
    text = page_text(write_page(folder).read_text())
    for stamp in least_certain(read_series(folder / 'hands.parquet'), 4):
        assert str(stamp) in text


def test_hands_that_were_never_there_are_told(tmp_path):
    tracked = np.ones((20, 2), bool)
    tracked[:, 0] = False
    text = page_text(page_of(draw_series(tmp_path, draw_joints(20), tracked=tracked), Said()))
    assert 'never tracked: the right hand' in text


@pytest.mark.parametrize('count', [0, 1, 2])
def test_the_shortest_recordings_have_a_page(tmp_path, count):
    text = page_text(page_of(draw_series(tmp_path, draw_joints(count)), Said()))
    assert ('nothing to draw' in text) == (count == 0)


def test_a_long_series_is_thinned_and_says_so(tmp_path):
    series = draw_series(tmp_path, draw_joints(4500))
    page = page_of(series, Said())
    assert 'thinned for drawing: of 4,500 frames' in page_text(page)
    assert 'thinned' not in page_text(page_of(series.rows(np.arange(300)), Said()))


def test_a_folder_without_a_table_is_refused(tmp_path):
    with pytest.raises(AssetError, match=r'cannot read .*hands\.parquet'):
        write_page(tmp_path)


def test_a_browser_draws_every_plot_and_complains_of_nothing(tmp_path, some_columns):
    folder = write_output(tmp_path / 'out', some_columns)
    stamps = least_certain(read_series(folder / 'hands.parquet'), 3)
    page = write_page(folder, [(stamp, some_jpeg()) for stamp in stamps])
    page.write_text(page.read_text().replace('</body>', f'{ZOOM}</body>'))
    seen = look_at(page, tmp_path)
    assert seen.console == []
    elements = Elements(seen.dom)
    classes = [attrs.get('class') or '' for _, attrs in elements.tags]
    plots = sum('plotly-graph-div' in names for names in classes)
    assert plots == 7
    assert sum('main-svg' in names for names in classes) >= plots
    assert len(elements.named('canvas')) == 1
    # to look closer in one plot is to look closer in all
    title = seen.dom.partition('<title>')[2].partition('</title>')[0]
    assert title == '[' + ','.join(['[1,2]'] * (plots - 1)) + ']'
    picture = cv2.imread(str(seen.screenshot))
    assert picture.shape[1] == 1200
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 100


def test_a_browser_draws_the_page_of_a_recording_without_hands(tmp_path):
    columns = columns_of(draw_joints(60), tracked=np.zeros((60, 2), bool))
    seen = look_at(write_page(write_output(tmp_path / 'out', columns)), tmp_path)
    assert seen.console == []
    assert 'no values' in seen.dom
