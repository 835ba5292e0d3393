"""Blocks of registers and bits to samples: whole, or in the pieces that the device is known to give.

A device objects to a place that it does not have in one of two ways. It refuses the block: then it is halved at once.
Or it says nothing to a question that touches the place, as if it were gone: then, once it has shown with something
else that it is there, the block is halved as well, with at most one time-out a read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from controller.core.point import PointId
from controller.core.ports import Clock
from controller.core.sample import Sample, bad
from drivers.modbus.address import BIT_TABLES
from drivers.modbus.client import Payload
from drivers.modbus.codec import BlockDecoder
from drivers.modbus.exchange import Exchange, Refusal, UnitSilent
from drivers.modbus.holes import REFUSED_AGAIN, Hole, Learned, Search, search
from drivers.modbus.plan import Block, ModbusBinding, interleaved, plan_reads, single

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

NOT_HERE: Final = "not answered, though the device answers for others"
SEARCHING: Final = "still searching for what the device does not give"
# Whole devices come again and again, single read-backs now and then.
_MOST_REMEMBERED: Final = 100


class Reader:
    def __init__(self, exchange: Exchange, bindings: Collection[ModbusBinding], clock: Clock, *, paced: bool) -> None:
        self._exchange = exchange
        self._clock = clock
        blocks = plan_reads(bindings)
        self._blocks = interleaved(blocks) if paced else blocks
        self._decoders: dict[Block, BlockDecoder] = {}
        self._wanted: dict[frozenset[PointId], tuple[Block, ...]] = {}
        self._values: dict[int, list[ModbusBinding]] = {}
        for binding in bindings:
            self._values.setdefault(binding.address.unit, []).append(binding)
        self._signs = dict.fromkeys(self._values, 0)
        self.forget()

    def forget(self) -> None:
        """What was learned holds for one connection: the device behind the next may be another."""
        self._learned: dict[Block, Learned] = {}
        self._searches: dict[Block, Search] = {}
        self._fell_silent_at: dict[int, Block] = {}
        self._tried_in_vain: set[int] = set()

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        asked = frozenset(points)
        samples: dict[PointId, Sample] = {}
        silent: dict[int, str] = {}
        self._tried_in_vain.clear()
        blocks: Sequence[Block] = self._blocks_for(asked)
        if not self._exchange.begin_read():
            blocks = sorted(blocks, key=lambda block: self._exchange.standing(block.unit))
        if self._searches or self._fell_silent_at:
            blocks = sorted(blocks, key=self._is_suspect)
        for block in blocks:
            reason = silent.get(block.unit) or self._exchange.why_not_asked(block.unit)
            if not reason:
                try:
                    await self._read_block(block, samples)
                except UnitSilent as error:
                    self._fell_silent_at.setdefault(block.unit, block)
                    reason = silent[block.unit] = str(error)
            if reason:
                self._spoil(block, reason, samples)
        await self._give_up_if_dead()
        if samples.keys() == asked:
            return samples
        return {point: samples.get(point) or self._bad("no such point on this link") for point in asked}

    def _blocks_for(self, asked: frozenset[PointId]) -> tuple[Block, ...]:
        """The planned blocks that bring all the points asked for."""
        blocks = self._wanted.get(asked)
        if blocks is None:
            if len(self._wanted) >= _MOST_REMEMBERED:
                self._wanted.clear()
            blocks = self._wanted[asked] = tuple(
                block for block in self._blocks if any(binding.point.id in asked for binding in block.bindings)
            )
        return blocks

    # --- one block ----------------------------------------------------------------------------------------------------

    async def _read_block(self, block: Block, samples: dict[PointId, Sample]) -> None:
        """Raises UnitSilent where the unit itself is silent, not only the place."""
        doubted = self._fell_silent_at.get(block.unit)
        if doubted is not None:
            await self._show_life(block.unit)
        if block in self._searches:
            await self._search_on(block, samples)
            return
        if block.unit in self._tried_in_vain and not self._is_known(block):
            self._spoil(block, SEARCHING, samples)
            return
        try:
            await self._read_as_known(block, samples)
        except UnitSilent as error:
            if doubted is None or (doubted is not block and self._is_known(block)):
                raise
            # It has just answered something else, and here it was silent before or has not been asked.
            self._note_silent_place(block)
            self._learned.pop(block, None)
            self._spoil(block, str(error), samples)
            self._searches[block] = search(block)
        if doubted is block:
            del self._fell_silent_at[block.unit]

    async def _read_as_known(self, block: Block, samples: dict[PointId, Sample]) -> None:
        """Every value of the block, in one request or in the pieces that the device is known to accept."""
        learned = self._learned.get(block)
        if learned is None:
            refusal = await self._read_piece(block, samples)
            if refusal is not None and refusal.divisible and len(block.bindings) > 1:
                await self._search_anew(block, samples)
            return
        for hole in learned.holes:
            self._spoil(hole.block, hole.reason, samples)
        for piece in learned.pieces:
            refusal = await self._read_piece(piece, samples)
            if refusal is not None and refusal.divisible:
                await self._search_anew(block, samples)
                return
        await self._try_hole(block, learned, samples)

    async def _read_piece(self, block: Block, samples: dict[PointId, Sample]) -> Refusal | None:
        """One request; its samples, or why there are none."""
        is_known = block in self._decoders and block.unit not in self._fell_silent_at
        answer = await self._exchange.ask("read", block.unit, lambda client: client.read(block), again=is_known)
        refusal = answer if isinstance(answer, Refusal) else self._decode(block, answer, samples)
        if refusal is not None:
            self._spoil(block, refusal.reason, samples)
        return refusal

    def _decode(self, block: Block, answer: ModbusPDU, samples: dict[PointId, Sample]) -> Refusal | None:
        data = payload(block, answer)
        if isinstance(data, Refusal):
            return data
        decoder = self._decoders.get(block)
        if decoder is None:
            decoder = self._decoders[block] = BlockDecoder(block)
        decoder.decode(data, self._clock.now(), self._clock.monotonic(), samples)
        return None

    def _spoil(self, block: Block, reason: str, samples: dict[PointId, Sample]) -> None:
        sample = self._bad(reason)
        for binding in block.bindings:
            samples[binding.point.id] = sample

    def _bad(self, reason: str) -> Sample:
        return bad(reason, self._clock.now(), self._clock.monotonic())

    # --- holes --------------------------------------------------------------------------------------------------------

    async def _search_anew(self, block: Block, samples: dict[PointId, Sample]) -> None:
        self._learned.pop(block, None)
        self._searches[block] = search(block)
        await self._search_on(block, samples)

    async def _search_on(self, block: Block, samples: dict[PointId, Sample]) -> None:
        """Go on with the search until it ends or costs a time-out. What was found is remembered till the link reopens.

        A refusal that says nothing of the place (the device is busy) ends it, and nothing is remembered.
        """
        found = self._searches[block]
        self._spoil(block, SEARCHING, samples)
        for piece in found.accepted:
            await self._read_piece(piece, samples)
        await self._show_life(block.unit)
        while found.pending and block.unit not in self._tried_in_vain:
            refusal = await self._try_piece(found, samples)
            if refusal is not None and not refusal.divisible:
                del self._searches[block]
                return
        for hole in found.holes:
            self._spoil(hole.block, hole.reason, samples)
        if not found.pending:
            self._learned[block] = found.found()
            del self._searches[block]

    async def _try_piece(self, found: Search, samples: dict[PointId, Sample]) -> Refusal | None:
        """One step of a search: silence is the place's, since the unit has answered just before."""
        piece = found.pending.pop()
        try:
            refusal = await self._read_piece(piece, samples)
        except UnitSilent:
            self._note_silent_place(piece)
            refusal = Refusal(NOT_HERE, divisible=True)
        if refusal is None:
            found.accept(piece)
        elif refusal.divisible:
            found.refuse(piece, refusal.reason, self._clock.wire_time())
        return refusal

    async def _try_hole(self, block: Block, learned: Learned, samples: dict[PointId, Sample]) -> None:
        """Ask again for at most one refused value; once one is there, the block is tried as a whole next time."""
        wire_time = self._clock.wire_time()
        if not learned.holes or learned.holes[0].again > wire_time or block.unit in self._tried_in_vain:
            return
        hole = learned.holes.popleft()
        try:
            refusal = await self._read_piece(hole.block, samples)
        except UnitSilent:
            self._note_silent_place(block)
            refusal = Refusal(NOT_HERE)
        if refusal is None:
            del self._learned[block]
        else:
            learned.holes.append(Hole(wire_time + REFUSED_AGAIN, hole.block, refusal.reason))

    def _note_silent_place(self, block: Block) -> None:
        """The unit is there, and has been asked for enough this time: one time-out a read, however many its holes."""
        self._exchange.excuse(block.unit)
        self._tried_in_vain.add(block.unit)

    def _is_suspect(self, block: Block) -> bool:
        """Asked for last, so that what is well does not wait for the search."""
        return block in self._searches or self._fell_silent_at.get(block.unit) is block

    def _is_known(self, block: Block) -> bool:
        """Whether it is known how the block can be had, so that asking for it is no search."""
        return block in self._learned or block in self._decoders

    # --- signs of life ------------------------------------------------------------------------------------------------

    async def _show_life(self, unit: int) -> None:
        """Have the unit answer for one value, if it has not answered since it was silent. Raises UnitSilent.

        Another value each time until one is answered: the first may be the very place that the device does not have.
        """
        if self._exchange.is_alive(unit):
            return
        values = self._values[unit]
        block = single(values[self._signs[unit] % len(values)])
        self._signs[unit] += 1
        await self._exchange.ask("read", unit, lambda client: client.read(block))
        self._signs[unit] -= 1

    async def _give_up_if_dead(self) -> None:
        """A device that nobody has heard yet may have been asked for a place that it does not have."""
        if not self._exchange.has_heard and self._fell_silent_at:
            unit = min(self._fell_silent_at, key=lambda unit: self._signs[unit])
            if len(self._values[unit]) > 1:
                with contextlib.suppress(UnitSilent):
                    await self._show_life(unit)
        self._exchange.give_up_if_dead()


def payload(block: Block, answer: ModbusPDU) -> bytes | Refusal:
    """The bytes that answer a block; some servers answer a read beyond their map with success and no registers."""
    data = answer.data if isinstance(answer, Payload) else b""
    expected = (block.count + 7) // 8 if block.table in BIT_TABLES else 2 * block.count
    if len(data) == expected:
        return data
    wrong = "short" if len(data) < expected else "long"
    return Refusal(f"{wrong} answer: {len(data)} of {expected} bytes", divisible=True)
