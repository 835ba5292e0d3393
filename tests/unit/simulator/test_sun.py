"""The sun against known positions, its light against itself."""

from datetime import UTC, datetime

import pytest

from simulator.sun import NIGHT_ILLUMINANCE, clear_sky_illuminance, clear_sky_irradiance, solar_elevation


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_june_solstice_noon_stands_at_the_obliquity() -> None:
    # 2026-06-21: declination 23.44; noon in Shenzhen (114.06 E) about 04:25 UTC
    best = max(solar_elevation(at(f"2026-06-21T04:{minute:02}:00"), 22.54, 114.06) for minute in range(10, 45))
    assert best == pytest.approx(90.0 - (23.44 - 22.54), abs=0.02)


def test_sets_in_london_when_the_almanac_says() -> None:
    # sunset in London on 2026-03-20: 18:14 UTC (centre at -0.833 deg)
    assert solar_elevation(at("2026-03-20T18:14:00"), 51.5074, -0.1278) == pytest.approx(-0.83, abs=0.15)


@pytest.mark.parametrize("limit", [-12.0, -5.0, -0.8, 5.0, 20.0])
def test_branches_of_the_illuminance_table_meet(limit: float) -> None:
    assert clear_sky_illuminance(limit) == pytest.approx(clear_sky_illuminance(limit + 1e-9), rel=0.02)


def test_light_grows_with_the_sun_through_twilight() -> None:
    values = [clear_sky_illuminance(elevation / 2.0) for elevation in range(-36, 180)]
    assert values == sorted(values)
    assert clear_sky_illuminance(-6.0) == pytest.approx(3.4, rel=0.15)  # civil twilight ends at 3.4 lx
    assert clear_sky_illuminance(-40.0) == NIGHT_ILLUMINANCE
    assert 1e5 < clear_sky_illuminance(90.0) < 1.5e5


def test_clear_sky_irradiance_is_haurwitz() -> None:
    assert clear_sky_irradiance(90.0) == pytest.approx(1037.2, abs=0.5)
    assert clear_sky_irradiance(-1.0) == 0.0
