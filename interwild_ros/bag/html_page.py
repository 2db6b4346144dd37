"""Self-contained HTML: one file that opens without network. Every text is escaped here.

What is markup already has the type Html; everything else is text.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NewType

from interwild_ros.errors import AssetError
from interwild_ros.whole import whole_file
import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

Html = NewType('Html', str)

# Nothing may be fetched: a browser that keeps to it is the proof that all is inside.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    'img-src data: blob:'
)
_CONFIG = {
    'displaylogo': False,
    # recordings of people stay where they are: plotly.js 4 offers to upload plots
    'showSendToCloud': False,
    'plotlyServerURL': '',
    'doubleClick': 'reset',
    'responsive': True,
    'modeBarButtonsToRemove': ['select2d', 'lasso2d', 'autoScale2d'],
}
_STYLE = """
:root { color-scheme: light; --ink: #27303a; --soft: #5b6570; --line: #e3e7ea; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f6f7; color: var(--ink);
       font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 6px; }
p { margin: 0 0 8px; max-width: 100ch; }
.soft, figcaption { color: var(--soft); font-size: 13.5px; }
section { background: white; border: 1px solid var(--line); border-radius: 8px;
          padding: 18px 20px; margin-top: 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 12px;
         margin-top: 18px; }
.tile { background: white; border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.tile b { display: block; font-size: 21px; font-weight: 600; line-height: 1.3; }
.tile span { color: var(--soft); font-size: 13px; display: block; line-height: 1.4; }
.notice { background: #fff8e6; border-color: #ecd9a0; }
.notice ul { margin: 0; padding-left: 20px; }
.wide { overflow-x: auto; margin-bottom: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 5px 14px 5px 0;
         border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
tr:last-child > * { border-bottom: 0; }
th { font-weight: 600; }
tbody th { font-weight: 400; color: var(--soft); width: 32%; }
.numbers td { font-variant-numeric: tabular-nums; }
.pictures { display: grid; gap: 16px;
            grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); }
figure { margin: 0; }
figure img { width: 100%; height: auto; display: block; border-radius: 6px; background: #ddd; }
figcaption { margin-top: 5px; line-height: 1.4; }
.columns { columns: 2 400px; column-gap: 40px; }
.columns > div { margin-bottom: 18px; }
.columns th { width: 46%; }
.columns tr { break-inside: avoid; }
h3 { font-size: 15px; margin: 0 0 2px; break-after: avoid; }
"""
# Plots over time share what they show: to look closer in one is to look closer in all.
_LINK = """
const linked = [...document.querySelectorAll('.over-time .plotly-graph-div')];
let busy = false;
for (const plot of linked) plot.on('plotly_relayout', async change => {
  if (busy || !Object.keys(change).some(key => /^xaxis\\d*\\.(range|autorange)/.test(key))) return;
  busy = true;
  const { range, autorange } = plot.layout.xaxis;
  const shown = autorange
    ? key => ({ [key + '.autorange']: true })
    : key => ({ [key + '.range']: [...range] });
  for (const other of linked) if (other !== plot) {
    const axes = Object.keys(other.layout).filter(key => /^xaxis\\d*$/.test(key));
    await Plotly.relayout(other, Object.assign({}, ...axes.map(shown)));
  }
  busy = false;
});
"""


def write(path: Path, page: str) -> Path:
    """Write a page as a whole file; returns where it is.

    :raises AssetError: when it cannot be written.
    """
    with whole_file(path) as new:
        try:
            new.write_text(page, encoding='utf-8')
        except OSError as error:
            raise AssetError(f'cannot write {path}: {error}') from error
    return path


def document(title: str, body: Iterable[Html]) -> str:
    """Return a whole page, plotly.js in it once."""
    return ''.join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f'<title>{escape(title)}</title><style>{_STYLE}</style>',
            f'<script>{get_plotlyjs()}</script></head>\n<body><main>',
            *body,
            f'</main><script>{_LINK}</script></body></html>\n',
        )
    )


def header(title: str, subtitle: str) -> Html:
    """Return the head of the page."""
    return Html(f'<h1>{escape(title)}</h1><p class="soft">{escape(subtitle)}</p>')


def section(title: str, *parts: Html, kind: str = '') -> Html:
    """Return a part of the page with a heading."""
    name = f' class="{escape(kind)}"' if kind else ''
    return Html(f'<section{name}><h2>{escape(title)}</h2>{"".join(parts)}</section>\n')


def heading(title: str) -> Html:
    """Return a small heading."""
    return Html(f'<h3>{escape(title)}</h3>')


def paragraph(text: str) -> Html:
    """Return a paragraph of explanation."""
    return Html(f'<p class="soft">{escape(text)}</p>')


def definition(term: str, text: str) -> Html:
    """Return what a word means."""
    return Html(f'<p class="soft"><b>{escape(term)}</b> {escape(text)}</p>')


def items(lines: Iterable[str]) -> Html:
    """Return a list."""
    return Html('<ul>' + ''.join(f'<li>{escape(line)}</li>' for line in lines) + '</ul>')


def tiles(figures: Sequence[tuple[str, str, str]]) -> Html:
    """Return what is to be seen first: name, value and a remark of each figure."""
    inner = ''.join(
        f'<div class="tile"><span>{escape(name)}</span><b>{escape(value)}</b>'
        f'<span>{escape(remark)}</span></div>'
        for name, value, remark in figures
    )
    return Html(f'<div class="tiles">{inner}</div>')


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    """Return a table whose first column names what the others say."""
    titles = ''.join(f'<th scope="col">{escape(title)}</th>' for title in head)
    body = ''.join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + ''.join(f'<td>{escape(cell)}</td>' for cell in cells)
        + '</tr>'
        for name, *cells in rows
    )
    return Html(
        '<div class="wide"><table class="numbers">'
        f'<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def pairs(values: Mapping[str, str]) -> Html:
    """Return a table of names and values."""
    rows = ''.join(
        f'<tr><th scope="row">{_breakable(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in values.items()
    )
    return Html(f'<table><tbody>{rows}</tbody></table>')


def _breakable(name: str) -> str:
    """Return a long name that may go on in the next line after its words."""
    return escape(name).replace('_', '_<wbr>').replace('.', '.<wbr>')


def columns(parts: Iterable[Html]) -> Html:
    """Return parts beside each other where there is room."""
    inner = ''.join(f'<div>{part}</div>' for part in parts)
    return Html(f'<div class="columns">{inner}</div>')


def pictures(jpegs: Iterable[tuple[bytes, Sequence[str]]]) -> Html:
    """Return JPEG files, each with the lines of its caption, the first of which stands out."""
    inner = ''.join(
        f'<figure><img alt="{escape(first)}" '
        f'src="data:image/jpeg;base64,{b64encode(data).decode()}">'
        f'<figcaption><b>{escape(first)}</b>'
        + ''.join(f'<br>{escape(line)}' for line in lines)
        + '</figcaption></figure>'
        for data, (first, *lines) in jpegs
    )
    return Html(f'<div class="pictures">{inner}</div>')


def plot(figure: go.Figure, name: str, *, over_time: bool = True) -> Html:
    """Return a figure to look closer into.

    :param name: its id in the page, a word.
    :param over_time: share the time that is shown with the other plots over time.
    """
    config: dict[str, Any] = _CONFIG
    inner = plotly.io.to_html(
        figure,
        config=config,
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        default_height=f'{figure.layout.height}px',
    )
    kind = 'over-time' if over_time else 'apart'
    return Html(f'<div class="{kind}">{inner}</div>')
