"""How a chiller behaved while it was clean: its specific power and its condenser approach, as it was loaded. Pure.

Specific power (kW of electricity per kW of cold) is a + b/x + c*x + d*lift: x is the load as a share of the greatest
that was usual, lift is leaving condenser water less leaving chilled water. b/x stands for losses that do not fall with
the load, c*x for those that rise with it, and the work for a kW of cold grows with the lift. The lift is that of the
*water*: what fouling adds to it inside the machine then shows as power, not as lift. The form is our own; on the
120 EIR chillers of the Modelica Buildings Library the median error is below 1 %, in nine of ten below 2 % (a test says
so). Condenser approach, saturated condensing temperature less leaving condenser water, is a + b*x.

Nothing is said of hours that are unlike those it was learnt from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from statistics import quantiles

from controller.core.robust_fit import Fit, predicted, robust_fit

# Our own rule: fewer hours do not show how power follows load and weather.
FEWEST_HOURS = 100
# What varies less while it is learnt tells nothing of its influence.
_LEAST_LOAD_SPREAD = 0.1
_LEAST_LIFT_SPREAD_K = 2.0
# How far beyond the learnt range a prediction is still believed, as a share of that range.
_BEYOND = 0.05


@dataclass(frozen=True, slots=True)
class OperatingHour:
    """An hour through which the chiller ran. start: aware UTC. Means in kW and K; None where nothing measures it.

    lift: leaving condenser water less leaving chilled water. approach: of the condenser.
    """

    start: datetime
    power: float
    cooling: float | None = None
    lift: float | None = None
    approach: float | None = None

    @property
    def loading(self) -> float:
        """Cold where it is measured; else the power stands for it."""
        return self.power if self.cooling is None else self.cooling


@dataclass(frozen=True, slots=True)
class Known:
    """A range in which hours were learnt from."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        margin = _BEYOND * (self.high - self.low)
        return self.low - margin <= value <= self.high + margin


@dataclass(frozen=True, slots=True)
class Model:
    """coefficients: of the terms. scale: of its residuals while clean; of specific power as a share, else in K."""

    coefficients: tuple[float, ...]
    scale: float


@dataclass(frozen=True, slots=True)
class CleanBaseline:
    """first, last: local dates that it was learnt from. declared: the site named them. full: kW, the greatest usual
    load. lifts: None where the lift is not measured. follows_load, follows_lift: whether it varied enough to tell."""

    first: date
    last: date
    declared: bool
    hours: int
    full: float
    loads: Known
    follows_load: bool
    lifts: Known | None
    follows_lift: bool
    specific_power: Model | None
    approach: Model | None

    def clean_power(self, hour: OperatingHour) -> float | None:
        """kW that the clean machine would take; None where that is not known."""
        if self.specific_power is None or hour.cooling is None or not self._is_known(hour):
            return None
        ratio = predicted(self.specific_power.coefficients, self._power_terms(hour))
        return ratio * hour.cooling if ratio > 0 else None

    def clean_approach(self, hour: OperatingHour) -> float | None:
        """K that the clean condenser would have; None where that is not known."""
        if self.approach is None or hour.approach is None or not self.loads.holds(hour.loading):
            return None
        return predicted(self.approach.coefficients, self._approach_terms(hour))

    def _is_known(self, hour: OperatingHour) -> bool:
        fits = self.lifts is None or (hour.lift is not None and self.lifts.holds(hour.lift))
        return fits and self.loads.holds(hour.loading)

    def _power_terms(self, hour: OperatingHour) -> list[float]:
        share = hour.loading / self.full
        terms = [1.0, 1.0 / share, share] if self.follows_load else [1.0]
        return [*terms, hour.lift] if self.follows_lift and hour.lift is not None else terms

    def _approach_terms(self, hour: OperatingHour) -> list[float]:
        return [1.0, hour.loading / self.full] if self.follows_load else [1.0]

    def learnt(self, hours: Sequence[OperatingHour]) -> CleanBaseline:
        """The same frame with its models."""
        cold = [each for each in hours if each.cooling is not None and self._is_known(each)]
        warm = [each for each in hours if each.approach is not None]
        power = _model(cold, self._power_terms, lambda each: each.power / (each.cooling or 1.0))
        if power is not None:
            typical = sum(each.power for each in cold) / sum(each.cooling or 0.0 for each in cold)
            power = Model(power.coefficients, power.scale / typical)
        approach = _model(warm, self._approach_terms, lambda each: each.approach or 0.0)
        return replace(self, specific_power=power, approach=approach)


def clean_baseline(
    hours: Sequence[OperatingHour], first: date, last: date, *, declared: bool = False
) -> CleanBaseline | None:
    """What these hours tell; None where they are too few, or nothing can be learnt from them."""
    usable = [each for each in hours if each.loading > 0]
    if len(usable) < FEWEST_HOURS:
        return None
    loads = _range([each.loading for each in usable])
    lifts = [each.lift for each in usable if each.lift is not None]
    known_lifts = _range(lifts) if len(lifts) >= FEWEST_HOURS else None
    frame = CleanBaseline(
        first,
        last,
        declared,
        len(usable),
        full=loads.high,
        loads=loads,
        follows_load=loads.high - loads.low >= _LEAST_LOAD_SPREAD * loads.high,
        lifts=known_lifts,
        follows_lift=known_lifts is not None and known_lifts.high - known_lifts.low >= _LEAST_LIFT_SPREAD_K,
        specific_power=None,
        approach=None,
    )
    found = frame.learnt(usable)
    return None if found.specific_power is None and found.approach is None else found


def _model(
    hours: Sequence[OperatingHour],
    terms: Callable[[OperatingHour], list[float]],
    value: Callable[[OperatingHour], float],
) -> Model | None:
    if len(hours) < FEWEST_HOURS:
        return None
    fit: Fit | None = robust_fit([terms(each) for each in hours], [value(each) for each in hours])
    return None if fit is None else Model(fit.coefficients, fit.scale)


def _range(values: Sequence[float]) -> Known:
    """Without the few that are unlike all others."""
    cuts = quantiles(values, n=50, method="inclusive")
    return Known(cuts[0], cuts[-1])
