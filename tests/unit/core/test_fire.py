"""The state of a fire input: what latches, what a doubtful value counts as, and which input a light follows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.fire import (
    STEADY_S,
    FireInput,
    FireState,
    Signal,
    Standing,
    inhibited_by,
    lit_by,
    seen,
    signal_of,
)
from controller.core.inhibition import Inhibition, combined
from controller.core.point import PointId
from controller.core.sample import Quality, Sample, Scalar
from controller.core.text import Text

LAMP, FAN, PUMP = PointId("a.lamp_1.command"), PointId("a.fan_1.command"), PointId("a.pump_1.command")
NORTH = FireInput(PointId("a.panel_1.fire_alarm"), False, (LAMP,), (FAN,), (PUMP,))
SOUTH = FireInput(PointId("a.panel_2.fire_alarm"), False, (LAMP,), (FAN,))


@pytest.mark.parametrize(
    "value, quality, signal",
    [
        (False, Quality.GOOD, Signal.FIRE),
        (True, Quality.GOOD, Signal.CLEAR),
        (False, Quality.UNCERTAIN, Signal.FIRE),
        (True, Quality.UNCERTAIN, Signal.LOST),
        (True, Quality.BAD, Signal.LOST),
        (False, Quality.BAD, Signal.LOST),
        (None, Quality.BAD, Signal.LOST),
    ],
)
def test_a_value_in_doubt(value: Scalar | None, quality: Quality, signal: Signal) -> None:
    sample = Sample(value, quality, "", datetime(2026, 7, 6, tzinfo=UTC), 0.0)
    assert signal_of(sample, False) is signal


@given(st.lists(st.tuples(st.sampled_from(Signal), st.floats(0.1, 30.0)), max_size=40))
def test_what_holds_whatever_an_input_shows(shown: list[tuple[Signal, float]]) -> None:
    standing, now, clear_for, had_fire = Standing(), 0.0, 1000.0, False
    for signal, after in shown:
        now += after
        clear_for = clear_for + after if signal is Signal.CLEAR and clear_for > 0 else 0.0
        if signal is Signal.CLEAR and clear_for == 0.0:
            clear_for = 1e-9
        had_fire |= signal is Signal.FIRE
        standing = seen(standing, signal, now)
        assert standing.is_latched == had_fire  # nothing but a person ends it
        assert standing.lights_up or signal is Signal.CLEAR
        if signal is not Signal.CLEAR:
            assert standing.signal is signal  # at once
        elif clear_for > STEADY_S + 1e-6:
            assert standing.signal is Signal.CLEAR
        elif clear_for < STEADY_S - 1e-6:
            assert standing.signal is not Signal.CLEAR


def test_a_light_follows_the_worst_of_its_inputs() -> None:
    fire, lost = Standing(is_latched=True, signal=Signal.FIRE), Standing(signal=Signal.LOST)
    for north, south, expected in ((fire, lost, NORTH), (lost, fire, SOUTH), (Standing(), lost, SOUTH)):
        standings = {NORTH.point: north, SOUTH.point: south}
        assert lit_by((NORTH, SOUTH), standings) == {LAMP: expected}
        assert lit_by((SOUTH, NORTH), standings) == {LAMP: expected}
    assert lit_by((NORTH, SOUTH), {NORTH.point: Standing(), SOUTH.point: Standing()}) == {}


@pytest.mark.parametrize("inputs", [(NORTH, SOUTH), (SOUTH, NORTH)])
def test_a_fire_lets_go_what_a_lost_input_would_keep(inputs: tuple[FireInput, ...]) -> None:
    standings = {NORTH.point: Standing(is_latched=True), SOUTH.point: Standing(signal=Signal.LOST)}
    found = inhibited_by(inputs, standings)
    assert (found[FAN].at_once, found[FAN].keeps) == (True, False)
    assert (found[PUMP].at_once, found[PUMP].keeps) == (False, False)


def test_the_states_that_people_see() -> None:
    assert Standing().state is FireState.NORMAL
    assert Standing(is_latched=True).state is FireState.WAITING
    assert Standing(is_latched=True, signal=Signal.LOST).state is FireState.LOST


@given(*[st.builds(Inhibition, st.just(Text(each, each)), *[st.booleans()] * 3) for each in "ab"])
def test_two_inhibitions_are_as_strict_as_the_stricter(first: Inhibition, other: Inhibition) -> None:
    both = combined(first, other)
    assert both.keeps == (first.keeps and other.keeps)
    assert both.spares_life_safety == (first.spares_life_safety and other.spares_life_safety)
    assert both.reason in (first.reason, other.reason)
    if not both.keeps:
        letting_go = [each for each in (first, other) if not each.keeps]
        assert both.at_once == any(each.at_once for each in letting_go)
