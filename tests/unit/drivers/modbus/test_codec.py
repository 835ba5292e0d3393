"""Worked examples of spelling, as a manual would print them."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

import pytest

from controller.core.point import Binding, Point, PointId, PointKind, Range, ValueType
from controller.core.sample import Sample, Scalar
from controller.core.units import Unit
from drivers.modbus.address import ModbusAddress, WireType
from drivers.modbus.codec import BlockDecoder, CannotEncode, encode_registers
from drivers.modbus.plan import plan_reads


def read(address: ModbusAddress, *words: int, **point: Any) -> Sample:
    binding = Binding(Point(PointId("a.b.c"), PointKind.SENSOR, Unit.NONE, **point), "d", address)
    (block,) = plan_reads([binding])
    samples: dict[PointId, Sample] = {}
    BlockDecoder(block).decode(struct.pack(f">{len(words)}H", *words), datetime(2024, 1, 1, tzinfo=UTC), 0.0, samples)
    return samples[binding.point.id]


def at(type: WireType, **said: Any) -> ModbusAddress:
    return ModbusAddress(1, "holding", 0, type, **said)


@pytest.mark.parametrize(
    "address, words, value",
    [
        (at("int16"), (0xFFFF,), -1),
        (at("uint16"), (0xFFFF,), 65535),
        (at("uint16", byte_order="little"), (0x0100,), 1),
        (at("int32"), (0xFFFF, 0xFFFE), -2),
        (at("uint32"), (0x0001, 0x0002), 65538),
        (at("uint32", word_order="little"), (0x0002, 0x0001), 65538),
        (at("float32"), (0x41AC, 0x0000), 21.5),
        (at("float32", word_order="little"), (0x0000, 0x41AC), 21.5),
        (at("float32", byte_order="little"), (0xAC41, 0x0000), 21.5),
        (at("float32", word_order="little", byte_order="little"), (0x0000, 0xAC41), 21.5),
        (at("float64"), (0x4035, 0x8000, 0, 0), 21.5),
        (at("int64"), (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE), -2),
        (at("uint64", word_order="little"), (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF), 2**64 - 1),
        (at("int16", scale=0.1), (3,), 0.3),
        (at("uint16", scale=0.1, offset=-40.0), (1000,), 60.0),
        (at("bool", bit=15), (0x8000,), True),
        (at("bool", bit=0), (0x8000,), False),
        (at("bool", bit=0, byte_order="little"), (0x0100,), True),
    ],
)
def test_reads(address: ModbusAddress, words: tuple[int, ...], value: Scalar) -> None:
    sample = read(address, *words)
    assert sample.value == value
    assert type(sample.value) is type(value)


@pytest.mark.parametrize(
    "address, value, words",
    [
        (at("int16", scale=0.1), 7.0, (70,)),
        (at("int16", scale=0.1), 6.96, (70,)),
        (at("int16"), -1.0, (0xFFFF,)),
        (at("uint16"), True, (1,)),
        (at("float32", word_order="little"), 21.5, (0x0000, 0x41AC)),
        (at("uint64"), 2**64 - 1, (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF)),
        (at("uint16", scale=0.1, offset=-40.0), 60.0, (1000,)),
    ],
)
def test_writes(address: ModbusAddress, value: Scalar, words: tuple[int, ...]) -> None:
    assert encode_registers(address, value) == words


@pytest.mark.parametrize(
    "address, value, why",
    [
        (at("int16", scale=0.1), 3276.8, "3276.8 is 32768 in the device, which int16 cannot hold"),
        (at("uint16"), -1.0, "-1.0 is -1 in the device, which uint16 cannot hold"),
        (at("uint64"), -1, "uint64 cannot hold"),
        (at("float32"), 1e39, "float32 cannot hold"),
    ],
)
def test_says_what_does_not_fit(address: ModbusAddress, value: Scalar, why: str) -> None:
    with pytest.raises(CannotEncode) as caught:
        encode_registers(address, value)
    assert why in str(caught.value)


def test_wrong_byte_order_is_found_by_what_is_plausible() -> None:
    bounds = Range(-50.0, 150.0)
    assert read(at("int32", scale=0.1), 0, 215, plausible=bounds).value == 21.5
    swapped = read(at("int32", scale=0.1, word_order="little"), 0, 215, plausible=bounds)
    assert swapped.value is None
    assert swapped.reason == "implausible: 1.40902e+06 lies outside -50 to 150"


@pytest.mark.parametrize("words, value", [((0,), False), ((1,), True), ((0xFF00,), True)])
def test_a_register_can_be_a_flag(words: tuple[int, ...], value: bool) -> None:
    assert read(at("uint16"), *words, type=ValueType.BOOLEAN).value is value


def test_a_float_that_is_no_number_is_no_flag_and_no_integer() -> None:
    for type in (ValueType.BOOLEAN, ValueType.INTEGER, ValueType.NUMBER):
        assert read(at("float32"), 0x7FC0, 0, type=type).reason == "not a number"


@pytest.mark.parametrize("value", [7.0, 0.5, 100.0, -20.0])
@pytest.mark.parametrize("kind, letter, count", [("float32", "f", 2), ("float64", "d", 4)])
def test_a_round_number_whose_words_are_swapped_is_not_nearly_zero(
    value: float, kind: WireType, letter: str, count: int
) -> None:
    words = struct.unpack(f">{count}H", struct.pack(f">{letter}", value))
    assert read(at(kind), *words).value == value
    assert read(at(kind), *reversed(words)).reason == "not a number"


def test_zero_is_zero_and_what_is_nearly_nothing_is_sent_as_zero() -> None:
    assert read(at("float32"), 0x8000, 0).value == 0.0
    assert encode_registers(at("float32"), 1e-40) == (0, 0)
    assert encode_registers(at("float32"), 2.0**-126) == (0x0080, 0)
