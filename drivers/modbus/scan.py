"""Which units answer, what they call themselves, which registers they have and what may be in them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pymodbus.pdu.mei_message import ReadDeviceInformationResponse

from controller.core.discovery import Found, FoundDevice, FoundPoint, NoAnswer
from controller.core.errors import ConnectFailed, DeviceError, DeviceTimeout, ProtocolViolation
from controller.core.event import JsonValue
from controller.core.point import PointKind, ValueType
from drivers.modbus.address import BIT_TABLES, MOST_REGISTERS, Table, looks_like_reference
from drivers.modbus.client import Client, Payload
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.guessing import Reading, readings
from drivers.modbus.plan import Block
from drivers.modbus.target import Wish

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

TABLES: Final[tuple[Table, ...]] = ("holding", "input", "coil", "discrete")
# Exceptions 10 and 11 are a gateway's, for a unit behind it that is silent.
_SILENT: Final = frozenset({10, 11})
_ILLEGAL_FUNCTION: Final = 1
# What is asked for at once: even, since some devices give no half of a value of two registers.
_WINDOW: Final = MOST_REGISTERS - 1
# Where a stretch is refused as a whole, a look at every tenth place decides whether anything is there at all.
_LOOK_EVERY: Final = 10
# Bounds of what one table of one unit may cost.
_MOST_QUESTIONS: Final = 4000
_MOST_SILENCES: Final = 12
_MOST_POINTS: Final = 100
# Questions in a row that the far side answers by breaking off the connection.
_MOST_BROKEN_OFF: Final = 20
# From so many units on, a server that answers for any unit is worth recognising; so many are tried.
_MANY_UNITS: Final = 8
_SAMPLED_UNITS: Final = 5
_MOST_IDENTIFICATIONS: Final = 8
_LONGEST_TITLE: Final = 120
_ABSENT: Final = "it has no such table"


async def discover(wish: Wish) -> AsyncGenerator[Found]:
    """Raises DeviceError where the link cannot be opened."""
    line = _Line(wish.connection)
    await line.open()
    try:
        units = wish.units
        if await line.answers_for_anybody(units):
            units = units[:1]
            yield NoAnswer("other units", f"every unit id is answered alike; only unit {units[0]} is scanned")
        async with aclosing(_units(line, wish, units)) as findings:
            async for found in findings:
                yield found
    finally:
        line.close()


async def _units(line: _Line, wish: Wish, units: Sequence[int]) -> AsyncGenerator[Found]:
    silent: list[int] = []
    unit = units[0]
    try:
        for unit in units:
            if not await line.is_there(unit):
                silent.append(unit)
                continue
            for each in _runs(silent):
                yield each
            silent.clear()
            async with aclosing(_unit(line, wish, unit)) as findings:
                async for found in findings:
                    yield found
    except DeviceError as error:
        for each in _runs(silent):
            yield each
        yield NoAnswer(f"unit {unit} and what comes after", f"the scan ended here: {error.cause}")
        return
    for each in _runs(silent):
        yield each


def _runs(units: Sequence[int]) -> list[NoAnswer]:
    """Units without an answer, those with neighbouring numbers as one."""
    runs: list[list[int]] = []
    for unit in units:
        if runs and unit == runs[-1][-1] + 1:
            runs[-1].append(unit)
        else:
            runs.append([unit])
    names = [f"unit {run[0]}" if len(run) == 1 else f"units {run[0]} to {run[-1]}" for run in runs]
    return [NoAnswer(name, "device timeout") for name in names]


async def _unit(line: _Line, wish: Wish, unit: int) -> AsyncGenerator[Found]:
    device = f"unit_{unit}"
    title = await line.identification(unit) or f"unit {unit}"
    yield FoundDevice(device, wish.connection_said, {"unit": unit}, title)
    for table in TABLES:
        search = _Search(line, unit, table)
        told = 0
        async with aclosing(search.ranges(wish.first, wish.last)) as ranges:
            async for start, words in ranges:
                for reading in readings(table, start, words):
                    told += 1
                    if told <= _MOST_POINTS:
                        yield _point(device, table, reading)
        if told > _MOST_POINTS:
            yield NoAnswer(
                f"{device}: {told - _MOST_POINTS} more values of table {table}",
                "they are there, but no more are listed; scan them with --registers",
            )
        if search.trouble not in ("", _ABSENT):
            yield NoAnswer(f"{device}: table {table}", search.trouble)


def _point(device: str, table: Table, reading: Reading) -> FoundPoint:
    address: dict[str, JsonValue] = {"table": table, "register": reading.register}
    if table not in BIT_TABLES:
        address["type"] = reading.type
    if reading.word_order == "little":
        address["word_order"] = "little"
    if looks_like_reference(table, reading.register):
        address["zero_based"] = True
    is_bit = table in BIT_TABLES
    return FoundPoint(
        device=device,
        name=f"{table}_{reading.register}",
        kind=PointKind.STATUS if is_bit else PointKind.SENSOR,
        type=ValueType.BOOLEAN if is_bit else ValueType.NUMBER,
        unit="none",
        address=address,
        title="",
        value=reading.value if is_bit else f"{reading.value} ({reading.seen})",
    )


# --- the link ---------------------------------------------------------------------------------------------------------


class _Line:
    """The link, opened again where a unit or gateway breaks it off."""

    def __init__(self, connection: ModbusConnection) -> None:
        self._connection = connection
        self._client: Client | None = None
        self._broken_off = 0

    async def open(self) -> None:
        self.close()
        client = Client(self._connection.serial or self._connection.host, self._connection)
        await client.open()
        self._client = client

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def ask(self, unit: int, request: Callable[[Client], Any]) -> ModbusPDU | None:
        """The answer, be it an exception; None for silence, or what is as good as silence.

        Raises DeviceError where the link cannot be opened again, or is broken off again and again.
        """
        if self._broken_off > _MOST_BROKEN_OFF:
            raise ConnectFailed(self._connection.host, "scan", "the connection is broken off again and again")
        if self._client is None or not self._client.connected:
            await self.open()
        assert self._client is not None
        try:
            answer = await self._client.answer("scan", unit, request(self._client))
        except (DeviceTimeout, ProtocolViolation):
            return None
        except ConnectFailed:
            self._broken_off += 1
            return None
        self._broken_off = 0
        return answer

    async def is_there(self, unit: int) -> bool:
        """Some servers break off the connection where they are asked for a unit that they do not have."""
        before = self._broken_off
        answer = await self.ask(unit, lambda client: client.read(_block(unit, "holding", 0, 1)))
        self._broken_off = min(self._broken_off, before)
        return answer is not None and answer.exception_code not in _SILENT

    async def answers_for_anybody(self, units: Sequence[int]) -> bool:
        """Whether the unit id means nothing to it, as is common for devices with a network port of their own."""
        if len(units) < _MANY_UNITS:
            return False
        step = len(units) // _SAMPLED_UNITS
        for unit in units[::step]:
            if not await self.is_there(unit):
                return False
        return True

    async def identification(self, unit: int) -> str:
        """Maker, model, version, as function 43 tells them; empty where it does not."""
        objects: dict[int, str] = {}
        following = 0
        for _ in range(_MOST_IDENTIFICATIONS):
            answer = await self.ask(unit, partial(Client.identify, unit=unit, first_object=following))
            if not isinstance(answer, ReadDeviceInformationResponse):
                break
            objects.update({number: _text(raw) for number, raw in answer.information.items()})
            if not answer.more_follows or answer.next_object_id <= following:
                break
            following = answer.next_object_id
        return " ".join(text for _, text in sorted(objects.items()) if text)[:_LONGEST_TITLE]


def _text(raw: object) -> str:
    data = raw if isinstance(raw, bytes) else b""
    return "".join(char for char in data.decode("utf-8", "replace") if char.isprintable()).strip()


def _block(unit: int, table: Table, start: int, count: int) -> Block:
    return Block(unit, table, start, count, ())


# --- one table --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Stretch:
    start: int
    count: int


class _Search:
    """Which places of a table there are: a stretch that is refused is halved until what is there stands alone.

    trouble: why the search ended early. A table that the device lacks is none to tell of.
    """

    def __init__(self, line: _Line, unit: int, table: Table) -> None:
        self._line = line
        self._unit = unit
        self._table: Table = table
        self._questions = self._silences = 0
        self.trouble = ""

    async def ranges(self, first: int, last: int) -> AsyncGenerator[tuple[int, list[int]]]:
        """Start and words of each run of places that exist, those that touch joined."""
        start, words = first, list[int]()
        async with aclosing(self._pieces(first, last)) as pieces:
            async for at, more in pieces:
                if words and at == start + len(words):
                    words += more
                    continue
                if words:
                    yield start, words
                start, words = at, more
        if words:
            yield start, words

    async def _pieces(self, first: int, last: int) -> AsyncGenerator[tuple[int, list[int]]]:
        for at in range(first, last + 1, _WINDOW):
            stretch = _Stretch(at, min(_WINDOW, last + 1 - at))
            words = await self._words(stretch.start, stretch.count)
            if words is not None:
                yield stretch.start, words
            elif not self.trouble and await self._has_anything(stretch):
                async with aclosing(self._halves(stretch)) as pieces:
                    async for piece in pieces:
                        yield piece
            if self.trouble:
                return

    async def _halves(self, refused: _Stretch) -> AsyncGenerator[tuple[int, list[int]]]:
        pending = _halved(refused)
        while pending and not self.trouble:
            stretch = pending.pop()
            words = await self._words(stretch.start, stretch.count)
            if words is not None:
                yield stretch.start, words
            elif stretch.count > 1:
                pending += _halved(stretch)

    async def _has_anything(self, stretch: _Stretch) -> bool:
        """A look at the first and every tenth place, and at two together: some devices do not give half of a float."""
        end = stretch.start + stretch.count
        tens = range(-(-stretch.start // _LOOK_EVERY) * _LOOK_EVERY, end, _LOOK_EVERY)
        for at in (stretch.start, *tens):
            for count in (1, 2):
                if self.trouble:
                    return False
                if await self._words(at, count) is not None:
                    return True
        return False

    async def _words(self, start: int, count: int) -> list[int] | None:
        self._questions += 1
        if self._questions > _MOST_QUESTIONS:
            self.trouble = f"ended after {_MOST_QUESTIONS} questions; give fewer --registers"
            return None
        block = _block(self._unit, self._table, start, count)
        answer = await self._line.ask(self._unit, lambda client: client.read(block))
        if answer is None or answer.exception_code in _SILENT:
            self._silences += 1
            if self._silences >= _MOST_SILENCES:
                self.trouble = "it falls silent when asked for what it does not have"
            return None
        if answer.exception_code == _ILLEGAL_FUNCTION:
            self.trouble = _ABSENT
        return _unpacked(block, answer) if isinstance(answer, Payload) else None


def _halved(stretch: _Stretch) -> list[_Stretch]:
    """At an even distance, where that is possible. The later half first: the last of a list is taken next."""
    half = stretch.count // 2
    half -= half % 2 if half > 1 else 0
    return [_Stretch(stretch.start + half, stretch.count - half), _Stretch(stretch.start, half)]


def _unpacked(block: Block, answer: Payload) -> list[int] | None:
    """Bits or registers; None where there are fewer than were asked for."""
    data = answer.data
    if block.table in BIT_TABLES:
        if len(data) < (block.count + 7) // 8:
            return None
        return [data[index >> 3] >> (index & 7) & 1 for index in range(block.count)]
    if len(data) != 2 * block.count:
        return None
    return [int.from_bytes(data[index : index + 2], "big") for index in range(0, len(data), 2)]
