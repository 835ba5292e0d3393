"""Steps on proof, the table of storage steps as a whole, and energies of a forecast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from controller.core.forecast import Forecast, Source
from strategies.blocks.load_shifting import forecast_energy
from strategies.blocks.sequence import Outcome, Progress, awaited
from strategies.blocks.storage_steps import CHARGE, DIRECT, DISCHARGE, STEPS, Step, mode_of

MIDNIGHT = datetime(2026, 7, 6, tzinfo=UTC)


# --- sequences --------------------------------------------------------------------------------------------------------


def outcomes(*looks: tuple[bool, float], lasting: float = 0.0, within: float = 60.0) -> list[Outcome]:
    progress = Progress("open")
    found: list[Outcome] = []
    for is_proven, elapsed in looks:
        progress, outcome = awaited(progress, is_proven, lasting=lasting, within=within, elapsed=elapsed)
        found.append(outcome)
    return found


def test_a_step_waits_for_its_proof_and_no_longer_than_it_may() -> None:
    assert outcomes((False, 0), (False, 59), (True, 1)) == [Outcome.WAITS, Outcome.WAITS, Outcome.PROVEN]
    assert outcomes((False, 59), (False, 1)) == [Outcome.WAITS, Outcome.TIMED_OUT]


def test_a_proof_must_last_where_that_is_asked_for() -> None:
    """What came before the first sight of it does not count, and a loss begins it anew."""
    waits, proven = Outcome.WAITS, Outcome.PROVEN
    assert outcomes((True, 30), (True, 19), (True, 1), lasting=20.0) == [waits, waits, proven]
    assert outcomes((True, 0), (False, 19), (True, 1), (True, 20), lasting=20.0) == [waits, waits, waits, proven]


# --- the table of steps -----------------------------------------------------------------------------------------------


def followers(step: Step) -> set[str]:
    return {name for name in (step.then, step.otherwise, step.leave) if name}


def test_every_step_leads_to_one_that_exists_and_in_the_end_to_direct() -> None:
    for name, step in STEPS.items():
        assert followers(step) <= {*STEPS, DIRECT}, name
        assert step.mode in (CHARGE, DISCHARGE)
        seen, left = {name}, followers(step)
        while left and DIRECT not in left:
            seen |= left
            left = {each for here in left for each in followers(STEPS[here])} - seen
        assert DIRECT in left, name


def test_what_no_step_commands() -> None:
    for name, step in STEPS.items():
        wish = step.wish
        assert not (wish.charge_valve and wish.discharge_valve), name
        assert not (wish.charge_valve and step.mode == DISCHARGE), name
        assert not (wish.discharge_valve and step.mode == CHARGE), name
        if wish.chiller:
            assert wish.chilled_water_pump, name
            assert wish.condenser_water_pump, name


@pytest.mark.parametrize("name", STEPS)
def test_a_wait_has_an_end(name: str) -> None:
    """Or it has none because it is a mode, which ends once it is not wanted."""
    step = STEPS[name]
    assert (step.awaits is None) == (step.within is None) == (not step.then)
    assert step.awaits is not None or step.leave


def test_what_is_no_step_is_direct() -> None:
    assert mode_of(DIRECT) == mode_of("a step of another version") == DIRECT


# --- energy of a forecast ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start, end, energy",
    [
        (0, 60, 60.0 + 15.0),
        (15, 45, 10.0 + 20.0),
        (10, 20, 0.0 + 10.0 / 3),
        (30, 30, 0.0),
        (-15, 15, None),
        (45, 75, None),
    ],
)
def test_energy_is_the_area_under_the_forecast(start: int, end: int, energy: float | None) -> None:
    """Quarters of 0, 40, 80 and 180 kW, in kWh; nothing is guessed beyond its ends."""
    forecast = Forecast(MIDNIGHT, (-5.0, 40.0, 80.0, 180.0), Source.MODEL)
    found = forecast_energy(forecast, *(MIDNIGHT + timedelta(minutes=minute) for minute in (start, end)))
    assert found == (None if energy is None else pytest.approx(energy))


def test_without_a_forecast_there_is_no_energy() -> None:
    assert forecast_energy(None, MIDNIGHT, MIDNIGHT + timedelta(hours=1)) is None
