"""A week of the demo's chilled-water storage: heat by band, the building's water, and the bill against the original.

The controls: the same judgement of a plant whose strategy is off, and of one that takes valleys for peaks.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from controller.cli.simulate import engine_of
from controller.cli.site_folder import load_site
from controller.core.strategy import Mode
from controller.core.tariff_calendar import Band
from simulator.engine import Engine
from tests.storage_demo import START, STEP_S, Record, bits, observed, storage_alone, with_bands_swapped
from tests.virtual_demo import DEMO

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WEEK_HOURS, DAY_HOURS = 7 * 24 + 0.5, 24.5
SHARE_IN_BAND = 0.99
# Of heat that stirs while a valve closes or opens at the edge of a band; the tank takes more than 2000 kWh a day.
NEGLIGIBLE_KWH = 0.5


def original(hours: float) -> Record:
    """The plant under its original controls."""
    site = load_site(DEMO)
    assert site.tariff is not None
    engine = engine_of(site, START, None, None, 0)
    assert isinstance(engine, Engine)
    record = Record()
    for _ in range(round(hours * 3600.0 / STEP_S)):
        energy, before = engine.plant.energy(), bits(engine)
        engine.advance(engine.now + timedelta(seconds=STEP_S), 0.0)
        record.look(engine, site.tariff, engine.plant.energy() - energy, before)
    return record


def failures(record: Record, original_bill: float) -> list[str]:
    """What is wrong with a week or a day of storage."""
    found = [*record.order[:3]]
    if outside := sum(kwh for band, kwh in record.charged.items() if not band.is_valley):
        found += [f"charged {outside:.1f} kWh outside valley bands"] if outside > NEGLIGIBLE_KWH else []
    if outside := sum(kwh for band, kwh in record.discharged.items() if not band.is_peak):
        found += [f"discharged {outside:.1f} kWh outside peak bands"] if outside > NEGLIGIBLE_KWH else []
    if record.share_in_band < SHARE_IN_BAND:
        found.append(f"the supply was in its band for {record.share_in_band:.2%} of the running time")
    if record.bill >= original_bill:
        found.append(f"the bill of {record.bill:.2f} is not below the original's {original_bill:.2f}")
    return found


@pytest.fixture(scope="module")
def week() -> Record:
    return observed(WEEK_HOURS, storage_alone())


@pytest.fixture(scope="module")
def original_week() -> Record:
    return original(WEEK_HOURS)


@pytest.fixture(scope="module")
def original_day() -> Record:
    return original(DAY_HOURS)


def test_the_week_is_charged_in_valleys_discharged_at_peaks_in_band_and_cheaper(
    week: Record, original_week: Record
) -> None:
    assert failures(week, original_week.bill) == []
    assert [event for event in week.events if event.kind == "alarm"] == []


def test_the_week_shifts_most_of_the_peak(week: Record, original_week: Record) -> None:
    """Six days with cooling: the plant's energy at the peak falls by more than four fifths, the bill by a third."""
    peak, peak_before = (each.used[Band.PEAK] + each.used[Band.SUPER_PEAK] for each in (week, original_week))
    assert peak < 0.2 * peak_before
    assert week.bill < 0.67 * original_week.bill
    assert sum(week.discharged.values()) > 6 * 1500.0
    assert week.modes[0] == week.modes[-1] == "direct"
    assert week.modes.count("discharge") == 12


def test_the_strategy_that_is_off_fails(original_day: Record) -> None:
    without = observed(DAY_HOURS, storage_alone(Mode.OFF))
    assert any("is not below the original's" in failure for failure in failures(without, original_day.bill))


def test_a_strategy_that_takes_valleys_for_peaks_fails(original_day: Record) -> None:
    swapped = failures(observed(DAY_HOURS, with_bands_swapped), original_day.bill)
    assert any("outside valley bands" in failure for failure in swapped)
    assert any("is not below the original's" in failure for failure in swapped)
