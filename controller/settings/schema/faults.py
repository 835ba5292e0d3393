"""A file of faults for the simulated plant, as it may be written. What each kind takes is known to the simulator."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from controller.settings.schema.words import Duration, Entry, Label, Plain

When: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        description="a time since the simulation began, like 10min, or a local time, like 2026-07-06T14:00",
    ),
]


class FaultEntry(Entry):
    kind: Label
    target: Label | None = None
    start: When | None = None
    end: When | None = None
    duration: Duration | None = None
    value: Plain | None = None
    rate: float | None = None
    deviation: float | None = None
    share: float | None = None
    range: float | None = None
    reading: float | None = None
    offset: float | None = None
    delay: Duration | None = None
    within: Duration | None = None
    position: Label | None = None


class FaultsFile(Entry):
    faults: tuple[FaultEntry, ...]
