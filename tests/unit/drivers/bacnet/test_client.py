"""bacpypes3, tamed: nothing that it raises gets past, and nothing that arrives makes it grow."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (the library is typed in parts)

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import bacpypes3
import pytest
from bacpypes3 import apdu as library
from bacpypes3.basetypes import ErrorCode

from drivers.bacnet.address import BacnetConnection
from drivers.bacnet.answers import LIBRARY_ERRORS, ours, reply
from drivers.bacnet.client import Client
from drivers.bacnet.wire import Refusal

# Modules for other links and formats, and those that belong to programs.
NOT_OURS = tuple(f"bacpypes3.{name}" for name in ("analysis", "cmd", "console", "ipv6", "mcp", "rdf", "sc"))


def library_exceptions() -> Iterator[type[BaseException]]:
    for module in pkgutil.walk_packages(bacpypes3.__path__, "bacpypes3."):
        if module.name.startswith(NOT_OURS) or module.name.endswith("__main__"):
            continue
        for _, each in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(each, BaseException) and each.__module__.startswith("bacpypes3"):
                yield each


def test_every_exception_of_the_library_is_mapped_or_an_answer() -> None:
    there = set(library_exceptions())
    answers = {each for each in there if issubclass(each, library.ErrorRejectAbortNack)}
    rest = there - answers
    assert {library.ErrorPDU, library.RejectPDU, library.AbortPDU, library.Error} <= answers
    assert set(LIBRARY_ERRORS) <= rest
    assert [each for each in rest if not set(each.__mro__) & set(LIBRARY_ERRORS)] == []


@pytest.mark.parametrize("kind", LIBRARY_ERRORS, ids=lambda kind: kind.__name__)
def test_a_library_error_becomes_ours_and_is_bounded(kind: type[BaseException]) -> None:
    error = kind.__new__(kind)
    error.args = ("x" * 10_000,)
    mapped = ours("link", "read", error)
    assert type(mapped) is LIBRARY_ERRORS[kind]
    assert len(str(mapped)) < 300


@pytest.mark.parametrize("reason", range(11))
def test_a_reject_is_told_in_words(reason: int) -> None:
    told = reply(library.RejectPDU(1, reason=library.RejectReason(reason)))
    assert isinstance(told, Refusal)
    assert told.reason == f"rejected: {library.RejectReason(reason)}"
    assert (told.too_long, told.unknown_service) == (reason == 1, reason == 9)


@pytest.mark.parametrize("reason", range(12))
def test_an_abort_is_told_in_words(reason: int) -> None:
    told = reply(library.AbortPDU(True, 1, reason=library.AbortReason(reason)))
    assert isinstance(told, Refusal)
    assert told.reason == f"aborted: {library.AbortReason(reason)}"
    assert told.too_long == (reason in {1, 4, 9, 11})
    assert told.busy == (reason in {2, 3, 5, 6, 8, 10})


def test_an_error_is_told_in_words_whatever_its_number() -> None:
    for code in (*range(200), 70_000):
        error = library.ErrorPDU()
        error.put_data(bytes([0x91, 2, 0x93]) + code.to_bytes(3, "big"))
        told = reply(error)
        assert isinstance(told, Refusal)
        assert told.reason == f"refused: {ErrorCode(code)}"
        assert told.error is not None
        assert told.error.error_code == code
    for garbage in (b"", b"\x91", b"\x91\x02", b"\x95\xff"):
        error = library.ErrorPDU()
        error.put_data(garbage)
        assert isinstance(reply(error), Refusal)


SEEDS = [
    bytes.fromhex(text)
    for text in (
        "810a001101040265010c0c023fffff193e",  # ReadProperty of our device object
        "810b000c0120ffff00ff1008",  # Who-Is
        "810b00180120ffff00ff1000c4020003e922040091032203e7",  # I-Am
        "810a0014010030010c0c023fffff194d4e21303f",  # an acknowledgement that nobody waits for
        "810a000a01800100050006",  # I-Am-Router-To-Network
        "8105000600003c",  # Register-Foreign-Device
        "810a002601040235010209051c020000012c000000013901 4e09552e44412000002f4f".replace(" ", ""),  # a notification
    )
]


def noise(random: Random) -> bytes:
    """Bytes of no meaning, and requests of every kind with some of their bytes changed or missing."""
    chance = random.random()
    if chance < 0.2:
        return random.randbytes(random.randrange(60))
    if chance < 0.4:
        return b"\x81\x0a" + random.randbytes(2) + b"\x01" + random.randbytes(random.randrange(40))
    data = bytearray(random.choice(SEEDS))
    for _ in range(random.randrange(4)):
        data[random.randrange(len(data))] = random.randrange(256)
    if random.random() < 0.3:
        del data[random.randrange(1, len(data) + 1) :]
    if random.random() < 0.7:
        data[2:4] = len(data).to_bytes(2, "big")
    return bytes(data)


async def receive_noise(count: int) -> None:
    trouble: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: trouble.append(context))
    random = Random(1)
    client = Client("link", BacnetConnection("127.0.0.1/32", 0, timeout=timedelta(seconds=1)))
    await client.open()
    try:
        for number in range(count):
            source = (f"127.0.{random.randrange(256)}.{random.randrange(2, 250)}", random.randrange(1, 65536))
            client.socket.receive(noise(random), source)
            if number % 1000 == 0:
                await asyncio.sleep(0)
                assert len(client.asap.serverTransactions) <= 32
                assert not client.asap.clientTransactions
                assert len(client.nsap.router_info_cache.path_info) <= 64
                assert len(client.nsap.router_info_cache.router_dnets) <= 64
                assert not client.device_info_cache.address_cache
    finally:
        client.close()
    assert trouble == []


async def test_whatever_arrives_raises_nothing_and_is_not_kept() -> None:
    await receive_noise(10_000)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_whatever_arrives_raises_nothing_and_is_not_kept_for_long() -> None:
    await receive_noise(100_000)
