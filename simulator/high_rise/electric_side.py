"""The high-rise's electric side: photovoltaics on its roof, a battery, charging points on one feeder.

References
----------
[1] IEC 61851-1:2017, annex A: currents from 6 A on; a supply may lower them at any time.
[2] IEC 60364-7-722:2018, 722.311: without load management a feeder has to carry all its points at once; where it does
    not, something has to share it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from simulator.plant import battery, ev_charger
from simulator.plant.battery import BatteryModel, BatteryOutput
from simulator.plant.ev_charger import LEAST_CURRENT, Car, ChargerModel, ChargerOutput, Session
from simulator.plant.photovoltaics import PvModel

_USED_ON_WORKING_DAYS, _USED_AT_WEEKENDS = 0.9, 0.3


@dataclass(frozen=True, slots=True)
class ElectricModel:
    """photovoltaics; battery; charger: each of a number of points on one feeder of so many amperes a phase."""

    photovoltaics: PvModel
    battery: BatteryModel
    charger: ChargerModel
    points: int
    feeder: float


ROOF_AND_GARAGE = ElectricModel(
    # 550 panels of 0.4 kW on the roof and over the ramp
    PvModel(peak=220.0, inverter=200.0, tilt=10.0, azimuth=180.0),
    BatteryModel(capacity=430.0, charging=200.0, discharging=200.0, rest=0.8),
    ChargerModel(),
    points=8,
    feeder=160.0,
)


class ElectricState(NamedTuple):
    """content of the battery [kWh]; cars at the points; unmet: energy that cars have left without [kWh]."""

    content: float
    cars: tuple[Car | None, ...]
    unmet: float = 0.0


class ElectricInput(NamedTuple):
    """sun: power of the photovoltaics [kW]; sessions of the day at each point; second of that day; battery: wanted
    power, positive to charge [kW]; limits: current of each point [A], None to leave them to the feeder's own controls.
    """

    sun: float
    sessions: Sequence[Session | None]
    second: float
    battery: float
    limits: Sequence[float] | None = None


class ElectricOutput(NamedTuple):
    """photovoltaics: power made [kW]; battery; points; charging: power of all points [kW]."""

    photovoltaics: float
    battery: BatteryOutput
    points: tuple[ChargerOutput, ...]
    charging: float


def resting(model: ElectricModel) -> ElectricState:
    """Battery as it is kept, no cars."""
    return ElectricState(model.battery.most * model.battery.capacity, (None,) * model.points)


def first_come_first_served(model: ElectricModel, cars: Sequence[Car | None]) -> tuple[float, ...]:
    """The feeder's own controls: whoever came first gets all that his point can, and so on while the feeder has 6 A
    left [1], [2]; who comes later waits until somebody is full or goes.
    """
    left, limits = model.feeder, [0.0] * len(cars)
    waiting = [
        (car.session.arrival, index)
        for index, car in enumerate(cars)
        if car is not None and car.charged < car.session.need
    ]
    for _, index in sorted(waiting):
        limits[index] = min(left, model.charger.current) if left >= LEAST_CURRENT else 0.0
        left -= limits[index]
    return tuple(limits)


def day_of_cars(seed: int, day: int, weekday: int, points: int) -> tuple[Session | None, ...]:
    """Sessions of a day (proleptic ordinal; 0 = Monday), the same for the same seed."""
    share = _USED_ON_WORKING_DAYS if weekday < 5 else _USED_AT_WEEKENDS
    return tuple(ev_charger.sessions(random.Random(f"{seed}/cars/{day}"), points, share=share))


def step(
    model: ElectricModel, state: ElectricState, seen: ElectricInput, dt: float
) -> tuple[ElectricState, ElectricOutput]:
    """The electric side after dt [s]. Energy closes by battery and by charger."""
    content, stored = battery.step(model.battery, state.content, seen.battery, dt)
    present: list[Car | None] = []
    unmet = state.unmet
    for standing, session in zip(state.cars, seen.sessions, strict=True):
        car = standing
        if car is not None and (car.session != session or seen.second >= car.session.departure):
            unmet += ev_charger.unmet([car])
            car = None
        present.append(car or ev_charger.arriving(session, seen.second))
    limits = first_come_first_served(model, present) if seen.limits is None else seen.limits
    done = [ev_charger.step(model.charger, car, limit, dt) for car, limit in zip(present, limits, strict=True)]
    points = tuple([output for _, output in done])
    charging = sum([output.power for output in points])
    after = ElectricState(content, tuple([car for car, _ in done]), unmet)
    return after, ElectricOutput(seen.sun, stored, points, charging)
