"""Modbus units on a loopback port, written from the specification and sharing no code with driver or library."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple

from tests.loopback import LoopbackServer

COILS, DISCRETE, HOLDING, INPUT = 1, 2, 3, 4  # tables, by the function that reads them
IDENTIFY = 43
_WRITTEN_TABLE = {5: COILS, 15: COILS, 6: HOLDING, 16: HOLDING, 22: HOLDING}


class Request(NamedTuple):
    unit: int
    function: int
    start: int
    size: int


class Place(NamedTuple):
    unit: int
    table: int
    register: int


class _ModbusException(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class ModbusDevice(LoopbackServer):
    """cells: what exists; asking for anything else is answered by exception 2.

    refused: exceptions per place. mute: places about which it is silent, instead of refusing. silent: units that
    never answer. missing: functions that no unit has. longest: most values that a read may ask for. mangle: changes
    an answer (the whole frame) before it leaves. While `is_late`, writes are acknowledged and wait for `carry_out`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cells: dict[Place, int] = {}
        self.refused: dict[Place, int] = {}
        self.mute: set[Place] = set()
        self.silent: set[int] = set()
        self.missing: set[int] = set()
        self.identification: dict[int, tuple[bytes, ...]] = {}
        self.longest = 2000
        self.is_late = False
        self._to_do: list[Mapping[Place, int]] = []
        self.mangle: Callable[[bytes], bytes] | None = None
        self.requests: list[Request] = []

    def put(self, unit: int, table: int, register: int, *words: int) -> None:
        for offset, word in enumerate(words):
            self.cells[Place(unit, table, register + offset)] = word

    def words(self, unit: int, table: int, register: int, count: int = 1) -> tuple[int, ...]:
        return tuple(self.cells[Place(unit, table, register + offset)] for offset in range(count))

    def receive(self, buffer: bytearray, reply: Callable[[bytes], None]) -> None:
        while len(buffer) >= 6 and len(buffer) >= 6 + (length := int.from_bytes(buffer[4:6], "big")):
            frame = bytes(buffer[: 6 + length])
            del buffer[: 6 + length]
            self._answer(frame, reply)

    def _answer(self, frame: bytes, reply: Callable[[bytes], None]) -> None:
        body = self.answer_to(frame[6], frame[7:])
        if body is not None:
            answer = frame[:4] + struct.pack(">HB", len(body) + 1, frame[6]) + body
            reply(self.mangle(answer) if self.mangle else answer)

    def answer_to(self, unit: int, question: bytes) -> bytes | None:
        """What the unit says to a function and its data; nothing where it is silent."""
        if question[0] == IDENTIFY:
            return self._identify(unit, question[3])
        function, start, count = struct.unpack(">BHH", question[:5])
        self.requests.append(Request(unit, function, start, count))
        if unit in self.silent or (function <= INPUT and self._touches_mute(unit, function, start, count)):
            return None
        try:
            return self._serve(unit, function, start, question[3:])
        except _ModbusException as error:
            return bytes([function | 0x80, error.code])

    def _identify(self, unit: int, first: int) -> bytes | None:
        """One object an answer, so that whoever wants all has to go on asking."""
        names = self.identification.get(unit)
        if unit in self.silent:
            return None
        if names is None or first >= len(names):
            return bytes([IDENTIFY | 0x80, 2])
        more = first + 1 < len(names)
        head = bytes([IDENTIFY, 14, 1, 1, 0xFF if more else 0, first + 1 if more else 0, 1])
        return head + bytes([first, len(names[first])]) + names[first]

    def _touches_mute(self, unit: int, table: int, start: int, count: int) -> bool:
        return any(Place(unit, table, start + offset) in self.mute for offset in range(count))

    def _serve(self, unit: int, function: int, start: int, data: bytes) -> bytes:
        if function in self.missing or function not in {1, 2, 3, 4, 5, 6, 15, 16, 22}:
            raise _ModbusException(1)
        if function <= INPUT:
            return self._read(unit, function, start, int.from_bytes(data[:2], "big"))
        if function == 5:
            self._write({Place(unit, COILS, start): int(data[:2] == b"\xff\x00")})
            return struct.pack(">BH", function, start) + data[:2]
        if function == 6:
            self._write({Place(unit, HOLDING, start): int.from_bytes(data[:2], "big")})
            return struct.pack(">BH", function, start) + data[:2]
        if function == 22:
            return self._mask(unit, start, data)
        return self._write_several(unit, function, start, data)

    def _read(self, unit: int, table: int, start: int, count: int) -> bytes:
        if count > self.longest or count > (2000 if table in {COILS, DISCRETE} else 125):
            raise _ModbusException(3)
        words = [self._cell(Place(unit, table, start + offset)) for offset in range(count)]
        if table in {COILS, DISCRETE}:
            packed = sum(word << index for index, word in enumerate(words)).to_bytes((count + 7) // 8, "little")
        else:
            packed = struct.pack(f">{count}H", *words)
        return bytes([table, len(packed)]) + packed

    def _mask(self, unit: int, start: int, data: bytes) -> bytes:
        keep, ones = struct.unpack(">HH", data[:4])
        place = Place(unit, HOLDING, start)
        self._write({place: (self._cell(place) & keep) | (ones & ~keep & 0xFFFF)})
        return struct.pack(">BHHH", 22, start, keep, ones)

    def _write_several(self, unit: int, function: int, start: int, data: bytes) -> bytes:
        count = int.from_bytes(data[:2], "big")
        payload = data[3:]
        if function == 15:
            bits = int.from_bytes(payload, "little")
            words = [bits >> index & 1 for index in range(count)]
        else:
            words = [*struct.unpack(f">{count}H", payload)]
        table = _WRITTEN_TABLE[function]
        self._write({Place(unit, table, start + offset): word for offset, word in enumerate(words)})
        return struct.pack(">BHH", function, start, count)

    def _cell(self, place: Place) -> int:
        if place in self.refused:
            raise _ModbusException(self.refused[place])
        if place not in self.cells:
            raise _ModbusException(2)
        return self.cells[place]

    def _write(self, words: Mapping[Place, int]) -> None:
        for place in words:
            self._cell(place)
        self._to_do.append(words)
        if not self.is_late:
            self.carry_out()

    def carry_out(self) -> None:
        """What was acknowledged and not done yet, in its order."""
        for words in self._to_do:
            self.cells.update(words)
        self._to_do.clear()
