"""What registers without a description may mean: floats where nearly everything looks like it, numbers otherwise."""

from __future__ import annotations

import struct

import pytest

from drivers.modbus.address import Order
from drivers.modbus.guessing import readings


def words(*values: float, order: Order = "big") -> list[int]:
    found: list[int] = []
    for value in values:
        pair = struct.unpack(">2H", struct.pack(">f", value))
        found += pair if order == "big" else reversed(pair)
    return found


@pytest.mark.parametrize("order", ["big", "little"])
def test_floats_are_seen_in_both_orders(order: Order) -> None:
    found = readings("input", 10, words(230.4, 0.0, -17.5, 50.0, order=order))
    assert [(each.register, each.type, each.word_order, each.value) for each in found] == [
        (10, "float32", order, "230.4"),
        (12, "float32", order, "0"),
        (14, "float32", order, "-17.5"),
        (16, "float32", order, "50"),
    ]


def test_a_register_after_floats_is_a_number() -> None:
    found = readings("holding", 0, [*words(230.4, 231.0), 3])
    assert [(each.register, each.type) for each in found] == [(0, "float32"), (2, "float32"), (4, "uint16")]


@pytest.mark.parametrize("found", [[0, 0, 0, 0], [1, 2, 3, 4], [215, 230, 0, 65526], [7]])
def test_numbers_are_numbers(found: list[int]) -> None:
    told = readings("holding", 5, found)
    assert [(each.register, each.type, each.value) for each in told] == [
        (5 + n, "uint16", str(word)) for n, word in enumerate(found)
    ]


def test_what_may_be_negative_says_so() -> None:
    (one,) = readings("holding", 5, [65526])
    assert one.seen == "0xFFF6, int16 -10"


def test_bits_are_on_or_off() -> None:
    assert [(each.type, each.value) for each in readings("coil", 0, [1, 0])] == [("bool", "true"), ("bool", "false")]
