"""Whatever the bindings: every value is asked for once, and no request asks for more than the protocol allows."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from controller.core.point import Binding
from drivers.modbus.address import BIT_TABLES, MOST_REGISTERS, ModbusAddress
from drivers.modbus.plan import GAP_BITS, GAP_REGISTERS, MOST_BITS, Block, plan_reads, rejoin, split
from tests.property.modbus_strategies import addresses, bound

BINDINGS = st.lists(addresses(), max_size=60).map(bound)


def check_block(block: Block) -> None:
    ends = [binding.address.register + binding.address.words for binding in block.bindings]
    assert block.start == min(binding.address.register for binding in block.bindings)
    assert block.start + block.count == max(ends)
    assert {(binding.address.unit, binding.address.table) for binding in block.bindings} == {(block.unit, block.table)}
    assert len({binding.device for binding in block.bindings}) == 1
    assert 1 <= block.count <= (MOST_BITS if block.table in BIT_TABLES else MOST_REGISTERS)
    assert block.start + block.count <= 65536


def ids(blocks: tuple[Block, ...] | list[Block]) -> list[str]:
    return sorted(binding.point.id for block in blocks for binding in block.bindings)


@given(BINDINGS)
def test_covers_each_value_once_within_the_limits(bindings: list[Binding[ModbusAddress]]) -> None:
    blocks = plan_reads(bindings)
    assert ids(blocks) == sorted(binding.point.id for binding in bindings)
    for block in blocks:
        check_block(block)


@given(BINDINGS)
def test_wastes_neither_requests_nor_registers(bindings: list[Binding[ModbusAddress]]) -> None:
    blocks = plan_reads(bindings)
    for block in blocks:
        gap = GAP_BITS if block.table in BIT_TABLES else GAP_REGISTERS
        end = block.start
        for binding in block.bindings:
            assert binding.address.register <= end + gap
            end = max(end, binding.address.register + binding.address.words)
    for one, next_one in pairwise(blocks):
        if (one.unit, one.table) == (next_one.unit, next_one.table):
            bits = one.table in BIT_TABLES
            first_end = next_one.bindings[0].address.register + next_one.bindings[0].address.words
            apart = next_one.start - (one.start + one.count) > (GAP_BITS if bits else GAP_REGISTERS)
            assert apart or first_end - one.start > (MOST_BITS if bits else MOST_REGISTERS)


@given(BINDINGS)
def test_does_not_depend_on_the_order_of_the_bindings(bindings: list[Binding[ModbusAddress]]) -> None:
    def shape(blocks: tuple[Block, ...]) -> list[tuple[int, str, int, int]]:
        return [(block.unit, block.table, block.start, block.count) for block in blocks]

    assert shape(plan_reads(bindings)) == shape(plan_reads(bindings[::-1]))


@given(BINDINGS, st.randoms(use_true_random=False))
def test_split_and_rejoin_lose_nothing(bindings: list[Binding[ModbusAddress]], random: Random) -> None:
    for block in plan_reads(bindings):
        pieces = [block]
        while any(len(piece.bindings) > 1 for piece in pieces) and random.random() < 0.8:
            piece = random.choice([piece for piece in pieces if len(piece.bindings) > 1])
            pieces.remove(piece)
            pieces.extend(split(piece))
        for piece in pieces:
            check_block(piece)
        joined = rejoin(pieces)
        assert ids(joined) == ids([block])
        longest = max(piece.count for piece in pieces)
        accepted = {register for piece in pieces for register in registers(piece)}
        for piece in joined:
            check_block(piece)
            assert piece.count <= longest
            assert accepted.issuperset(registers(piece))  # what was not accepted is not read along


def registers(block: Block) -> range:
    return range(block.start, block.start + block.count)
