"""What the files of a site have in common: spans of time, names, texts, references to secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, TypeAlias, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from controller.core.text import Text
from controller.settings.validate import DURATION, DURATION_ADVICE, seconds


def _duration(value: object) -> timedelta:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic lets only this kind through; the words come from the schema
    return seconds(value)


Duration: TypeAlias = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": f"^{DURATION.pattern}$", "description": DURATION_ADVICE}),
]


def at_least(least: timedelta, words: str) -> AfterValidator:
    def check(given: timedelta) -> timedelta:
        if given < least:
            raise ValueError(f"a time of {given.total_seconds():g} s is too short; write at least {words}")
        return given

    return AfterValidator(check)


def at_most(most: timedelta, words: str) -> AfterValidator:
    def check(given: timedelta) -> timedelta:
        if given > most:
            raise ValueError(f"a time of {given.total_seconds():g} s is too long; write at most {words}")
        return given

    return AfterValidator(check)


Interval: TypeAlias = Annotated[Duration, at_least(timedelta(milliseconds=10), "10ms")]
ScanInterval: TypeAlias = Annotated[Duration, at_least(timedelta(milliseconds=100), "100ms")]
Span: TypeAlias = Annotated[Duration, at_least(timedelta(seconds=1), "1s")]
WORD = r"[a-z][a-z0-9_]*"
Id: TypeAlias = Annotated[
    str, Field(pattern=f"^{WORD}$", max_length=64, description="lower snake case, like plant_gateway")
]
EQUIPMENT_ID = re.compile(rf"{WORD}\.{WORD}")
QUANTITY = re.compile(WORD)
LONGEST_QUANTITY = 64
EquipmentId: TypeAlias = Annotated[
    str,
    Field(
        pattern=f"^{EQUIPMENT_ID.pattern}$",
        max_length=100,
        description="area and equipment in lower snake case, like plant.chiller_1",
    ),
]
FullPointId: TypeAlias = Annotated[
    str,
    Field(
        pattern=rf"^{WORD}\.{WORD}\.{WORD}$",
        max_length=165,
        description="area, equipment and quantity, like plant.chiller_1.status",
    ),
]
EquipmentOrPoint: TypeAlias = Annotated[
    str,
    Field(
        pattern=rf"^{WORD}\.{WORD}(\.{WORD})?$",
        max_length=165,
        description="an equipment like plant.chiller_1, or one of its points like plant.chiller_1.status",
    ),
]
LocalPoint: TypeAlias = Annotated[
    str,
    Field(
        pattern=rf"^{WORD}(\.{WORD}){{1,2}}$",  # in a point list all three words
        max_length=165,
        description="a point of this template, like chiller.status",
    ),
]
TemplateName: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*$",
        max_length=100,
        description="folder and name, like simulator/main_meter",
    ),
]
Label: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Pair: TypeAlias = Annotated[tuple[float, float], Field(description="lowest and highest, like [0, 100]")]
Plain: TypeAlias = bool | int | float | str


class Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=False)


class TextEntry(Entry):
    en: Label
    zh: Label

    def text(self) -> Text:
        return Text(self.en, self.zh)


class SentencesEntry(Entry):
    en: Annotated[str, Field(min_length=1, max_length=1000)]
    zh: Annotated[str, Field(min_length=1, max_length=1000)]

    def text(self) -> Text:
        return Text(self.en, self.zh)


class ConditionEntry(Entry):
    point: FullPointId
    value: Annotated[Plain, Field(alias="is")]
    lasting: Duration = timedelta(0)


def _reference(value: object) -> object:
    if isinstance(value, Mapping):  # how a reference arrives here
        return cast("Mapping[str, object]", value)
    raise ValueError("a secret stands in the file itself; write !env NAME or !file PATH instead")


SecretReference: TypeAlias = Annotated[
    Mapping[str, str],
    BeforeValidator(_reference),
    WithJsonSchema({"type": "string", "description": "a reference to a secret: !env NAME or !file PATH"}),
]
