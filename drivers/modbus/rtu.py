"""Frames of the serial line: which bytes of what was heard are the answer to what was asked. Pure.

MODBUS over Serial Line V1.02, 2.5.1: unit, function, data, CRC. A frame has neither a mark nor a length, and an answer
does not say to which question it belongs. So only what can be the answer is taken: the unit and the function asked,
the length that the question makes it have, the place that a write repeats, a CRC that fits. Noise before it is passed
over.
"""

from __future__ import annotations

from typing import Final

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU

LONGEST_FRAME: Final = 256
_EXCEPTION: Final = 0x80
_EXCEPTION_SIZE: Final = 5
_OVERHEAD: Final = 5  # unit, function, number of bytes, CRC
_ECHOED: Final = {5: 8, 6: 8, 15: 8, 16: 8, 22: 10}
_BIT_READS: Final = (1, 2)
_REGISTER_READS: Final = (3, 4)


class RtuFramer(FramerRTU):
    """Finds the answer to the question that `expect` was told last."""

    def __init__(self) -> None:
        super().__init__(DecodePDU(False))
        self._unit = self._function = self._size = 0
        self._echo = b""

    def expect(self, question: ModbusPDU) -> int:
        """The bytes that the answer will have, at most."""
        self._unit, self._function = question.dev_id, question.function_code
        self._size = answer_size(question)
        self._echo = question.encode()[:4] if self._function in _ECHOED else b""
        return self._size or LONGEST_FRAME

    def decode(self, data: bytes) -> tuple[int, int, int, bytes]:
        """How many bytes are done with; the unit; no transaction; the answer without unit and CRC, where it is."""
        for start in range(len(data) - _EXCEPTION_SIZE + 1):
            if data[start] != self._unit:
                continue
            size = self._size_at(data, start)
            frame = data[start : start + size]
            if len(frame) == size > 0 and self.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big")):
                return len(data), self._unit, 0, frame[1:-2]
        return 0, 0, 0, self.EMPTY

    def _size_at(self, data: bytes, start: int) -> int:
        """The length of the answer if it begins here; 0 if it cannot."""
        function = data[start + 1]
        if function == self._function | _EXCEPTION:
            return _EXCEPTION_SIZE
        if function != self._function or not data.startswith(self._echo[: len(data) - start - 2], start + 2):
            return 0
        return self._size or self._announced_size(data[start:])

    def _announced_size(self, data: bytes) -> int:
        """Where the question leaves it to the device how much it tells."""
        known = self.decoder.lookupPduClass(data)
        return 0 if known is None else known.calculateRtuFrameSize(data)


def answer_size(question: ModbusPDU) -> int:
    """Bytes of the frame that answers it, exceptions aside; 0 where only the device knows."""
    function = question.function_code
    if function in _BIT_READS:
        return _OVERHEAD + (question.count + 7) // 8
    if function in _REGISTER_READS:
        return _OVERHEAD + 2 * question.count
    return _ECHOED.get(function, 0)
