"""The cases of a backtest: seeds times variations, and what their sides have brought."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, time, timedelta
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from controller.cli.backtest_sides import Lived, Progress, Side, Task, live_all
from controller.cli.virtual_days import Period
from controller.core.site import Site
from controller.core.text import Text
from simulator.kpi import Figures, Saving, saving, valley_price
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
    """What is to be lived: each side in each case. The first side is what the others are compared with; `site` has the
    strategies of the site itself."""

    site: Site
    period: Period
    sides: Sequence[Side]
    cases: Sequence[Case]
    site_with: Mapping[Path, Site]
    """By strategies file, the site of a side that has strategies of its own."""

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
    """One case over the days that all sides have behind them. saved: by side, against the first one."""

    case: Case
    days: int
    lived: Mapping[str, Lived]
    totals: Mapping[str, Figures]
    saved: Mapping[str, Saving]

    def computing(self, side: str) -> float:
        """Processor time of a day [s], the simulated plant included."""
        return sum(self.lived[side].computing) / self.days


@dataclass(frozen=True, slots=True)
class Result:
    """Cases without a whole day on every side are left out; is_complete: none is, and none is shorter than asked."""

    backtest: Backtest
    outcomes: Sequence[Outcome]
    is_complete: bool

    @property
    def nominal(self) -> Outcome:
        """The site as it is, with the first seed."""
        return self.outcomes[0]


def run_backtest(
    backtest: Backtest, keep: Path | None, progress: Progress, is_asked_to_stop: Callable[[], bool]
) -> Result | None:
    """None where it was stopped before there was anything to compare."""
    return result_of(backtest, live_all(backtest.tasks(keep), progress, is_asked_to_stop))


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
    end = datetime.combine(period.first + timedelta(days=days), time(), site.zone).timestamp()
    lived = {
        name: Lived(each.figures[:days], tuple(one for one in each.quarters if one.start < end), each.computing[:days])
        for name, each in sides.items()
    }
    totals = {name: total(each.figures) for name, each in lived.items()}
    price = valley_price(site.tariff, datetime.combine(period.first + timedelta(days=days - 1), time(12), site.zone))
    reference = totals[backtest.sides[0].name]
    saved = {side.name: saving(totals[side.name], reference, site.tariff, price) for side in backtest.sides[1:]}
    return Outcome(case, days, lived, totals, saved)


def total(days: Sequence[Figures]) -> Figures:
    """Sums, but the greatest of the peaks."""
    sums: dict[str, Any] = {
        each.name: sum(getattr(day, each.name) for day in days) for each in fields(Figures) if each.name != "peak"
    }
    return Figures(**sums, peak=max(day.peak for day in days))
