"""pymodbus, tamed: nothing that it raises or receives gets past."""

from __future__ import annotations

import inspect
from random import Random

import pytest
from pymodbus import exceptions as library

from drivers.modbus.client import LIBRARY_ERRORS, Client
from drivers.modbus.connection import ModbusConnection


def test_every_exception_of_the_library_is_mapped() -> None:
    there = {each for _, each in inspect.getmembers(library, inspect.isclass) if issubclass(each, Exception)}
    assert there == set(LIBRARY_ERRORS)


@pytest.mark.parametrize("kind", LIBRARY_ERRORS, ids=lambda kind: kind.__name__)
async def test_a_library_error_becomes_ours_and_is_bounded(kind: type[library.ModbusException]) -> None:
    client = Client("link", ModbusConnection("127.0.0.1"))
    failing: list[library.ModbusException] = [kind("x" * 10_000)]

    async def request() -> None:
        raise failing[0]

    with pytest.raises(LIBRARY_ERRORS[kind]) as caught:
        await client.answer("read", 1, request())  # type: ignore[arg-type]
    assert caught.value.__cause__ is failing[0]
    assert len(str(caught.value)) < 300


async def test_whatever_arrives_raises_nothing_into_the_loop() -> None:
    """Frames with a true header and any content, whole and cut, and plain noise."""
    random = Random(1)
    client = Client("link", ModbusConnection("127.0.0.1"))
    for _ in range(20_000):
        client.ctx.request_dev_id, client.ctx.request_transaction_id = 1, 1
        pdu = bytes([random.choice((1, 2, 3, 4, 5, 6, 15, 16, 22, 0x83, 0x80, 43, random.randrange(256)))])
        pdu += random.randbytes(random.choice((0, 1, 2, 5, random.randrange(300))))
        length = random.choice((len(pdu) + 1, len(pdu) + 1, random.randrange(65536)))
        header = b"\x00\x01\x00\x00" + length.to_bytes(2, "big") + b"\x01"
        frame = random.choice((header + pdu, header + pdu, random.randbytes(random.randrange(300))))
        client.ctx.data_received(frame)
        assert len(client.ctx.recv_buffer) <= client.ctx.max_buffer_size
        if random.random() < 0.3:
            client.ctx.recv_buffer = b""
