"""Where a plant with a tank stands among its steps, and where it goes next: one step at a time, each on proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from controller.core.sample import Scalar
from strategies.blocks.load_shifting import StoragePlan
from strategies.blocks.sequence import Outcome, Progress, awaited
from strategies.blocks.storage_steps import (
    CHARGE,
    CHILLER_RUNS,
    DIRECT,
    PUMPS_RUN,
    PUMPS_STAND,
    STEPS,
    Lasting,
    Plant,
    Proof,
    Step,
    Wait,
    mode_of,
)

_PUMPS = frozenset({"chilled_water_pump", "condenser_water_pump"})
_PAUSE_S = 1800.0


@dataclass(frozen=True, slots=True)
class State:
    """chiller_on: the chiller was running when the sequence began, and goes on. fast: the pump runs at full speed since
    the building drew more than it brought. contested: for how long [s] the plant's mode has been another than that of
    the step. missed: the proof that did not come or was lost, while `pause` [s] lasts.
    """

    progress: Progress = field(default_factory=lambda: Progress(DIRECT))
    chiller_on: bool = False
    fast: bool = False
    contested: float = 0.0
    missed: str = ""
    pause: float = 0.0


class Tank(NamedTuple):
    lower: float
    upper: float
    stored: float


class Seen(NamedTuple):
    """mode: of the plant, as arbitrated. tank: None while one of its sensors is silent. lacks: the machines that are
    not in auto, but for a tripped chiller. tripped: the chiller is, or has been and is not given back to us yet;
    was_reset: its own controls may start it at any moment. calls: the building draws water; draws_more: more than the
    pump brings.
    """

    mode: Scalar | None
    plant: Plant
    tank: Tank | None
    lacks: frozenset[str]
    tripped: bool
    was_reset: bool
    calls: bool
    draws_more: bool


class Times(NamedTuple):
    """In seconds. within: how long a proof may take; lasting: how long it must last."""

    within: Mapping[Wait, float]
    lasting: Mapping[Lasting, float]


def aged(state: State, site: Seen, elapsed: float) -> State:
    """The same step, `elapsed` seconds later."""
    pause = max(0.0, state.pause - elapsed)
    fast = mode_of(state.progress.step) == CHARGE and site.calls and (state.fast or site.draws_more)
    is_contested = state.progress.step in STEPS and site.mode != mode_of(state.progress.step)
    contested = state.contested + elapsed if is_contested else 0.0
    missed = state.missed if pause else ""
    if (fast, contested, missed, pause) == (state.fast, state.contested, state.missed, state.pause):
        return state
    return replace(state, fast=fast, contested=contested, missed=missed, pause=pause)


def stepped(state: State, site: Seen, mode: str, times: Times, elapsed: float) -> State:
    """The state after at most one change of step towards `mode`, `elapsed` seconds later."""
    step = STEPS.get(state.progress.step)
    if step is None:
        return state if mode == DIRECT else _begun(state, site.plant, mode)
    if step.leave and mode != step.mode:
        return _at(state, _way_back(step, site))
    lost = next((proof for proof in step.keeps if not proof.holds(site.plant)), None)
    if lost is not None:
        return _missed(state, step, lost)
    if step.awaits is None or step.within is None:
        return state
    lasting = 0.0 if step.lasting is None else times.lasting[step.lasting]
    progress, outcome = awaited(
        state.progress,
        step.awaits.holds(site.plant),
        lasting=lasting,
        within=times.within[step.within] + lasting,
        elapsed=elapsed,
    )
    if outcome is Outcome.PROVEN:
        return _at(state, step.then)
    return _missed(state, step, step.awaits) if outcome is Outcome.TIMED_OUT else replace(state, progress=progress)


def in_time(state: State, plan: StoragePlan | None, now: datetime, valve_timeout: timedelta) -> State:
    """The state, or the step that closes where a valve could be open beyond its band, or nobody knows."""
    step = STEPS.get(state.progress.step)
    if step is None or not step.wish.opens_valve:
        return state
    window = None
    if plan is not None:
        charging = plan.charging_at(now)
        window = (charging and charging.window) if step.mode == CHARGE else plan.discharging_at(now)
    if window is not None and now < window.end - valve_timeout:
        return state
    return _at(state, step.otherwise) if step.awaits is None else _missed(state, step, step.awaits)


def _begun(state: State, plant: Plant, mode: str) -> State:
    """The first step towards a mode."""
    chiller_on = all(proof.holds(plant) for proof in (*PUMPS_RUN, CHILLER_RUNS))
    first = "stop_pumps" if PUMPS_STAND.holds(plant) else "rest_chiller"
    return replace(_at(state, "start_condenser_water_pump" if mode == CHARGE else first), chiller_on=chiller_on)


def _way_back(step: Step, site: Seen) -> str:
    """Where to go once the mode of the step is not wanted any more."""
    has_pumps = _PUMPS.isdisjoint(site.lacks) and all(proof.holds(site.plant) for proof in PUMPS_RUN)
    # A chiller that is not ours to stop, or that the building needs, goes on; but never without its pumps.
    goes_on = site.plant.chiller_runs and (site.calls or "chiller" in site.lacks)
    if step.leave == "stop_chiller" and has_pumps and goes_on:
        return "leave_tank"
    is_served = site.was_reset or not (site.tripped or site.lacks)
    if step.leave == "restart_condenser_water_pump" and not (is_served and site.calls):
        return "close_discharge_valve"
    return step.leave


def _at(state: State, step: str) -> State:
    return replace(state, progress=Progress(step))


def _missed(state: State, step: Step, proof: Proof) -> State:
    return replace(_at(state, step.otherwise), missed=proof.name, pause=_PAUSE_S)
