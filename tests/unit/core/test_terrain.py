"""Twilight and terrain: how low the sun may stand before the ground is dark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.terrain import Terrain, TerrainProblem, dark_limit, read_terrain
from controller.core.twilight import air_above, clear_sky_illuminance, elevation_of
from tests.sweep import examples

FLAT = Terrain((0.0,) * 360)


def ring(angles: dict[int, float], step: int = 10) -> str:
    """A file of angles every so many degrees, level where none is given."""
    return "azimuth,angle\n" + "".join(f"{azimuth},{angles.get(azimuth, 0)}\n" for azimuth in range(0, 360, step))


@pytest.mark.parametrize(
    "elevation, illuminance",
    # Worked out by hand from the published coefficients; 30 lx at -4° and 3.4 lx at -6° are well known.
    [(0.0, 759), (-0.8, 463), (-4.0, 30), (-6.0, 3.4), (-12.0, 0.008), (30.0, 46_300)],
)
def test_a_clear_sky_gives_what_the_almanac_says(elevation: float, illuminance: float) -> None:
    assert clear_sky_illuminance(elevation) == pytest.approx(illuminance, rel=0.03)


def test_thirty_lux_is_four_degrees_below_the_horizon() -> None:
    assert elevation_of(30.0) == pytest.approx(-4.0, abs=0.01)
    assert dark_limit(30.0) == elevation_of(30.0)


@given(st.floats(0.01, 500.0))
@examples(50)
def test_the_ground_is_darker_below_the_limit_and_lighter_above(illuminance: float) -> None:
    limit = elevation_of(illuminance)
    assert clear_sky_illuminance(limit - 0.05) < illuminance <= clear_sky_illuminance(limit + 0.05)


def test_thin_air_lights_lamps_earlier_and_depth_changes_nothing() -> None:
    lhasa, sea, dead_sea = (dark_limit(30.0, altitude) for altitude in (3650.0, 0.0, -430.0))
    assert isinstance(lhasa, float)
    assert isinstance(sea, float)
    assert sea + 0.3 < lhasa < sea + 0.7
    assert dead_sea == sea
    assert air_above(20_000.0) > 0.0


def test_a_ridge_in_the_west_raises_the_limit_of_the_evening_only() -> None:
    terrain = read_terrain(ring({azimuth: 30.0 for azimuth in range(240, 310, 10)}))
    limits, flat = dark_limit(30.0, 0.0, terrain), elevation_of(30.0)
    assert isinstance(limits, tuple)
    assert limits[270] > flat + 0.05
    assert limits[90] == pytest.approx(flat, abs=0.001)
    assert terrain.sun_limit()[270] == pytest.approx(30.0 - 0.27 - 0.03, abs=0.02)
    assert terrain.sun_limit()[90] == pytest.approx(-0.8333, abs=0.0005)


@given(st.lists(st.floats(-20.0, 80.0), min_size=24, max_size=36), st.floats(0.0, 8000.0), st.floats(1.0, 200.0))
@examples(30)
def test_terrain_and_altitude_only_raise_the_limit(angles: list[float], altitude: float, illuminance: float) -> None:
    step = 360.0 / len(angles)
    terrain = read_terrain("\n".join(f"{nth * step:.6f} {angle:.6f}" for nth, angle in enumerate(angles)))
    limits = dark_limit(illuminance, altitude, terrain)
    assert isinstance(limits, tuple)
    assert min(limits) >= elevation_of(illuminance)
    assert all(0.0 <= share < 1.0 for share in terrain.hidden())


def test_files_of_several_kinds_are_read() -> None:
    expected = Terrain(tuple(float(min(azimuth, 360 - azimuth)) / 10.0 for azimuth in range(360)))
    rows = [(azimuth, min(azimuth, 360 - azimuth) / 10.0) for azimuth in range(0, 361, 15)]
    for text in (
        "azimuth,angle\n" + "\n".join(f"{azimuth},{angle}" for azimuth, angle in rows),
        "\ufeff# from a survey\n" + "\r\n".join(f"{azimuth};{angle}  # skyline" for azimuth, angle in rows),
        "\n".join(f"{azimuth}\t{angle}" for azimuth, angle in reversed(rows[:-1])),
    ):
        assert read_terrain(text).angles == pytest.approx(expected.angles)
    assert read_terrain(ring({})) == FLAT
    assert read_terrain(ring({azimuth: -3.0 for azimuth in range(0, 360, 10)})) == FLAT


@pytest.mark.parametrize(
    "text, line, told",
    [
        (ring({}).replace("200,0\n", "").replace("210,0\n", ""), 22, "gap between azimuth 190° and 220°"),
        (ring({}).replace("350,0\n", "").replace("340,0\n", ""), 2, "gap between azimuth 330° and 0°"),
        ("0,1\n10,2\n", 1, "gap"),
        ("0,1\n", 1, "no angles"),
        ("", 1, "no angles"),
        (ring({}).replace("\n90,0", "\n90,"), 11, "is not two numbers"),
        (ring({}).replace("\n90,0", "\n90,high"), 11, "is not two numbers"),
        (ring({}).replace("\n90,0", "\n90,nan"), 11, "is not two numbers"),
        (ring({}).replace("\n90,0", "\n-90,0"), 11, "azimuth -90° is out of range"),
        (ring({}).replace("\n90,0", "\n90,95"), 11, "angle 95° is out of range"),
        (ring({}).replace("\n90,0", "\n80,5"), 11, "azimuth 80° stands twice"),
    ],
)
def test_gaps_and_nonsense_are_refused_with_their_line(text: str, line: int, told: str) -> None:
    with pytest.raises(TerrainProblem, match=told) as refused:
        read_terrain(text)
    assert refused.value.line == line


def test_a_terrain_has_an_angle_for_every_degree() -> None:
    with pytest.raises(ValueError, match="360 angles"):
        Terrain((0.0,) * 359)
    with pytest.raises(ValueError, match="0 to 80"):
        Terrain((-1.0,) * 360)
