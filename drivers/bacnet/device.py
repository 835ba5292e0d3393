"""One device behind the socket: asked one thing at a time, in requests as large as it is known to answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from drivers.bacnet.address import ObjectId, Reference, Station
from drivers.bacnet.answers import Silence, refusal
from drivers.bacnet.client import LONGEST_APDU, Client, address_of
from drivers.bacnet.codec import Answer, Slots, is_said_by_flags, slots
from drivers.bacnet.names import ANY_INSTANCE, DEVICE, PRIORITY_ARRAY, QUALITY_PROPERTIES
from drivers.bacnet.plan import Block, blocks, halves
from drivers.bacnet.wire import (
    Garbled,
    Kind,
    Raw,
    Refusal,
    Refused,
    read_multiple_answer,
    read_multiple_request,
    read_property_answer,
    read_property_request,
    subscribe_request,
    unsubscribe_request,
    write_property_request,
)

if TYPE_CHECKING:
    from bacpypes3.pdu import Address

# Confirmed services (ANSI/ASHRAE 135-2020, clause 21).
_SUBSCRIBE_COV: Final = 5
_READ_PROPERTY: Final = 12
_READ_MULTIPLE: Final = 14
_WRITE_PROPERTY: Final = 15

_LONGEST_APDU_OF: Final = Reference(ObjectId(DEVICE, ANY_INSTANCE), 62)
# What a device surely accepts is 50 bytes (clause 12.11.18); one that does not say more is commonly on MS/TP, whose
# frames carry 480 (clause 9.1; longer ones came late and are rare).
_LONGEST_ON_A_LINE: Final = 480
_SHORTEST_APDU: Final = 50
# Our subscriptions are told apart by device and object: this says only that they are ours.
PROCESS: Final = 1

# A device that does not answer is left alone for 1 s, then doubling.
FIRST_REST: Final = 1.0
LONGEST_REST: Final = 60.0
LEARNED_FOR_S: Final = 3600.0
# Plans for the sets of values that are asked for again and again: whole devices, urgent points, single read-backs.
_MOST_PLANS: Final = 100


_MISSING: Final = Refusal("missing in the answer")


class RemoteDevice:
    """What was learned of the device holds for an hour, and no longer than the link is open.

    `wire_time`: the clock by which it rests. station None: the device with the number `instance` is looked for.
    """

    def __init__(
        self, station: Station | None, instance: int | None, client: Client, wire_time: Callable[[], float]
    ) -> None:
        self._station = station
        self._instance = instance
        self._client = client
        self._wire_time = wire_time
        self._turn = asyncio.Lock()
        self.address: Address | None = None if station is None else address_of(station)
        self.is_silent = False
        self.asked_again_at = 0.0
        self._rest = FIRST_REST
        self.kinds: dict[Reference, Kind] = {}
        self._forget()

    def _forget(self) -> None:
        """A device is reprogrammed, or was only not well when it refused: what it can do is found out anew."""
        self._longest = 0
        self._most: int | None = None
        self._reads_singly = False
        self._alone: set[Reference] = set()
        self._lacking: set[Reference] = set()
        self._apart: dict[Block, tuple[Block, Block]] = {}
        self._plans: dict[tuple[Reference, ...], tuple[Block, ...]] = {}
        self._without_array: set[ObjectId] = set()
        self._learned_until = self._wire_time() + LEARNED_FOR_S

    # --- one request --------------------------------------------------------------------------------------------------

    async def _ask(self, operation: str, service: int, content: bytes) -> bytes | Refusal:
        """One request at a time. Raises Silence, and DeviceError where the link itself is lost."""
        async with self._turn:
            try:
                address = await self._place()
                answer = await self._client.ask(operation, address, service, content)
            except Silence:
                self._let_rest()
                raise
        self.is_silent = False
        self._rest = FIRST_REST
        return answer

    async def _place(self) -> Address:
        if self.address is None:
            assert self._instance is not None
            self.address = await self._client.find(self._instance)
        return self.address

    def _let_rest(self) -> None:
        self.is_silent = True
        self.asked_again_at = self._wire_time() + self._rest
        self._rest = min(2 * self._rest, LONGEST_REST)
        if self._instance is not None:
            self.address = None  # it may come back under another

    @property
    def is_resting(self) -> bool:
        return self.is_silent and self._wire_time() < self.asked_again_at

    async def introduce(self) -> None:
        """Ask how long its answers may be; any answer shows that it is there. Raises Silence."""
        if self._station is not None:
            await self._client.know_route(self._station)
        answer = await self._read_singly(_LONGEST_APDU_OF)
        self._plans.clear()
        match answer:
            case (Raw(Kind.UNSIGNED, int(longest)),):
                self._longest = max(_SHORTEST_APDU, min(longest, self._longest_on_the_way()))
            case _:
                self._longest = _LONGEST_ON_A_LINE

    def _longest_on_the_way(self) -> int:
        """A router to MS/TP drops in silence what its line does not carry, whatever the device says of itself."""
        address = self.address
        is_on_a_line = address is not None and address.addrNet is not None and address.addrLen == 1
        return _LONGEST_ON_A_LINE if is_on_a_line else LONGEST_APDU

    # --- reading ------------------------------------------------------------------------------------------------------

    async def read(self, references: tuple[Reference, ...], answers: dict[Reference, Answer]) -> None:
        """Fills `answers`, in as few requests as the device is known to answer. Raises Silence part way."""
        if self._wire_time() >= self._learned_until:
            self._forget()
        if not self._longest:
            await self.introduce()
        alone = [reference for reference in references if reference in self._alone]
        for block in self._plan(references):
            await self._read_block(block, answers)
        await self.read_each(alone, answers)

    def _plan(self, references: tuple[Reference, ...]) -> tuple[Block, ...]:
        plan = self._plans.get(references)
        if plan is None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            without = self._lacking | self._alone
            there = [reference for reference in references if reference not in without]
            plan = self._plans[references] = blocks(there, self._longest, self._most)
        return plan

    async def _read_block(self, block: Block, answers: dict[Reference, Answer]) -> None:
        if self._reads_singly:
            await self.read_each(block, answers)
            return
        if block in self._apart:
            for half in self._apart[block]:
                await self._read_block(half, answers)
            return
        answer = await self._ask("read", _READ_MULTIPLE, read_multiple_request(block))
        if isinstance(answer, Refusal):
            await self._read_otherwise(block, answer, answers)
        else:
            self._take(block, answer, answers)

    async def _read_otherwise(self, block: Block, refused: Refusal, answers: dict[Reference, Answer]) -> None:
        """What the device refuses as a whole may be had in parts; what it refuses for want of time may not."""
        if refused.unknown_service:
            self._reads_singly = True
            await self.read_each(block, answers)
        elif refused.busy:
            answers.update(dict.fromkeys(block, refused))
        elif len(block) == 1:
            answers[block[0]] = await self._read_singly(block[0])
            if not isinstance(answers[block[0]], Refusal):
                self._alone.add(block[0])
                self._plans.clear()
        elif refused.too_long:
            self._most = min(self._most or len(block), len(block)) // 2
            self._plans.clear()
            for half in halves(block):
                await self._read_block(half, answers)
        else:
            self._apart[block] = halves(block)
            await self._read_block(block, answers)

    def _take(self, block: Block, data: bytes, answers: dict[Reference, Answer]) -> None:
        try:
            found = read_multiple_answer(data)
        except Garbled as error:
            answers.update(dict.fromkeys(block, Refusal(f"garbled answer: {error}")))
            return
        for reference in block:
            self._note(reference, found.get(reference, _MISSING), answers)

    async def read_each(self, block: Sequence[Reference], answers: dict[Reference, Answer]) -> None:
        """One request each. Here every request counts: what Status_Flags has said already is not asked for."""
        for reference in block:
            if reference not in self._lacking and not is_said_by_flags(reference, answers):
                answer = await self._read_singly(reference)
                error = answer.error if isinstance(answer, Refusal) else None
                self._note(reference, answer if error is None else error, answers)

    def owes(self, reference: Reference, answers: Mapping[Reference, Answer]) -> bool:
        """Whether it has not given this property, and may still."""
        return not (reference in answers or reference in self._lacking or is_said_by_flags(reference, answers))

    async def _read_singly(self, reference: Reference) -> Answer:
        answer = await self._ask("read", _READ_PROPERTY, read_property_request(reference))
        if isinstance(answer, Refusal):
            return answer
        try:
            asked, value = read_property_answer(answer)
        except Garbled as error:
            return Refusal(f"garbled answer: {error}")
        # A device answers for itself under its own number where it was asked for by the wildcard.
        same = asked == reference or reference.object.instance == ANY_INSTANCE
        return value if same else Refusal(f"answered for {asked}")

    def _note(self, reference: Reference, answer: Answer | Refused, answers: dict[Reference, Answer]) -> None:
        if isinstance(answer, Refused):
            if answer.is_unknown_property and reference.property in QUALITY_PROPERTIES:
                self._lacking.add(reference)
                self._plans.clear()
            answer = refusal(answer)
        answers[reference] = answer
        if not isinstance(answer, Refusal) and len(answer) == 1:
            self.kinds[reference] = answer[0].kind

    # --- writing ------------------------------------------------------------------------------------------------------

    async def set_property(self, reference: Reference, value: Raw, priority: int | None) -> str:
        """Why the device does not take it; empty where it does."""
        answer = await self._ask("write", _WRITE_PROPERTY, write_property_request(reference, value, priority))
        return answer.reason if isinstance(answer, Refusal) else ""

    async def slots(self, object: ObjectId, priority: int) -> Slots | Refusal | None:
        """What the object's priority array holds; None where it has none."""
        if object in self._without_array:
            return None
        answer = await self._read_singly(Reference(object, PRIORITY_ARRAY))
        if isinstance(answer, Refusal):
            if answer.error is None or not answer.error.is_unknown_property:
                return answer
            self._without_array.add(object)
            return None
        return slots(answer, priority) or Refusal("its priority array has other than 16 slots")

    # --- changes ------------------------------------------------------------------------------------------------------

    async def subscribe(self, object: ObjectId, lifetime: int) -> str:
        """Why the device will not tell changes; empty where it will. Renews what there is."""
        answer = await self._ask("subscribe", _SUBSCRIBE_COV, subscribe_request(PROCESS, object, lifetime))
        return answer.reason if isinstance(answer, Refusal) else ""

    def unsubscribe(self, object: ObjectId) -> None:
        """In leaving: devices have room for few subscriptions. One that does not hear it forgets us in time."""
        if self.address is not None and not self.is_silent:
            self._client.leave_word(self.address, _SUBSCRIBE_COV, unsubscribe_request(PROCESS, object))
