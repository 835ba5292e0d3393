"""What inputs say of equipment, what counts, and when it may be commanded again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.availability import (
    RESET_FOR_S,
    SILENT_FOR_S,
    TRIPS_ALLOWED,
    TRIPS_WITHIN,
    Availability,
    Cause,
    Lockout,
    Memory,
    Watched,
    causes_told,
    forgiven,
    heard,
    said,
    standing_of,
)
from controller.core.point import PointId
from controller.core.sample import LOCAL_OVERRIDE, OUT_OF_SERVICE, Quality, Sample, Scalar
from controller.core.text import Text

NOW = datetime(2026, 7, 6, 4, 0, tzinfo=UTC)
QUANTITIES = ("tripped", "local", "auto_status", "hand_auto_status")
POINTS = {quantity: PointId(f"plant.pump_1.{quantity}") for quantity in QUANTITIES}
WELL: dict[str, Scalar] = {"tripped": False, "local": False, "auto_status": True, "hand_auto_status": "auto"}
COMMAND = PointId("plant.pump_1.command")
TRIPPED: dict[str, Scalar | None] = {"tripped": True}
LOCAL: dict[str, Scalar | None] = {"local": True}
PUMP = Watched(tuple(POINTS.items()), (COMMAND,))


def look(memory: Memory, inputs: dict[str, Scalar | None], at: float) -> Memory:
    """None: silent."""
    values = {**WELL, **inputs}
    samples = {POINTS[name]: _sample(value) for name, value in values.items()}
    return heard(memory, said(PUMP, {**samples, COMMAND: _sample(True)}), at, NOW + timedelta(seconds=at))


def _sample(value: Scalar | None, reason: str = "") -> Sample:
    return Sample(value, Quality.BAD if value is None else Quality.GOOD, reason, NOW, 0.0)


def states(memory: Memory) -> list[Availability]:
    return [each.availability for each in standing_of(causes_told(memory)).causes]


@pytest.mark.parametrize(
    "inputs, expected",
    [
        ({}, []),
        ({"tripped": 0, "local": 0.0, "auto_status": 1}, []),
        ({"local": True}, [Availability.LOCAL]),
        ({"auto_status": False}, [Availability.LOCAL]),
        ({"hand_auto_status": "hand"}, [Availability.LOCAL]),
        ({"hand_auto_status": "off", "tripped": 1}, [Availability.TRIPPED, Availability.LOCAL]),
        ({"local": None}, [Availability.UNKNOWN]),
        ({"local": None, "tripped": True}, [Availability.TRIPPED]),
    ],
)
def test_what_the_inputs_say(inputs: dict[str, Scalar | None], expected: list[Availability]) -> None:
    assert states(look(Memory(), inputs, 0.0)) == expected


@pytest.mark.parametrize("reason, expected", [(OUT_OF_SERVICE, "out_of_service"), (LOCAL_OVERRIDE, "local")])
def test_a_device_says_it_of_what_is_written(reason: str, expected: str) -> None:
    (cause,) = said(Watched((), (COMMAND,)), {COMMAND: _sample(True, reason)}).causes
    assert cause.availability == expected
    assert str(COMMAND) in cause.reason.en


def test_a_person_comes_first_and_hides_nothing() -> None:
    lock = Lockout("plant.pump_1", "Li", "seal", NOW)
    standing = standing_of([Cause(Availability.LOCAL, Text("in hand", "手动")), lock.cause])
    assert standing.availability is Availability.LOCKED_OUT
    assert standing.reason == Text("locked out by Li: seal; in hand", "由 Li 锁定：seal；手动")


def test_silence_counts_as_before_for_a_while() -> None:
    memory = look(look(Memory(), {}, 0.0), {"tripped": None}, 1.0)
    assert states(look(memory, {"tripped": None}, SILENT_FOR_S)) == []
    assert states(look(memory, {"tripped": None}, SILENT_FOR_S + 1.0)) == [Availability.UNKNOWN]
    assert states(look(look(memory, {"tripped": None}, 99.0), {}, 100.0)) == []


def test_trips_of_other_days_are_forgotten() -> None:
    memory, at = Memory(), 0.0
    for _ in range(2 * TRIPS_ALLOWED):
        memory = look(look(memory, TRIPPED, at), {}, at + 10.0)
        memory = look(memory, {}, at + 10.0 + RESET_FOR_S)
        assert states(memory) == []
        at += TRIPS_WITHIN.total_seconds() / (TRIPS_ALLOWED - 1) + 1.0


def test_a_clock_that_is_set_back_undoes_no_trip() -> None:
    memory = look(Memory(trips=(NOW + timedelta(hours=1),) * (TRIPS_ALLOWED - 1)), TRIPPED, 0.0)
    assert memory.needs_a_person


def test_taking_a_machine_in_hand_is_no_reset() -> None:
    memory = look(look(Memory(), TRIPPED, 0.0), LOCAL, 1.0)
    assert states(memory) == [Availability.TRIPPED, Availability.LOCAL]
    memory = look(memory, {}, 2.0)
    assert states(look(memory, {}, 1.0 + RESET_FOR_S)) == [Availability.TRIPPED, Availability.LOCAL]
    assert states(look(memory, {}, 2.0 + RESET_FOR_S)) == []


def test_a_person_says_try_again_only_to_what_is_reset() -> None:
    memory = look(Memory(trips=(NOW,) * TRIPS_ALLOWED), TRIPPED, 0.0)
    assert states(look(forgiven(memory), TRIPPED, 1.0)) == [Availability.TRIPPED]
    reset = look(memory, {}, 2.0)
    assert "try again" in standing_of(causes_told(reset)).reason.en
    assert states(look(forgiven(reset), {}, 3.0)) == []


inputs = st.fixed_dictionaries(
    {},
    optional={
        "tripped": st.sampled_from([True, False, None]),
        "local": st.sampled_from([True, False, None]),
        "auto_status": st.sampled_from([True, False, None]),
        "hand_auto_status": st.sampled_from(["hand", "off", "auto", None]),
    },
)


@given(st.lists(st.tuples(st.floats(0.0, 400.0), inputs), max_size=30))
def test_nothing_is_in_auto_that_says_otherwise_or_has_not_settled(
    looks: list[tuple[float, dict[str, Scalar | None]]],
) -> None:
    """Whatever happens: back in auto only when every input has said so, and long enough after a trip."""
    memory, at, tripped_last = Memory(), 0.0, -1e9
    for later, seen in looks:
        at += later
        was_auto = not memory.causes
        memory = look(memory, seen, at)
        if seen.get("tripped"):
            tripped_last = at
        says_otherwise = bool(said_otherwise(seen))
        if says_otherwise:
            assert memory.causes
        if not memory.causes and not was_auto:
            assert not says_otherwise
            assert None not in seen.values()
            assert at - tripped_last >= RESET_FOR_S or tripped_last < 0


def said_otherwise(seen: dict[str, Scalar | None]) -> list[str]:
    return [name for name, value in seen.items() if value is not None and value != WELL[name]]
