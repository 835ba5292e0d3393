"""Modbus bindings as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from controller.core.point import Binding, Point, PointId, PointKind, ValueType
from controller.core.units import Unit
from drivers.modbus.address import LAST_REGISTER, WORDS, ModbusAddress, Order, Table, WireType

TABLES: tuple[Table, ...] = ("coil", "discrete", "input", "holding")
NUMERIC: tuple[WireType, ...] = ("int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
ORDERS: tuple[Order, ...] = ("big", "little")
SCALES = (1.0, 0.1, 0.01, 0.001, 10.0, -1.0, 0.5, 1 / 3)
OFFSETS = (0.0, -40.0, 273.15)


@st.composite
def register_addresses(draw: st.DrawFn, most: int = LAST_REGISTER, *, scaled: bool = True) -> ModbusAddress:
    """A number or a bit in a register table, ending at register `most` at the latest where that is possible."""
    type = draw(st.sampled_from(("bool", *NUMERIC)))
    return ModbusAddress(
        unit=1,
        table="holding",
        register=draw(st.integers(0, max(0, most + 1 - WORDS[type]))),
        type=type,
        bit=draw(st.integers(0, 15)) if type == "bool" else None,
        scale=draw(st.sampled_from(SCALES)) if scaled and type != "bool" else 1.0,
        offset=draw(st.sampled_from(OFFSETS)) if scaled and type != "bool" else 0.0,
        word_order=draw(st.sampled_from(ORDERS)),
        byte_order=draw(st.sampled_from(ORDERS)),
        zero_based=True,
    )


@st.composite
def addresses(draw: st.DrawFn) -> ModbusAddress:
    """Anywhere on a link with a few units, crowded enough that values meet."""
    table = draw(st.sampled_from(TABLES))
    near = draw(st.sampled_from((0, 100, 3000, LAST_REGISTER - 200)))
    register = near + draw(st.integers(0, 200))
    unit = draw(st.integers(1, 3))
    if table in {"coil", "discrete"}:
        return ModbusAddress(unit, table, register, zero_based=True)
    type = draw(st.sampled_from(NUMERIC))
    return ModbusAddress(unit, table, min(register, LAST_REGISTER + 1 - WORDS[type]), type, zero_based=True)


def bound(addresses: list[ModbusAddress], types: list[ValueType] | None = None) -> list[Binding[ModbusAddress]]:
    """A point of its own for each address; the device is the unit."""
    return [
        Binding(
            Point(
                PointId(f"a.b.p{index}"),
                PointKind.SENSOR,
                Unit.NONE,
                types[index % len(types)] if types else ValueType.NUMBER,
            ),
            f"unit_{address.unit}",
            address,
        )
        for index, address in enumerate(addresses)
    ]
