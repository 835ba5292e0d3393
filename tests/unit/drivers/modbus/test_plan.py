"""Worked examples of planning; the properties are in tests/property."""

from __future__ import annotations

import pytest

from controller.core.point import Binding, Point, PointId, PointKind
from controller.core.units import Unit
from drivers.modbus.address import ModbusAddress, Table, WireType
from drivers.modbus.plan import plan_reads

Value = tuple[int, WireType]


def bind(index: int, address: ModbusAddress, device: str = "d") -> Binding[ModbusAddress]:
    return Binding(Point(PointId(f"a.b.p{index}"), PointKind.SENSOR, Unit.NONE), device, address)


def blocks(values: list[Value], table: Table = "input") -> list[tuple[int, int]]:
    planned = plan_reads(
        [bind(index, ModbusAddress(1, table, register, type)) for index, (register, type) in enumerate(values)]
    )
    return [(block.start, block.count) for block in planned]


@pytest.mark.parametrize(
    "values, expected",
    [
        ([], []),
        ([(7, "float32")], [(7, 2)]),
        ([(4, "int16"), (0, "float32"), (2, "float32")], [(0, 5)]),
        ([(0, "int16"), (11, "int16")], [(0, 12)]),
        ([(0, "int16"), (12, "int16")], [(0, 1), (12, 1)]),
        ([(0, "int64"), (1, "int16"), (14, "int16")], [(0, 15)]),  # the gap begins where the longest value ends
        ([(n, "int16") for n in range(130)], [(0, 125), (125, 5)]),
        ([(0, "int16"), *((n, "float32") for n in range(1, 130, 2))], [(0, 125), (125, 6)]),  # no value is cut
    ],
)
def test_registers(values: list[Value], expected: list[tuple[int, int]]) -> None:
    assert blocks(values) == expected


def test_bits() -> None:
    assert blocks([(0, "bool"), (160, "bool")], "coil") == [(0, 161)]
    assert blocks([(0, "bool"), (162, "bool")], "coil") == [(0, 1), (162, 1)]
    assert blocks([(n, "bool") for n in range(2001)], "discrete") == [(0, 2000), (2000, 1)]


def test_what_differs_in_table_unit_or_device_is_apart() -> None:
    planned = plan_reads(
        [
            bind(0, ModbusAddress(1, "input", 0, "int16")),
            bind(1, ModbusAddress(1, "holding", 1, "int16")),
            bind(2, ModbusAddress(2, "input", 2, "int16")),
            bind(3, ModbusAddress(1, "input", 3, "int16"), device="other"),
            bind(4, ModbusAddress(1, "input", 4, "int16")),
        ]
    )
    together = {tuple(binding.point.id[-1] for binding in block.bindings) for block in planned}
    assert together == {("0", "4"), ("1",), ("2",), ("3",)}
