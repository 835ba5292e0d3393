"""The cases of a backtest: seeds times variations, and what their sides have brought."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from controller.cli.backtest_sides import Lived, Progress, RunEnded, Side, Task, live_all
from controller.cli.virtual_days import Period
from controller.core.errors import EnvironmentProblem
from controller.core.site import Site
from controller.core.text import Text
from simulator.demand_charge import demand_charge, has_demand_charge
from simulator.kpi import Figures
from simulator.load import LoadRecord
from simulator.saving import Saving, Terms, saving, saving_at_equal_cooling, valley_price
from simulator.variation import NOMINAL, VARIED, Variation, variations

_QUANTITIES: Mapping[str, Text] = {
    "load": Text("load", "负荷"),
    "traffic": Text("traffic", "车流"),
    "tank": Text("tank", "水箱"),
}


class Case(NamedTuple):
    seed: int
    variation: Variation = NOMINAL

    def title(self) -> Text:
        """What is told of it: seed 3, load -30 %."""
        english, chinese = [f"seed {self.seed}"], [f"种子 {self.seed}"]
        for name in VARIED:
            if by := getattr(self.variation, name) - 1.0:
                english.append(f"{_QUANTITIES[name].en} {by:+.0%}")
                chinese.append(f"{_QUANTITIES[name].zh} {by:+.0%}")
        return Text(", ".join(english), "，".join(chinese))


def cases(first_seed: int, seeds: int, varied: Sequence[str]) -> list[Case]:
    """Every variation over every seed, the site as it is first."""
    return [Case(seed, each) for each, seed in product(variations(varied), range(first_seed, first_seed + seeds))]


@dataclass(frozen=True, slots=True)
class Backtest:
    """What is to be lived: each side in each case. Baselines come first, and each is what all that come later are
    compared with; `site` has the strategies of the site itself."""

    site: Site
    period: Period
    sides: Sequence[Side]
    cases: Sequence[Case]
    site_with: Mapping[Path, Site]
    """By strategies file, the site of a side that has strategies of its own."""
    loads: Sequence[LoadRecord] = ()
    """The building's own, as the plant takes them in the first case."""

    @property
    def baselines(self) -> list[Side]:
        return [side for side in self.sides if side.is_baseline]

    @property
    def ours(self) -> list[Side]:
        """Those in Tidewatt's hands."""
        return [side for side in self.sides if not side.is_baseline]

    def later_than(self, reference: Side) -> list[Side]:
        """Sides that are compared with this one."""
        return list(self.sides[self.sides.index(reference) + 1 :])

    def tasks(self, keep: Path | None) -> list[Task]:
        """By case, then by side."""
        return [
            Task(self.site_of(side), replace(self.period, seed=case.seed, variation=case.variation), side, keep)
            for case, side in product(self.cases, self.sides)
        ]

    def site_of(self, side: Side) -> Site:
        return self.site if side.strategies is None else self.site_with[side.strategies]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case over the days that all sides have behind them. terms: of money and carbon. saved_against: at equal
    cooling, saved_as_lived: as both have lived; by baseline, then by each later side. demand_charges: by side; empty
    where the tariff has none."""

    case: Case
    days: int
    lived: Mapping[str, Lived]
    totals: Mapping[str, Figures]
    terms: Terms
    saved_against: Mapping[str, Mapping[str, Saving]]
    saved_as_lived: Mapping[str, Mapping[str, Saving]]
    demand_charges: Mapping[str, float]

    @property
    def saved(self) -> Mapping[str, Saving]:
        """By side, against the first one, at equal cooling."""
        return next(iter(self.saved_against.values()))

    def computing(self, side: str) -> float:
        """Processor time of a day [s], the simulated plant included."""
        return sum(self.lived[side].computing) / self.days


@dataclass(frozen=True, slots=True)
class Result:
    """Cases without a whole day on every side are left out; is_complete: none is, and none is shorter than asked.
    trouble: why a run could not go on."""

    backtest: Backtest
    outcomes: Sequence[Outcome]
    is_complete: bool
    trouble: EnvironmentProblem | None = None

    @property
    def nominal(self) -> Outcome:
        """The site as it is, with the first seed."""
        return self.outcomes[0]


def run_backtest(
    backtest: Backtest, keep: Path | None, progress: Progress, is_asked_to_stop: Callable[[], bool]
) -> Result | None:
    """None where it was stopped before there was anything to compare. Raises EnvironmentProblem where a run could not
    go on before there was."""
    try:
        lived = live_all(backtest.tasks(keep), progress, is_asked_to_stop, together=len(backtest.sides))
    except RunEnded as error:
        result = result_of(backtest, error.lived)
        if result is None:
            raise
        return replace(result, trouble=error)
    return result_of(backtest, lived)


def result_of(backtest: Backtest, lived: Sequence[Lived]) -> Result | None:
    """lived: by case, then by side. None where there is nothing to compare."""
    count = len(backtest.sides)
    names = [side.name for side in backtest.sides]
    outcomes: list[Outcome] = []
    for number, case in enumerate(backtest.cases):
        sides = dict(zip(names, lived[number * count : (number + 1) * count], strict=True))
        days = min(len(each.figures) for each in sides.values())
        if days:
            outcomes.append(_outcome(backtest, case, days, sides))
    if not outcomes or outcomes[0].case != backtest.cases[0]:
        return None
    is_complete = len(outcomes) == len(backtest.cases) and all(each.days == backtest.period.days for each in outcomes)
    return Result(backtest, outcomes, is_complete)


def _outcome(backtest: Backtest, case: Case, days: int, sides: Mapping[str, Lived]) -> Outcome:
    site, period = backtest.site, backtest.period
    last = period.first + timedelta(days=days)
    end = datetime.combine(last, time(), site.zone).timestamp()
    lived = {
        name: Lived(each.figures[:days], tuple(one for one in each.quarters if one.start < end), each.computing[:days])
        for name, each in sides.items()
    }
    totals = {name: total(each.figures) for name, each in lived.items()}
    last_noon = datetime.combine(period.first + timedelta(days=days - 1), time(12), site.zone)
    terms = Terms(site.tariff, site.gas, site.water, valley_price(site.tariff, last_noon))
    equal = _compared(backtest, totals, partial(saving_at_equal_cooling, terms=terms))
    as_lived = _compared(backtest, totals, partial(saving, terms=terms))
    charges = _demand_charges(site, lived, period.first, last)
    return Outcome(case, days, lived, totals, terms, equal, as_lived, charges)


def _compared(
    backtest: Backtest, totals: Mapping[str, Figures], saved: Callable[[Figures, Figures], Saving]
) -> dict[str, dict[str, Saving]]:
    """saved: by ours against a reference."""
    return {
        reference.name: {
            side.name: saved(totals[side.name], totals[reference.name]) for side in backtest.later_than(reference)
        }
        for reference in backtest.baselines
    }


def _demand_charges(site: Site, lived: Mapping[str, Lived], first: date, end: date) -> dict[str, float]:
    tariff = site.tariff
    if tariff is None or not has_demand_charge(tariff, first, end):
        return {}
    return {name: demand_charge(tariff, each.quarters, first, end) for name, each in lived.items()}


def total(days: Sequence[Figures]) -> Figures:
    """Sums, but the greatest of the peaks."""
    sums: dict[str, Any] = {
        each.name: sum(getattr(day, each.name) for day in days) for each in fields(Figures) if each.name != "peak"
    }
    return Figures(**sums, peak=max(day.peak for day in days))
