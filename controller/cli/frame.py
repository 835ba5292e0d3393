"""What the live view draws from: one picture's worth of facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.panel import Panel

from controller.cli import words
from controller.core.text import Language, Text

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, slots=True)
class Frame:
    """Status and points as the control socket would give them. today: Twin.today, None where there is no twin."""

    status: Mapping[str, Any]
    points: Mapping[str, Any]
    speed: float
    language: Language
    today: Mapping[str, Any] | None = None

    def say(self, text: Text) -> str:
        return text.in_language(self.language)

    def term(self, identifier: str) -> str:
        return words.term(identifier, self.language)

    def local(self, instant: str) -> datetime:
        return datetime.fromisoformat(instant).astimezone(ZoneInfo(self.status["time_zone"]))

    @property
    def now(self) -> datetime:
        """The site's local time."""
        return self.local(self.status["now"])


def panel(frame: Frame, title: Text, content: RenderableType, subtitle: str | None = None) -> RenderableType:
    return Panel(
        content,
        title=frame.say(title),
        title_align="left",
        subtitle=subtitle,
        subtitle_align="right",
        border_style="dim",
    )
