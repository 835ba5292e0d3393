"""When a store is worth charging and discharging under a tariff, and how much it has to hold.

A store is charged in valley bands and discharged in peak bands, where the spread of prices pays for what storing
costs: storage priority at the peak (ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 51 "Thermal storage"),
with the amount taken from a forecast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controller.core.forecast import STEP, Forecast
from controller.core.tariff import Stretch, Tariff
from controller.core.tariff_calendar import Band

_LOOKED_BACK = timedelta(hours=24)
_LOOKED_AHEAD = timedelta(hours=48)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end), aware UTC."""

    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Charging:
    """By its end the store holds `target` [kWh]. forecast: the need was forecast; else the store is filled."""

    window: Window
    target: float
    forecast: bool


@dataclass(frozen=True, slots=True)
class StoragePlan:
    """Between start and end: when to charge and to what, and when to discharge. Times aware UTC."""

    start: datetime
    end: datetime
    charging: tuple[Charging, ...]
    discharging: tuple[Window, ...]

    def charging_at(self, at: datetime) -> Charging | None:
        return next((each for each in self.charging if each.window.holds(at)), None)

    def discharging_at(self, at: datetime) -> Window | None:
        return next((each for each in self.discharging if each.holds(at)), None)


@dataclass(frozen=True, slots=True)
class Store:
    """capacity: content of a full store [kWh]; unusable: what is left when it counts as empty [kWh].

    reserve: share stored beyond the forecast. cost_ratio: price in the valley over price at the peak below which a
    kilowatt-hour from the store is the cheaper one.
    """

    capacity: float
    unusable: float
    reserve: float
    cost_ratio: float


def planned(
    now: datetime, tariff: Tariff, forecast: Forecast | None, store: Store, stored: float | None
) -> StoragePlan:
    """The plan from a day ago to two days ahead. stored: present content [kWh], None where it is not known."""
    start, end = now - _LOOKED_BACK, now + _LOOKED_AHEAD
    stretches = tuple(tariff.stretches(start, end))
    charging: list[Charging] = []
    discharging: list[Stretch] = []
    valleys = _windows(stretches, lambda band: band.is_valley)
    usable = store.capacity - store.unusable
    for valley, following in zip(valleys, [*(each.start for each in valleys[1:]), end], strict=True):
        price = _mean_price(stretch for stretch in stretches if valley.start <= stretch.start < valley.end)
        peaks = [
            each
            for each in stretches
            if each.band.is_peak and valley.end <= each.start < following and price < store.cost_ratio * each.price
        ]
        if peaks:
            present = None if valley.end > now or stored is None else stored - store.unusable
            chosen, need = _chosen(peaks, now, forecast, usable if present is None else present)
            discharging += chosen
            target = store.unusable + (usable if need is None else min(usable, need * (1.0 + store.reserve)))
            charging.append(Charging(valley, target, forecast=need is not None))
    return StoragePlan(start, end, tuple(charging), _joined(discharging))


def forecast_energy(forecast: Forecast | None, start: datetime, end: datetime) -> float | None:
    """Forecast energy [kWh] of a load [kW] in [start, end); None where the forecast does not reach over all of it."""
    if forecast is None or start < forecast.start or end > forecast.start + STEP * len(forecast.values):
        return None
    energy = 0.0
    for index, value in enumerate(forecast.values):
        begins = forecast.start + index * STEP
        overlap = min(end, begins + STEP) - max(start, begins)
        if overlap > timedelta(0):
            energy += max(0.0, value) * (overlap / _HOUR)
    return energy


def _chosen(
    peaks: Sequence[Stretch], now: datetime, forecast: Forecast | None, available: float
) -> tuple[list[Stretch], float | None]:
    """The stretches that the store serves, and the energy [kWh] that all of them need from now on.

    Where `available` [kWh] is not enough, a stretch begins later, so that dearer ones after it are served. Without a
    forecast over all of them: every stretch, and None.
    """
    chosen: list[Stretch] = []
    total, left = 0.0, max(0.0, available)
    for peak in sorted(peaks, key=lambda each: -each.price):
        begins = min(max(peak.start, now), peak.end)
        need = 0.0 if begins == peak.end else forecast_energy(forecast, begins, peak.end)
        if need is None:
            return list(peaks), None
        total += need
        if need > left and any(dearer.start >= peak.end for dearer in chosen):
            peak = peak._replace(start=peak.end - (peak.end - begins) * (left / need))
        if peak.start < peak.end:
            chosen.append(peak)
        left = max(0.0, left - need)
    return chosen, total


def _windows(stretches: Sequence[Stretch], is_wanted: Callable[[Band], bool]) -> list[Window]:
    return [*_joined(stretch for stretch in stretches if is_wanted(stretch.band))]


def _joined(stretches: Iterable[Stretch]) -> tuple[Window, ...]:
    """Neighbours as one, whatever their price."""
    joined: list[Window] = []
    for each in sorted(stretches):
        if joined and joined[-1].end == each.start:
            joined[-1] = replace(joined[-1], end=each.end)
        else:
            joined.append(Window(each.start, each.end))
    return tuple(joined)


def _mean_price(stretches: Iterable[Stretch]) -> float:
    """Over time."""
    hours = money = 0.0
    for each in stretches:
        duration = (each.end - each.start) / _HOUR
        hours += duration
        money += each.price * duration
    return money / hours
