"""What a backtest leaves in a folder: result.json, plot.png, and report.html that needs nothing else."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from controller.cli.backtest_cases import Result
from controller.cli.backtest_plot import plot
from controller.cli.backtest_table import Table, remarks, tables, title
from controller.core.errors import EnvironmentProblem
from controller.core.text import Language, Text
from controller.reports.drawing import as_png, as_svg, language_of_pictures
from controller.reports.page import breakable, document

RESULT, PLOT, REPORT = "result.json", "plot.png", "report.html"

_STYLE = """
body { max-width: 980px; margin: 8mm auto; } h1 { font-size: 14pt; } h2 { font-size: 11pt; margin: 6mm 0 2mm; }
table { table-layout: auto; margin-bottom: 4mm; } td + td, th + th { text-align: right; }
svg { max-width: 100%; height: auto; }
"""


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
) -> None:
    """told_first: tables that stand before those of the backtest, as the bounds of a scenario do. called: what the days
    are called, beside site and dates."""
    pictures = language_of_pictures(chosen)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RESULT).write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        (folder / PLOT).write_bytes(as_png(plot(result, pictures, _name(result, pictures, called)), pictures))
        (folder / REPORT).write_text(page(result, chosen, told_first, called), encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblem(f"the results cannot be left in {folder}: {error.strerror}") from error


def page(result: Result, chosen: Language, told_first: Sequence[Table] = (), called: Text | None = None) -> str:
    name = _name(result, chosen, called)
    parts = [f"<h1>{escape(name)}</h1>\n"]
    parts += [_html(table, has_heading=True) for table in told_first]
    parts += [_html(table, has_heading=number > 0) for number, table in enumerate(tables(result, chosen))]
    parts += [f"<p>{escape(line)}</p>\n" for line in remarks(result, chosen)]
    parts.append(as_svg(plot(result, chosen, name), name) + "\n")
    return document(name, chosen, _STYLE, "".join(parts))


def _name(result: Result, chosen: Language, called: Text | None) -> str:
    days = title(result, chosen)
    return days if called is None else f"{called.in_language(chosen)}: {days}"


def _html(table: Table, *, has_heading: bool) -> str:
    heading = f"<h2>{escape(table.title)}</h2>\n" if has_heading else ""
    head = "".join(f"<th>{breakable(each)}</th>" for each in table.headings)
    rows = "".join(f"<tr>{''.join(f'<td>{breakable(cell)}</td>' for cell in row)}</tr>\n" for row in table.rows)
    return f"{heading}<table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table>\n"
