"""Machines, heartbeats and the order of letting go."""

from __future__ import annotations

import itertools
import math
from datetime import timedelta

import pytest

from controller.core.handover import (
    HEARTBEAT_MODULUS,
    ReleaseOrder,
    handed_over,
    heartbeats,
    lifelines_of,
    machines_of,
)
from controller.core.ledger import Holding, Verdict
from controller.core.point import (
    Heartbeat,
    NothingHappens,
    OnSilence,
    Point,
    PointId,
    PointKind,
    Range,
    ReleaseNull,
    RemoteBit,
    SafeValue,
    Writable,
)
from controller.core.sample import Scalar
from controller.core.system import Condition, ReleaseStep, System
from controller.core.text import NO_TEXT
from controller.core.units import Unit

BIT = PointId("plant.chiller_1.remote")
START = PointId("plant.chiller_1.enable_command")
VALVE = PointId("plant.chiller_1.valve_command")
SETPOINT = PointId("plant.chiller_1.setpoint")
BEAT = PointId("plant.gateway_1.heartbeat")
FREE = PointId("plant.boiler_1.setpoint")
SILENCE = Heartbeat(BEAT, timedelta(seconds=60))


def machine_point(id_: PointId, kind: PointKind = PointKind.COMMAND, on_silence: OnSilence = SILENCE) -> Point:
    return Point(id_, kind, Unit.NONE, writable=Writable(Range(0, 1), RemoteBit(BIT), on_silence, id_))


POINTS = [
    machine_point(START),
    machine_point(VALVE),
    machine_point(SETPOINT, PointKind.SETPOINT),
    Point(BIT, PointKind.COMMAND, Unit.NONE, writable=Writable(Range(0, 1), SafeValue(False), SILENCE, BIT)),
    Point(BEAT, PointKind.COMMAND, Unit.NONE, writable=Writable(Range(0, 9), SafeValue(0), NothingHappens(), BEAT)),
    Point(FREE, PointKind.SETPOINT, Unit.NONE, writable=Writable(Range(0, 1), ReleaseNull(), NothingHappens(), FREE)),
]
MACHINES = machines_of(POINTS)


def held(*points: PointId, verdict: Verdict = Verdict.OWNED, **changes: float) -> dict[PointId, Holding]:
    return {each: Holding(each, True, False, 1.0, 1.0, verdict)._replace(**changes) for each in points}


def test_a_machine_is_what_one_bit_hands_over() -> None:
    (machine,) = MACHINES
    assert (machine.remote, set(machine.commands), machine.setpoints) == (BIT, {START, VALVE}, (SETPOINT,))


def test_a_machine_that_lacks_a_command_is_not_touched() -> None:
    wanted: dict[PointId, Scalar] = {START: True, SETPOINT: 0.5, FREE: 0.3}
    result, waiting = handed_over(MACHINES, wanted, {}, ())
    assert result == {FREE: 0.3}
    assert set(waiting) == {START, SETPOINT}
    assert str(VALVE) in waiting[START].en


def test_false_is_a_wish_like_any_other() -> None:
    result, waiting = handed_over(MACHINES, {START: False, VALVE: False}, {}, ())
    assert result == {START: False, VALVE: False}
    assert waiting == {}


@pytest.mark.parametrize(
    "holdings, taken",
    [
        ({}, False),
        (held(START), False),
        (held(START, VALVE), True),
        (held(START, VALVE, verdict=Verdict.PENDING), True),
        (held(START, VALVE, verdict=Verdict.PENDING, written=math.inf), False),
        (held(START, VALVE, verdict=Verdict.PENDING, attempts=2), False),
        (held(START) | held(VALVE, verdict=Verdict.IGNORED), False),
        (held(START) | held(VALVE, releasing=True), False),
        # once it is ours
        (held(BIT, START, VALVE, verdict=Verdict.PENDING, written=math.inf), True),
        (held(BIT, START), True),
        (held(BIT, START) | held(VALVE, verdict=Verdict.IGNORED), False),
        (held(BIT, releasing=True) | held(START), False),
    ],
)
def test_the_bit_follows_the_values(holdings: dict[PointId, Holding], taken: bool) -> None:
    result, _ = handed_over(MACHINES, {START: True, VALVE: True}, holdings, ())
    assert result.get(BIT) is (True if taken else None)
    assert result[START] is result[VALVE] is True


def test_a_bit_that_somebody_overrides_stays_wished() -> None:
    result, _ = handed_over(MACHINES, {START: True, VALVE: True}, {}, {BIT})
    assert result[BIT] is True


# --- heartbeats -------------------------------------------------------------------------------------------------------

LIFELINES = lifelines_of(POINTS)


def test_a_lifeline_holds_what_the_device_drops() -> None:
    (lifeline,) = LIFELINES
    assert (lifeline.heartbeat, lifeline.points) == (BEAT, {START, VALVE, SETPOINT, BIT})
    assert lifeline.period <= SILENCE.after.total_seconds() / 2


@pytest.mark.parametrize(
    "holding, wanted, beats",
    [((), (), False), ((BIT,), (), True), ((), (START,), True), ((BEAT,), (FREE,), False)],
)
def test_the_heart_beats_while_anything_hangs_on_it(
    holding: tuple[PointId, ...], wanted: tuple[PointId, ...], beats: bool
) -> None:
    assert (BEAT in heartbeats(LIFELINES, holding, wanted, 1000.0)) is beats


def test_the_beat_changes_within_every_time_out_and_fits_its_register() -> None:
    seconds = [float(each) for each in range(0, 3 * HEARTBEAT_MODULUS, 30)]
    beats = [heartbeats(LIFELINES, (BIT,), (), each)[BEAT] for each in seconds]
    assert all(one != other for one, other in itertools.pairwise(beats))
    assert all(isinstance(each, int) and 0 <= each < 32768 for each in beats)


# --- order ------------------------------------------------------------------------------------------------------------

STOPPED = Condition(PointId("plant.chiller_1.status"), False, timedelta(seconds=60))
TAKEN = Condition(PointId("plant.pump_1.original_status"), True)
CLOSED, ISOLATED = (Condition(PointId(f"plant.tank_1.{valve}_position"), 0.0) for valve in ("charge", "discharge"))
SYSTEM = System(
    "plant",
    NO_TEXT,
    (START, BIT, VALVE, BEAT),
    (ReleaseStep((START, BIT)), ReleaseStep((VALVE,), (STOPPED, TAKEN)), ReleaseStep((BEAT,))),
    timedelta(minutes=10),
)


@pytest.mark.parametrize(
    "point, holding, fulfilled, may",
    [
        (START, {START, BIT, VALVE, BEAT}, set[Condition](), True),
        (VALVE, {BIT, VALVE}, {STOPPED}, False),
        (VALVE, {VALVE}, set[Condition](), False),
        (VALVE, {VALVE}, {STOPPED}, True),
        (VALVE, {VALVE}, {TAKEN}, True),
        (BEAT, {VALVE, BEAT}, {STOPPED}, False),
        (BEAT, {BEAT}, set[Condition](), True),
    ],
)
def test_points_are_let_go_step_by_step(
    point: PointId, holding: set[PointId], fulfilled: set[Condition], may: bool
) -> None:
    assert ReleaseOrder(SYSTEM).may_let_go(point, holding, fulfilled) is may


@pytest.mark.parametrize(
    "fulfilled, may",
    [
        ({STOPPED}, False),
        ({STOPPED, CLOSED}, False),
        ({CLOSED, ISOLATED}, False),
        ({STOPPED, CLOSED, ISOLATED}, True),
        ({TAKEN, CLOSED, ISOLATED}, True),
    ],
)
def test_a_step_needs_all_that_it_needs_and_one_of_what_it_comes_after(fulfilled: set[Condition], may: bool) -> None:
    steps = (ReleaseStep((VALVE,), (STOPPED, TAKEN), (CLOSED, ISOLATED)),)
    system = System("plant", NO_TEXT, (VALVE,), steps, timedelta(minutes=10))
    assert ReleaseOrder(system).may_let_go(VALVE, {VALVE}, fulfilled) is may
