"""Few requests for many values: which block of which table to ask for. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final, TypeAlias

from controller.core.point import Binding
from drivers.modbus.address import BIT_TABLES, ModbusAddress, Table

ModbusBinding: TypeAlias = Binding[ModbusAddress]

# MODBUS Application Protocol Specification V1.1b3, 6.1 and 6.2: what one answer can carry.
MOST_BITS: Final = 2000

# Unwanted registers that are read along rather than asked around. At 9600 bit/s behind a gateway a register takes
# 2 ms; a further request costs its 8 bytes, the answer's 5 and the device's turnaround of 10 ms and more.
GAP_REGISTERS: Final = 10
GAP_BITS: Final = GAP_REGISTERS * 16


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One read request and the values it brings, in the order of their registers."""

    unit: int
    table: Table
    start: int
    count: int
    bindings: tuple[ModbusBinding, ...]


def plan_reads(bindings: Iterable[ModbusBinding]) -> tuple[Block, ...]:
    """Blocks that bring every binding exactly once. Values of different devices are never read together."""
    ordered = sorted(bindings, key=_place)
    return tuple(
        block for _, group in groupby(ordered, key=lambda binding: _place(binding)[:3]) for block in _coalesce([*group])
    )


def split(block: Block) -> tuple[Block, Block]:
    """The block's values in two halves, each asking for no more registers than its own values need."""
    middle = len(block.bindings) // 2
    return _block(block.bindings[:middle]), _block(block.bindings[middle:])


def single(binding: ModbusBinding) -> Block:
    """The block of one value."""
    return _block((binding,))


def interleaved(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The units in turn, so that one that wants rest between its blocks holds up its neighbours less."""
    earlier: Counter[int] = Counter()
    turns: list[int] = []
    for block in blocks:
        turns.append(earlier[block.unit])
        earlier[block.unit] += 1
    return tuple(block for _, block in sorted(zip(turns, blocks, strict=True), key=lambda pair: pair[0]))


def rejoin(pieces: Sequence[Block]) -> tuple[Block, ...]:
    """Accepted pieces of one block, joined where nothing unasked lies between them.

    No joined piece is longer than the longest that the device has accepted: it may be length that it refused.
    """
    longest = max((piece.count for piece in pieces), default=0)
    joined: list[Block] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if joined:
            both = _block(joined[-1].bindings + piece.bindings)
            if piece.start <= joined[-1].start + joined[-1].count and both.count <= longest:
                joined[-1] = both
                continue
        joined.append(piece)
    return tuple(joined)


def _place(binding: ModbusBinding) -> tuple[str, int, str, int, int]:
    address = binding.address
    return binding.device, address.unit, address.table, address.register, address.words


def _coalesce(bindings: Sequence[ModbusBinding]) -> Iterable[Block]:
    """`bindings` belong to one table of one unit and are in order."""
    bits = bindings[0].address.table in BIT_TABLES
    most, gap = (MOST_BITS, GAP_BITS) if bits else (bindings[0].address.maximum_registers, GAP_REGISTERS)
    first = 0
    start, end = bindings[0].address.register, _end(bindings[0])
    for index, (_, binding) in enumerate(pairwise(bindings), start=1):
        address = binding.address
        if address.register > end + gap or _end(binding) - start > most:
            yield _block(tuple(bindings[first:index]))
            first, start, end = index, address.register, _end(binding)
        end = max(end, _end(binding))
    yield _block(tuple(bindings[first:]))


def _end(binding: ModbusBinding) -> int:
    return binding.address.register + binding.address.words


def _block(bindings: tuple[ModbusBinding, ...]) -> Block:
    first = bindings[0].address
    end = max(_end(binding) for binding in bindings)
    return Block(first.unit, first.table, first.register, end - first.register, bindings)
