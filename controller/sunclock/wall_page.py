"""The day of up to thirty places on one sheet of A4, to be pinned to a wall; English and Chinese on the same sheet."""

from __future__ import annotations

from collections.abc import Sequence

from controller.core.text import Language
from controller.reports.page import document
from controller.sunclock import words
from controller.sunclock.picture import MOST_ON_A_BOARD, board
from controller.sunclock.sun_times import Day

_STYLE = """
@page { size: A4 portrait; margin: 8mm; }
body { margin: 0; }
section { break-after: page; } section:last-child { break-after: auto; }
svg { width: 194mm; height: auto; max-height: 279mm; display: block; }
"""


def as_html(days: Sequence[Day], illuminance: float, language: Language) -> str:
    sheets = [days[nth : nth + MOST_ON_A_BOARD] for nth in range(0, len(days), MOST_ON_A_BOARD)]
    body = "".join(f"<section>{board(sheet, illuminance)}</section>\n" for sheet in sheets)
    return document(words.TITLE.in_language(language), language, _STYLE, body)
