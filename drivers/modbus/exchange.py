"""Questions and answers on one link, one at a time: who is silent, who rests, when the link is given up.

A server may close a connection on which nothing was asked for a while: then it is opened once, and the question asked.
Otherwise nothing here reconnects: who opened the driver closes it and opens it again, with back-off.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from controller.core.errors import ConnectFailed, DeviceError, DeviceTimeout, ProtocolViolation
from controller.core.ports import Clock
from drivers.modbus.address import EVERY_UNIT
from drivers.modbus.client import Client
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.pacing import Pace, Pacer

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

# So many requests in a row without a usable answer while no unit answers, and the connection itself is given up: a
# device that was switched off and on again does not know our connection and may never say so. One that has never
# answered is given up at once.
FRUITLESS_LIMIT: Final = 3
# A unit that does not answer costs its neighbours a time-out whenever it is asked: it rests for 1 s, or as long as that
# time-out, then doubling.
FIRST_REST: Final = 1.0
LONGEST_REST: Final = 60.0
# Units that fell silent together must not all be asked again in the same read.
REST_JITTER: Final = 0.2
# What silence may cost one read of the link, in seconds: after the first no unit is asked that has not answered before
# (one always is, however long its time-out), after the second none at all. What is left out comes first next time.
MOST_PROBING: Final = 5.0
MOST_SILENCE: Final = 20.0

# Asking once more may delay the others by so many seconds.
LONGEST_REPEAT: Final = 5.0
LONGEST_LINE_REPEAT: Final = 0.5

# So long after a unit was silent it is not written to either, while it rests: a value may come more than once a second.
WRITE_AGAIN: Final = 5.0

NOT_ASKED: Final = "not asked this time, since others did not answer"

ILLEGAL_FUNCTION: Final = 1
# MODBUS Application Protocol Specification V1.1b3, 7.
_EXCEPTIONS: Final = {
    ILLEGAL_FUNCTION: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, still working",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}
# The block may hold good values beside the one that the device objects to.
_DIVISIBLE: Final = frozenset({2, 3, 4})
# The gateway says that the unit behind it is silent.
_SILENT: Final = frozenset({10, 11})

Ask: TypeAlias = Callable[[Client], Awaitable["ModbusPDU"]]


class Refusal(NamedTuple):
    """The device answered, but with no values. divisible: parts of the block may still be had."""

    reason: str
    divisible: bool = False
    code: int = 0


class UnitSilent(Exception):
    """One unit did not answer; the link lives."""


class _Silence(NamedTuple):
    """A unit that did not answer: the wire time until which it is not asked, and for how long next time."""

    until: float
    next_rest: float


class _AskAgain(Exception):
    """One answer was lost of a unit that has given answers; it is asked once more before it counts as silent."""


class Exchange:
    _time: Callable[[], float]

    def __init__(
        self, link: str, connection: ModbusConnection, units: frozenset[int], paces: dict[int, Pace], clock: Clock
    ) -> None:
        self._link = link
        self._connection = connection
        self._units = units
        self._paces = paces
        timeout = connection.timeout.total_seconds()
        # On a line a unit that did not answer is given as long again before it is asked once more.
        self._repeats = 2 * timeout <= LONGEST_LINE_REPEAT if connection.is_rtu else timeout <= LONGEST_REPEAT
        self._first_rest = max(FIRST_REST, timeout)
        self._clock = clock
        self._random = random.Random(link)
        self._turn = asyncio.Lock()
        self._failed_at: dict[int, float] = {}
        self._client: Client | None = None
        self._pacer: Pacer | None = None
        self._forget()

    def _forget(self) -> None:
        """The device behind the next connection may be another."""
        self._silent: dict[int, _Silence] = {}
        self._answered: set[int] = set()
        self._fruitless = 0
        self._wasted = 0.0
        self._last_error: DeviceError | None = None
        self.has_heard = False

    async def open(self) -> None:
        self.close()
        self._forget()
        self._time = asyncio.get_running_loop().time
        client = Client(self._link, self._connection)
        await client.open()
        self._client = client
        self._pacer = Pacer(self._paces, asyncio.get_running_loop().time) if self._paces else None

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    # --- asking -------------------------------------------------------------------------------------------------------

    async def ask(self, operation: str, unit: int, request: Ask, *, again: bool = False) -> ModbusPDU | Refusal:
        """Wait for the unit's pace and the link's turn, ask, and hear the answer.

        again: whether an answer that is lost may be asked for once more. Raises UnitSilent, or DeviceError when the
        link is lost.
        """
        try:
            async with self.turn(unit):
                return await self.ask_in_turn(operation, unit, request, again=again)
        except _AskAgain:
            async with self.turn(unit):
                return await self.ask_in_turn(operation, unit, request)

    def turn(self, unit: int) -> Turn:
        """The link for several questions with no other of ours between."""
        return Turn(self._turn, self._pacer, self._client if self._connection.is_rtu else None, unit)

    async def ask_in_turn(self, operation: str, unit: int, request: Ask, *, again: bool = False) -> ModbusPDU | Refusal:
        client = self._client
        if client is None:
            raise ConnectFailed(self._link, operation, "connection lost")
        if not client.connected:
            await client.open_again(operation)
        if unit == EVERY_UNIT and self._connection.is_rtu:
            return Refusal("unit 0 is every device of a line, and none of them answers; give the device's own")
        asked_at = self._time()
        try:
            answer = await client.answer(operation, unit, request(client))
        except DeviceTimeout as error:
            self._wasted += self._time() - asked_at
            if again and self._repeats and not self._fruitless and unit in self._answered:
                raise _AskAgain from error
            self._note_fruitless(unit, error)
            raise UnitSilent("device timeout") from error
        except ProtocolViolation as error:
            self._note_fruitless(unit, error)
            return Refusal(f"garbled answer: {error.cause}")
        self._fruitless = 0
        self.has_heard = True
        code = answer.exception_code if answer.isError() else 0
        if code in _SILENT:
            self._wasted += self._time() - asked_at
            self._let_rest(unit)
            raise UnitSilent(f"device timeout: {_EXCEPTIONS[code]}")
        if unit not in self._answered:
            self._silent.pop(unit, None)
            self._failed_at.pop(unit, None)
            self._answered.add(unit)
        if code:
            return Refusal(
                f"refused: {_EXCEPTIONS.get(code, 'unknown reason')} (exception {code})", code in _DIVISIBLE, code
            )
        return answer

    # --- silence ------------------------------------------------------------------------------------------------------

    def is_alive(self, unit: int) -> bool:
        """Whether the unit has answered since it was last silent."""
        return unit in self._answered

    def excuse(self, unit: int) -> None:
        """It was the place that was asked for: the unit need not rest, but has to show anew that it is there."""
        self._silent.pop(unit, None)

    def begin_read(self) -> bool:
        """Whether every unit has answered when it was asked last, so that none has to wait for others."""
        self._wasted = 0.0
        return len(self._answered) == len(self._units)

    def standing(self, unit: int) -> float:
        """Who is asked first, the lowest: who answers, who has not been asked, who has been silent for longest.

        This outlives the connection: what comes last on one must not come last on the next.
        """
        return -2.0 if unit in self._answered else self._failed_at.get(unit, -1.0)

    def why_not_asked(self, unit: int) -> str:
        """Why the unit is not asked now. One alone on its link costs no neighbour anything and is always asked."""
        if unit in self._answered:
            return NOT_ASKED if self._wasted >= MOST_SILENCE else ""
        if len(self._units) == 1:
            return ""
        silence = self._silent.get(unit)
        if silence is not None and self._clock.wire_time() < silence.until:
            return "device timeout"
        if self._wasted < MOST_PROBING:
            return ""
        return NOT_ASKED if silence is None else "device timeout"

    def why_not_written(self, unit: int) -> str:
        """Why nothing is written to the unit now: it rests, and was silent a few seconds ago."""
        silence, now = self._silent.get(unit), self._clock.wire_time()
        if silence is None or len(self._units) == 1:
            return ""
        return "device timeout" if now < min(silence.until, self._failed_at[unit] + WRITE_AGAIN) else ""

    def give_up_if_dead(self) -> None:
        """Raise what was the matter last, and close, where no unit answers any more."""
        all_silent = len(self._silent) == len(self._units)
        if not self.has_heard:
            is_dead = all_silent or self._wasted >= MOST_PROBING
        else:
            is_dead = all_silent and self._fruitless >= FRUITLESS_LIMIT
        if is_dead and self._last_error is not None:
            self.close()
            raise self._last_error

    def _note_fruitless(self, unit: int, error: DeviceError) -> None:
        self._fruitless += 1
        self._last_error = error
        self._let_rest(unit)

    def _let_rest(self, unit: int) -> None:
        self._answered.discard(unit)
        silence = self._silent.get(unit)
        rest = self._first_rest if silence is None else silence.next_rest
        now = self._failed_at[unit] = self._clock.wire_time()
        until = now + rest * (1.0 - REST_JITTER * self._random.random())
        self._silent[unit] = _Silence(until, min(2 * rest, LONGEST_REST))


class Turn:
    """The link's lock, taken once the unit may be asked; the unit's pace counts from here.

    client: where late answers have to be waited for first.
    """

    def __init__(self, lock: asyncio.Lock, pacer: Pacer | None, client: Client | None, unit: int) -> None:
        self._lock = lock
        self._pacer = pacer
        self._client = client
        self._unit = unit
        self._asked = 0.0

    async def __aenter__(self) -> None:
        if self._pacer is not None:
            await self._pacer.ready(self._unit)
        if self._client is not None:
            await self._client.nothing_late(self._unit)
        await self._lock.acquire()
        if self._pacer is not None:
            self._asked = self._pacer.time()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
        if self._pacer is not None:
            self._pacer.note(self._unit, self._asked)
