"""What is learnt of a clean chiller, and what is left unsaid."""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest

from controller.core.clean_baseline import FEWEST_HOURS, CleanBaseline, OperatingHour, clean_baseline
from controller.core.machine_condition import advice, condition

START = datetime(2026, 5, 1, tzinfo=UTC)
DAY = date(2026, 5, 1)


def hours(count: int, dirt: float = 0.0, *, load: float | None = None, seed: int = 1) -> list[OperatingHour]:
    """A Carnot machine of 60 % between 5 °C and a condenser that is dirty by so many K; the meters scatter by 1 %."""
    chance = random.Random(seed)
    found: list[OperatingHour] = []
    for index in range(count):
        cooling = load or chance.uniform(300.0, 1000.0)
        leaving = chance.uniform(26.0, 35.0)
        approach = 0.4 + 1.3 * cooling / 1000 + dirt
        power = cooling * (leaving + approach - 5.0) / 278.15 / 0.6 + 10.0
        found.append(
            OperatingHour(
                START + timedelta(hours=index),
                power * chance.gauss(1.0, 0.01),
                cooling * chance.gauss(1.0, 0.01),
                leaving - 7.0,
                approach + chance.gauss(0.0, 0.1),
            )
        )
    return found


def learnt(given: list[OperatingHour]) -> CleanBaseline:
    baseline = clean_baseline(given, DAY, DAY)
    assert baseline is not None
    return baseline


def test_too_few_hours_teach_nothing() -> None:
    assert clean_baseline(hours(FEWEST_HOURS - 1), DAY, DAY) is None


@pytest.mark.parametrize("dirt", [0.0, 1.5, 3.0])
def test_dirt_is_found_in_kilowatts(dirt: float) -> None:
    now = hours(100, dirt, seed=2)
    found = condition(learnt(hours(300)), now, None)
    assert found.power is not None
    assert found.approach is not None
    true = sum((each.cooling or 0.0) * dirt / 278.15 / 0.6 for each in now) / len(now)
    assert found.power.extra_kw == pytest.approx(true, abs=1.0)
    assert found.approach.rise == pytest.approx(dirt, abs=0.1)
    assert found.is_fouled == (dirt > 1.0)


def test_wild_hours_hide_nothing_and_tell_nothing() -> None:
    """A tenth of the hours of which a meter was wrong by half, while learning and while comparing."""

    def spoilt(given: list[OperatingHour]) -> list[OperatingHour]:
        return [
            OperatingHour(each.start, each.power * (1.5 if index % 10 == 0 else 1.0), each.cooling, each.lift)
            for index, each in enumerate(given)
        ]

    baseline = learnt(spoilt(hours(300)))
    assert not condition(baseline, spoilt(hours(100, seed=2)), None).is_wasteful
    assert condition(baseline, spoilt(hours(100, 5.0, seed=2)), None).is_wasteful


def test_nothing_is_said_of_loads_and_lifts_that_were_never_learnt() -> None:
    baseline = learnt(hours(300))
    (hour,) = hours(1, load=600.0)
    assert baseline.clean_power(hour) is not None
    for cooling, lift in ((150.0, hour.lift), (1300.0, hour.lift), (600.0, 40.0), (600.0, None)):
        assert baseline.clean_power(OperatingHour(START, 100.0, cooling, lift)) is None
    assert condition(baseline, [OperatingHour(START, 100.0, 150.0, 20.0)] * 50, None).power is None


def test_a_machine_that_always_ran_at_one_load_is_compared_there_alone() -> None:
    baseline = learnt(hours(300, load=800.0))
    assert not baseline.follows_load
    found = condition(baseline, hours(50, load=800.0, seed=2), None)
    assert found.power is not None
    assert found.power.excess == pytest.approx(0.0, abs=0.01)
    assert condition(baseline, hours(50, load=500.0, seed=2), None).power is None


def test_few_hours_raise_nothing() -> None:
    found = condition(learnt(hours(300)), hours(11, 5.0, seed=2), None)
    assert (found.power, found.approach) == (None, None)
    assert advice(found, "CNY") is None


def test_what_was_told_stays_until_it_is_clearly_better() -> None:
    baseline, now = learnt(hours(300)), hours(100, 0.85, seed=2)
    assert not condition(baseline, now, None).is_fouled
    assert condition(baseline, now, None, was_told=True).is_fouled
    assert not condition(baseline, hours(100, 0.5, seed=2), None, was_told=True).is_fouled


# --- real chillers


def curves(reference: Path) -> Iterator[Mapping[str, str]]:
    with gzip.open(reference / "chillers" / "chiller_curves.csv.gz", "rt", encoding="utf-8") as file:
        yield from (row for row in csv.DictReader(file) if row["model"] == "EIR")


def catalogue_hour(row: Mapping[str, str], chance: random.Random) -> OperatingHour:
    """An hour of a catalogue machine between 30 % and full load."""

    def number(name: str) -> float:
        return float(row[name])

    chilled = number("t_chws_ref_c") + chance.uniform(0.0, 2.0)
    warmest = number("t_con_max_c")
    condenser = chance.uniform(max(number("t_con_min_c"), warmest - 10.0), warmest)
    share = chance.uniform(0.3, 1.0)

    def of_temperatures(name: str) -> float:
        a = [number(f"{name}_{index}") for index in range(1, 7)]
        cold, warm = chilled, condenser
        return a[0] + a[1] * cold + a[2] * cold**2 + a[3] * warm + a[4] * warm**2 + a[5] * cold * warm

    of_load = sum(number(f"EIRFunPLR_{index + 1}") * share**index for index in range(3))
    capacity = number("capacity_kw") * of_temperatures("capFunT")
    power = capacity * of_temperatures("EIRFunT") * of_load / number("cop_ref")
    return OperatingHour(START, power, capacity * share, condenser - chilled)


@pytest.mark.slow
@pytest.mark.reference
def test_real_chillers_follow_the_form_of_the_baseline(reference: Path) -> None:
    errors: list[float] = []
    for row in curves(reference):
        chance = random.Random(1)
        baseline = learnt([catalogue_hour(row, chance) for _ in range(250)])
        later = [catalogue_hour(row, chance) for _ in range(100)]
        known = [(each.power, clean) for each in later if (clean := baseline.clean_power(each)) is not None]
        assert len(known) > 60
        errors.append(median(abs(power / clean - 1.0) for power, clean in known))
    errors.sort()
    assert len(errors) == 120
    assert median(errors) < 0.01
    assert errors[int(0.9 * len(errors))] < 0.02
