"""Registers to values and back, against a reading of the registers that knows no blocks, passes or Structs."""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from controller.core.point import PointId, ValueType
from controller.core.sample import Quality, Sample, Scalar
from drivers.modbus.address import ModbusAddress
from drivers.modbus.codec import (
    BlockDecoder,
    CannotEncode,
    encode_bit,
    encode_flag,
    encode_registers,
)
from drivers.modbus.plan import plan_reads
from tests.property.modbus_strategies import bound, register_addresses

NOW = datetime(2024, 7, 1, tzinfo=UTC)
BLOCK = 40
WORDS = st.lists(st.integers(0, 0xFFFF), min_size=BLOCK, max_size=BLOCK)
ADDRESSES = st.lists(register_addresses(most=BLOCK - 1), min_size=1, max_size=25)
TYPES = st.sampled_from(([ValueType.NUMBER], [ValueType.INTEGER], [ValueType.BOOLEAN, ValueType.NUMBER]))


def spelt(address: ModbusAddress, words: list[int]) -> float | bool:
    """The raw number at an address, byte by byte as the manual of a device describes it."""
    own = words[address.register : address.register + address.words]
    if address.word_order == "little":
        own = own[::-1]
    data = b"".join(word.to_bytes(2, address.byte_order) for word in own)
    if address.type == "bool":
        return bool(int.from_bytes(data, "big") >> (address.bit or 0) & 1)
    if address.type == "float32":
        return struct.unpack(">f", data)[0]
    if address.type == "float64":
        return struct.unpack(">d", data)[0]
    return int.from_bytes(data, "big", signed=address.type.startswith("int"))


def is_subnormal(raw: float, type: str) -> bool:
    """An exponent of zero and a fraction that is none."""
    if type not in ("float32", "float64") or raw == 0:
        return False
    layout, exponent = (">f", 0x7F800000) if type == "float32" else (">d", 0x7FF0000000000000)
    return not int.from_bytes(struct.pack(layout, raw), "big") & exponent


def decoded(addresses: list[ModbusAddress], words: list[int], types: list[ValueType] | None = None) -> list[Sample]:
    bindings = bound(addresses, types)
    samples: dict[PointId, Sample] = {}
    for block in plan_reads(bindings):
        data = struct.pack(f">{block.count}H", *words[block.start : block.start + block.count])
        BlockDecoder(block).decode(data, NOW, 5.0, samples)
    return [samples[binding.point.id] for binding in bindings]


@given(ADDRESSES, WORDS, TYPES)
def test_every_value_of_a_block_is_what_its_registers_spell(
    addresses: list[ModbusAddress], words: list[int], types: list[ValueType]
) -> None:
    for index, sample in enumerate(decoded(addresses, words, types)):
        address, type = addresses[index], types[index % len(types)]
        raw = spelt(address, words)
        assert (sample.timestamp, sample.received) == (NOW, 5.0)
        if not math.isfinite(raw) or not math.isfinite(raw * address.scale) or is_subnormal(raw, address.type):
            assert (sample.value, sample.quality, sample.reason) == (None, Quality.BAD, "not a number")
            continue
        assert (sample.quality, sample.reason) == (Quality.GOOD, "")
        assert sample.value is not None
        assert not isinstance(sample.value, str)
        expected = raw if isinstance(raw, bool) else raw * address.scale + address.offset
        if isinstance(raw, bool):
            assert sample.value is raw
        elif type is ValueType.BOOLEAN:
            assert sample.value is (expected != 0) or math.isclose(expected, 0.0, abs_tol=1e-9)
        elif type is ValueType.INTEGER:
            assert isinstance(sample.value, int)
            assert abs(sample.value - expected) <= 0.5 + 1e-9 * abs(expected)
        else:
            assert sample.value == pytest.approx(expected, rel=1e-12, abs=1e-9)


@given(register_addresses(most=0, scaled=False), WORDS)
def test_without_scale_a_number_comes_back_to_the_bit(address: ModbusAddress, words: list[int]) -> None:
    words = words[: address.words]
    (sample,) = decoded([address], words)
    assume(address.type != "bool" and sample.value is not None)
    assert sample.value is not None
    assert encode_registers(address, sample.value) == tuple(words)


@given(register_addresses(most=0), WORDS)
def test_scaled_registers_come_back_too(address: ModbusAddress, words: list[int]) -> None:
    words = words[: address.words]
    assume(address.type in {"int16", "uint16", "int32", "uint32"})
    (sample,) = decoded([address], words)
    assert sample.value is not None
    assert encode_registers(address, sample.value) == tuple(words)


@given(register_addresses(most=0), st.floats(-1e5, 1e5))
def test_what_is_written_reads_back_within_one_step(address: ModbusAddress, value: float) -> None:
    assume(address.type != "bool")
    try:
        words = encode_registers(address, value)
    except CannotEncode:
        return
    (sample,) = decoded([address], list(words))
    assert isinstance(sample.value, int | float)
    step = 0.5 * abs(address.scale) if address.type not in {"float32", "float64"} else 1e-6 * (abs(value) + 1000)
    assert abs(sample.value - value) <= step * (1 + 1e-9) + 1e-9


@given(st.integers(0, 0xFFFF), st.integers(0, 15), st.sampled_from(("big", "little")), st.booleans())
def test_a_bit_is_set_and_none_of_its_neighbours(register: int, bit: int, order: str, state: bool) -> None:
    address = ModbusAddress(1, "holding", 0, bit=bit, byte_order="little" if order == "little" else "big")
    changed = encode_bit(address, state).applied(register)
    assert 0 <= changed <= 0xFFFF
    assert (changed ^ register).bit_count() <= 1
    every_bit = [ModbusAddress(1, "holding", 0, bit=other, byte_order=address.byte_order) for other in range(16)]
    before, after = decoded(every_bit, [register]), decoded(every_bit, [changed])
    assert after[bit].value is state
    assert [sample.value for sample in before[:bit] + before[bit + 1 :]] == [
        sample.value for sample in after[:bit] + after[bit + 1 :]
    ]


@given(register_addresses(most=0), st.sampled_from((math.nan, math.inf, -math.inf, "warm", "1")))
def test_what_is_no_number_is_never_spelt(address: ModbusAddress, value: Scalar) -> None:
    assume(address.type != "bool")
    with pytest.raises(CannotEncode, match="is not a number"):
        encode_registers(address, value)


@given(st.one_of(st.integers(), st.floats(), st.text()))
def test_a_flag_is_on_or_off_and_nothing_else(value: Scalar) -> None:
    if not isinstance(value, str) and value in (0, 1):
        assert encode_flag(value) is bool(value)
    else:
        with pytest.raises(CannotEncode, match="neither on nor off"):
            encode_flag(value)
