"""The simulator's own spelling of values, against words written by hand."""

from functools import partial

import pytest

from drivers.modbus.address import ModbusAddress
from simulator.gateway import Value
from simulator.servers.registers import registers_of, value_of

holding = partial(ModbusAddress, 1, "holding", 0)


CASES = [
    (holding(type="int16", scale=0.1), 14.7, [147]),
    (holding(type="int16", scale=0.1), -2.5, [0xFFE7]),
    (holding(type="uint16"), 65535, [0xFFFF]),
    (holding(type="uint16", byte_order="little"), 0x1234, [0x3412]),
    (holding(type="uint32"), 0x12345678, [0x1234, 0x5678]),
    (holding(type="uint32", word_order="little"), 0x12345678, [0x5678, 0x1234]),
    (holding(type="uint32", byte_order="little"), 0x12345678, [0x3412, 0x7856]),
    (holding(type="uint32", word_order="little", byte_order="little"), 0x12345678, [0x7856, 0x3412]),
    (holding(type="float32"), 1.0, [0x3F80, 0x0000]),
    (holding(type="float32", word_order="little"), -12.5, [0x0000, 0xC148]),
    (holding(type="float64"), 1.0, [0x3FF0, 0, 0, 0]),
    (holding(type="uint64"), 2**64 - 1, [0xFFFF] * 4),
    (holding(type="int64"), -2, [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE]),
    (holding(type="uint16", scale=0.001, offset=-1.0), 0.5, [1500]),
]


@pytest.mark.parametrize("address,value,words", CASES)
def test_value_is_spelt_and_read_back(address: ModbusAddress, value: Value, words: list[int]) -> None:
    assert registers_of(address, value) == words
    assert value_of(address, words) == pytest.approx(value, abs=0.0)


@pytest.mark.parametrize(
    "address,value,words",
    [
        (holding(type="int16", scale=0.1), 5000.0, [0x7FFF]),
        (holding(type="int16", scale=0.1), -5000.0, [0x8000]),
        (holding(type="uint16"), -1.0, [0]),
    ],
)
def test_value_beyond_the_type_stops_at_its_end(address: ModbusAddress, value: float, words: list[int]) -> None:
    assert registers_of(address, value) == words
