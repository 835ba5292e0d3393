"""Messages between the simulator and the processes of its servers, on a stream: length in four bytes, then pickled."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

_LENGTH = 4


def framed(message: Any) -> bytes:
    """As it goes onto the stream."""
    content = pickle.dumps(message)
    return len(content).to_bytes(_LENGTH, "big") + content


class Frames:
    """What comes from the stream, in whatever pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def of(self, data: bytes) -> Iterator[Any]:
        """Every message that is whole now."""
        self._rest += data
        while len(self._rest) >= _LENGTH:
            end = _LENGTH + int.from_bytes(self._rest[:_LENGTH], "big")
            if len(self._rest) < end:
                return
            content = bytes(self._rest[_LENGTH:end])
            del self._rest[:end]
            yield pickle.loads(content)
