"""What is to be tested on a site before Tidewatt may have it, and how far that has come. Pure.

One item is one test by a person: point to point, each way of letting go, each time-out on silence, each interlock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from controller.core.text import Text


class ItemKind(StrEnum):
    """reading: a value compared with what is there. command: both ways, its effect seen. release: let go, and who has
    it then. silence: what the device does when we say nothing. permissive: a start that is refused.
    exclusion: a start that waits until another is off. fire: what a fire input does. hand_back: a system that is
    handed back while it runs."""

    READING = "reading"
    COMMAND = "command"
    RELEASE = "release"
    SILENCE = "silence"
    PERMISSIVE = "permissive"
    EXCLUSION = "exclusion"
    FIRE = "fire"
    HAND_BACK = "hand_back"


class Item(NamedTuple):
    """id: what people call it, `subject:kind`. subject: a point, or a system. devices: what takes part in the test.

    required_by: systems that Tidewatt may have only once the item has passed. configuration: hash of what is tested.
    """

    id: str
    kind: ItemKind
    subject: str
    devices: frozenset[str]
    required_by: frozenset[str]
    test: Text
    configuration: str


class Result(StrEnum):
    PASSED = "passed"
    FAILED = "failed"


class Record(NamedTuple):
    """What somebody found. measured: as it was read off, with its unit. configuration: of the item, at that time."""

    at: datetime
    item: str
    result: Result
    who: str
    measured: str
    note: str
    configuration: str


class Status(StrEnum):
    """changed: it was tested, but not as it is configured now."""

    OPEN = "open"
    CHANGED = "changed"
    PASSED = "passed"
    FAILED = "failed"


class Standing(NamedTuple):
    """An item and what is known of it; record: the latest, None where there is none."""

    item: Item
    status: Status
    record: Record | None


def standings(items: Iterable[Item], records: Iterable[Record]) -> list[Standing]:
    """Where each item stands: the latest test counts, wherever a merge has put its line, as long as it was about the
    present configuration; of two of one moment, the lower."""
    latest = {record.item: record for record in sorted(records, key=lambda record: record.at)}
    return [_standing(item, latest.get(item.id)) for item in items]


def _standing(item: Item, record: Record | None) -> Standing:
    if record is None:
        return Standing(item, Status.OPEN, None)
    if record.configuration != item.configuration:
        return Standing(item, Status.CHANGED, record)
    return Standing(item, Status.PASSED if record.result is Result.PASSED else Status.FAILED, record)


class AmbiguousItem(ValueError):
    """No test is called so, or several are."""


def item_called(name: str, standings: Sequence[Standing]) -> Item:
    """The test of that id; a subject's name stands for its only test that has not passed. Raises AmbiguousItem."""
    of_subject: list[Standing] = []
    for each in standings:
        if each.item.id == name:
            return each.item
        if each.item.subject == name:
            of_subject.append(each)
    left = [each for each in of_subject if each.status is not Status.PASSED] or of_subject
    if len(left) == 1:
        return left[0].item
    if not left:
        raise AmbiguousItem(f"there is no test called {name}; see: tidewatt commission SITE sheet")
    raise AmbiguousItem(f"{name} has several tests; name one of {', '.join(each.item.id for each in left)}")


def missing(standing: Iterable[Standing], system: str, simulated: Iterable[str] = ()) -> list[Standing]:
    """What keeps Tidewatt from having the system. Nothing does where everything that takes part is simulated."""
    required = [each for each in standing if system in each.item.required_by]
    devices = frozenset[str]().union(*(each.item.devices for each in required))
    if devices <= frozenset(simulated):
        return []
    return [each for each in required if each.status is not Status.PASSED]
