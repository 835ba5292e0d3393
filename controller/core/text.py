"""User-facing sentences in the two languages of our users."""

from __future__ import annotations

from typing import Literal, NamedTuple

Language = Literal["en", "zh"]


class Text(NamedTuple):
    en: str
    zh: str

    def in_language(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


NO_TEXT = Text("", "")


def by_sheet(text: Text, source: str) -> Text:
    """The sentence with the maker's sheet that the limit stands in, if one is named."""
    return Text(f"{text.en} (sheet: {source})", f"{text.zh} (厂家资料: {source})") if source else text
