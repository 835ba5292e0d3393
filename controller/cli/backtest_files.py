"""What a backtest leaves in a folder: result.json, plot.png, and report.html that needs nothing else."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from controller.cli.backtest_basis import basis
from controller.cli.backtest_cases import Result
from controller.cli.backtest_plot import plot
from controller.cli.backtest_table import Table, remarks, tables, title
from controller.core.errors import EnvironmentProblem
from controller.core.text import Language, Text
from controller.reports.drawing import as_png, as_svg, language_of_pictures
from controller.reports.page import breakable, document

RESULT, PLOT, REPORT = "result.json", "plot.png", "report.html"

_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 980px; margin: 8mm auto; padding: 0 4mm; }
h1 { font-size: 14pt; } h2 { font-size: 11pt; margin: 6mm 0 2mm; }
.wide { overflow-x: auto; margin-bottom: 4mm; } .said { margin: 3mm 0; font-size: 10.5pt; }
table { table-layout: auto; } th, td { overflow-wrap: normal; }
.figures td + td, .figures th + th { text-align: right; } .figures td + td { white-space: nowrap; }
.figures td:first-child { min-width: 36mm; } .basis th { width: 24mm; }
.broken td { color: #b3261e; font-weight: bold; }
svg { display: block; width: 100%; min-width: 640px; height: auto; background: white; }
@media print { .wide { overflow: visible; } .figures { font-size: 7pt; } svg { min-width: 0; } }
@media (prefers-color-scheme: dark) { th { background: #333; } .broken td { color: #ff8a80; } }
"""
_FIGURES, _COURSE = Text("figures", "结果"), Text("course and spread", "过程与离散")
_BASIS = Text("what this rests on", "计算依据")


def prepare(folder: Path) -> None:
    """Before anything is computed. Raises EnvironmentProblem where nothing could be left there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise EnvironmentProblem(
            f"the folder {folder} cannot be written ({error.strerror}); nothing was run; choose another --output"
        ) from error


def leave(
    folder: Path,
    result: Result,
    data: dict[str, Any],
    chosen: Language,
    told_first: Sequence[Table] = (),
    called: Text | None = None,
) -> EnvironmentProblem | None:
    """What kept it from being left, if anything: whoever has reckoned for hours tells the figures all the same.

    told_first: tables that stand before those of the backtest, as the bounds of a scenario do. called: what the days
    are called, beside site and dates.
    """
    pictures = language_of_pictures(chosen)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RESULT).write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        (folder / PLOT).write_bytes(as_png(plot(result, pictures, _name(result, pictures, called)), pictures))
        (folder / REPORT).write_text(page(result, chosen, told_first, called), encoding="utf-8")
    except OSError as error:
        return EnvironmentProblem(f"the results cannot be left in {folder}: {error.strerror}")
    return None


def page(result: Result, chosen: Language, told_first: Sequence[Table] = (), called: Text | None = None) -> str:
    name = _name(result, chosen, called)
    figures, *spread = tables(result, chosen)
    said = "".join(f"<p>{escape(line)}</p>\n" for line in remarks(result, chosen))
    parts = [
        f'<h1>{escape(name)}</h1>\n<div class="said">\n{said}</div>\n',
        *map(_html, told_first),
        _html(figures._replace(title=_FIGURES.in_language(chosen))),
        *map(_html, spread),
        f'{_heading(_COURSE, chosen)}<div class="wide">\n{as_svg(plot(result, chosen, name), name)}\n</div>\n',
        _basis(result, chosen),
    ]
    return document(name, chosen, _STYLE, "".join(parts))


def _name(result: Result, chosen: Language, called: Text | None) -> str:
    days = title(result, chosen)
    return days if called is None else f"{called.in_language(chosen)}: {days}"


def _heading(words: Text, chosen: Language) -> str:
    return f"<h2>{escape(words.in_language(chosen))}</h2>\n"


def _html(table: Table) -> str:
    """Wider than a phone's screen, it is moved by itself, and not the page."""
    head = "".join(f"<th>{escape(each)}</th>" for each in table.headings)
    rows = "".join(
        f"{'<tr class=broken>' if number in table.broken else '<tr>'}"
        f"{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n"
        for number, row in enumerate(table.rows)
    )
    return (
        f'<h2>{escape(table.title)}</h2>\n<div class="wide"><table class="figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{rows}</tbody></table></div>\n"
    )


def _basis(result: Result, chosen: Language) -> str:
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{breakable(words)}</td></tr>\n" for name, words in basis(result, chosen)
    )
    return f'{_heading(_BASIS, chosen)}<table class="basis"><tbody>\n{rows}</tbody></table>\n'
