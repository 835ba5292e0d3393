"""A bar of the days that are over, where somebody watches."""

from __future__ import annotations

import sys
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from controller.cli.arguments import language
from controller.core.text import Text

_DAYS = Text("days", "天")


class DayProgress:
    """Gone when it is over. It has no thread of its own: what is run is forked beside it."""

    def __init__(self, days: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        self._bar = Progress(
            *columns, console=console, auto_refresh=False, transient=True, disable=not sys.stderr.isatty()
        )
        self._task = self._bar.add_task(_DAYS.in_language(language()), total=days)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, days: int) -> None:
        self._bar.update(self._task, completed=days, refresh=True)
