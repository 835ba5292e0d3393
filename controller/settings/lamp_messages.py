"""sunclock.yaml: the list of places, and who is sent its lamp times every day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from pathlib import Path
from urllib.parse import urlsplit

from controller.core.lamp_messages import LampMessages
from controller.settings.problems import Problems
from controller.settings.reading import Reading
from controller.settings.schema.sunclock import SunclockFile
from controller.settings.secrets import Secrets
from controller.settings.table import LARGEST_TABLE
from controller.settings.text_file import raw_text

_ONLY_WITH_ANSWERS = ("answer_within", "escalate_to")


@dataclass(frozen=True, slots=True)
class LampMessagesCompiler:
    """folder: the site's. What stands in the list of places is for the sun clock to judge, line by line."""

    reading: Reading[SunclockFile]
    folder: Path
    secrets: Secrets
    problems: Problems

    def compiled(self) -> LampMessages | None:
        """None where something is wrong with it."""
        entry = self.reading.model
        if entry is None:
            return None
        places = self.folder / entry.places
        raw_text(places, LARGEST_TABLE, self.problems)
        if entry.answers is None:
            for key in _ONLY_WITH_ANSWERS:
                if self.reading.document.has((key,)):
                    self._add(key, f"'{key}' belongs to 'answers'", "say where staff answer, or remove it")
        hour, minute = entry.at.split(":")
        return LampMessages(
            places,
            time(int(hour), int(minute)),
            self._address("to"),
            entry.light,
            entry.message == "markdown",
            entry.pictures,
            entry.answers or "",
            entry.answer_within,
            "" if entry.escalate_to is None else self._address("escalate_to"),
        )

    def _address(self, key: str) -> str:
        resolved = self.secrets.resolved(self.reading.document, (key,))
        if resolved is None:
            return ""
        address = str(resolved[0]).strip()
        if not _is_web_address(address):
            self._add(key, "what the secret holds is no address of a robot", "write one that begins with https://")
        return address

    def _add(self, key: str, wrong: str, right: str) -> None:
        document = self.reading.document
        self.problems.add(document.file, document.line((key,)), wrong, right)


def _is_web_address(text: str) -> bool:
    try:
        split = urlsplit(text)
    except ValueError:
        return False
    return split.scheme in ("http", "https") and bool(split.hostname)
