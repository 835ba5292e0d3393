"""What devices call their units becomes ours."""

from __future__ import annotations

import pytest

from controller.core.units import DEVICE_UNITS, Unit


@pytest.mark.parametrize(
    "outside, value, unit, inside",
    [
        ("degF", 32.0, Unit.CELSIUS, 0.0),
        ("degF", 212.0, Unit.CELSIUS, 100.0),
        ("W", 1500.0, Unit.KILOWATT, 1.5),
        ("MW", 2.0, Unit.KILOWATT, 2000.0),
        ("MWh", 2.0, Unit.KILOWATT_HOUR, 2000.0),
        ("bar", 1.5, Unit.KILOPASCAL, 150.0),
        ("Pa", 500.0, Unit.KILOPASCAL, 0.5),
        ("m3/h", 36.0, Unit.KILOGRAM_PER_SECOND, 9.98),
        ("l/s", 10.0, Unit.KILOGRAM_PER_SECOND, 9.98),
        ("%", 35.0, Unit.FRACTION, 0.35),
        ("min", 3.0, Unit.SECOND, 180.0),
        ("h", 2.0, Unit.SECOND, 7200.0),
    ],
)
def test_known_values(outside: str, value: float, unit: Unit, inside: float) -> None:
    ours, conversion = DEVICE_UNITS[outside]
    assert ours is unit
    assert value * conversion.factor + conversion.offset == pytest.approx(inside)


@pytest.mark.parametrize("unit", list(Unit))
def test_our_own_units_pass_unchanged(unit: Unit) -> None:
    assert DEVICE_UNITS[unit.value] == (unit, (1.0, 0.0))
