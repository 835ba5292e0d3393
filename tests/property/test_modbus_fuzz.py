"""A million inputs for each codec: whatever a wire may carry raises nothing, hangs nothing and piles up nowhere."""

from __future__ import annotations

import asyncio
import math
import struct
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

import pytest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest

from controller.core.point import Binding, Point, PointId, PointKind, Range, ValueType
from controller.core.sample import Quality, Sample
from controller.core.units import Unit
from drivers.modbus.address import ModbusAddress
from drivers.modbus.client import Client, Payload
from drivers.modbus.codec import BlockDecoder, CannotEncode, encode_registers
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.plan import plan_reads
from drivers.modbus.rtu import RtuFramer
from tests.property.modbus_strategies import NUMERIC, ORDERS
from tests.wire.modbus_line import framed

pytestmark = pytest.mark.slow

INPUTS = 1_000_000
MOST_GROWTH = 2 * 2**20
FUNCTIONS = (1, 2, 3, 4, 5, 6, 15, 16, 22, 43, 0x83, 0x80, 0xFF)
NOW = datetime(2026, 7, 1, tzinfo=UTC)


def without_growth(step: Callable[[Random], None], inputs: int = INPUTS) -> None:
    """The same numbers each time; memory is compared between a tenth of the way and the end of a short last stretch."""
    random = Random(20260701)
    for _ in range(inputs // 10):
        step(random)
    tracemalloc.start()
    for _ in range(1000):
        step(random)
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for _ in range(inputs - inputs // 10 - 2000):
        step(random)
    tracemalloc.start()
    for _ in range(1000):
        step(random)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after < before + MOST_GROWTH


def pdu(random: Random) -> bytes:
    """Mostly what a device says; its lengths may lie."""
    function = random.choice(FUNCTIONS) if random.random() < 0.9 else random.randrange(256)
    size = random.choice((0, 1, 2, 4, 5, 24, 24, 250))
    said = size if random.random() < 0.7 else random.randrange(256)
    return bytes([function, said]) + random.randbytes(size)


def mbap(random: Random) -> bytes:
    body = pdu(random)
    length = len(body) + 1 if random.random() < 0.8 else random.randrange(65536)
    protocol = 0 if random.random() < 0.95 else random.randrange(65536)
    return struct.pack(">HHHB", 1, protocol, length, random.choice((1, 1, 2, 0))) + body


def rtu(random: Random) -> bytes:
    frame = framed(random.choice((1, 1, 2)), pdu(random))
    return random.randbytes(random.choice((0, 0, 0, 3, 40))) + frame


class Heard:
    """A client that has asked for 12 registers, and hears something else: whole, cut, with bytes turned over."""

    def __init__(self, client: Client, frame: Callable[[Random], bytes]) -> None:
        pool = Random(7)
        self._frames = [frame(pool) for _ in range(5000)]
        self._context = client.ctx
        self._loop = asyncio.get_running_loop()
        self.answers = 0

    def step(self, random: Random) -> None:
        context = self._context
        context.response_future = future = self._loop.create_future()
        data = random.choice(self._frames)
        chance = random.random()
        if chance < 0.3:
            data = data[: random.randrange(len(data) + 1)]
        elif chance < 0.6:
            at = random.randrange(len(data))
            data = data[:at] + random.randbytes(1) + data[at + 1 :]
        context.data_received(data)
        assert len(context.recv_buffer) <= context.max_buffer_size
        if chance < 0.9:
            context.recv_buffer = b""
        if future.done() and future.exception() is None:
            self.answers += isinstance(future.result(), Payload)


QUESTION = ReadHoldingRegistersRequest(dev_id=1, address=0, count=12)


async def test_frames_of_tcp() -> None:
    client = Client("link", ModbusConnection("127.0.0.1"))
    client.ctx.request_dev_id, client.ctx.request_transaction_id = 1, 1
    heard = Heard(client, mbap)
    without_growth(heard.step)
    assert heard.answers > INPUTS // 1000


async def test_frames_of_a_serial_line() -> None:
    client = Client("link", ModbusConnection("127.0.0.1", framing="rtu_over_tcp"))
    client.ctx.request_dev_id = 1
    framer = client.ctx.framer
    assert isinstance(framer, RtuFramer)
    framer.expect(QUESTION)
    heard = Heard(client, rtu)
    without_growth(heard.step)
    assert heard.answers > INPUTS // 1000


def values() -> list[Binding[ModbusAddress]]:
    """Every type in every order, scaled and not, as number, whole number and flag."""
    bindings: list[Binding[ModbusAddress]] = []
    register = 0
    for type in NUMERIC:
        for word_order in ORDERS:
            address = ModbusAddress(1, "holding", register, type, scale=0.1, word_order=word_order)
            kind = (ValueType.NUMBER, ValueType.INTEGER, ValueType.BOOLEAN)[register % 3]
            id = PointId(f"a.b.p{register}")
            point = Point(id, PointKind.SENSOR, Unit.NONE, kind, plausible=Range(-1e6, 1e6))
            bindings.append(Binding(point, "d", address))
            register += address.words
    return bindings


def test_registers_to_samples() -> None:
    """A GOOD sample is a number that can be; anything else is BAD, has no value and says why."""
    (block,) = plan_reads(values())
    decoder = BlockDecoder(block)
    samples: dict[PointId, Sample] = {}

    def step(random: Random) -> None:
        decoder.decode(random.randbytes(2 * block.count), NOW, 0.0, samples)
        sample = random.choice(tuple(samples.values()))
        if sample.quality is Quality.GOOD:
            assert isinstance(sample.value, int | float)
            assert math.isfinite(sample.value)
            assert -1e6 <= sample.value <= 1e6
        else:
            assert sample.value is None
            assert sample.reason

    # Each input is as many values as the block has.
    without_growth(step, INPUTS // len(block.bindings))


def test_values_to_registers() -> None:
    """What can be spelt takes its registers and no more; what cannot is refused, never cut or wrapped."""
    addresses = [binding.address for binding in values()]
    odd = (math.nan, math.inf, -math.inf, 1e308, -1e308, 2**63, -(2**63) - 1, 2**64, 0, -0.0, True, "12", "")
    refused = 0

    def step(random: Random) -> None:
        nonlocal refused
        address = random.choice(addresses)
        value = random.choice(odd) if random.random() < 0.2 else random.uniform(-1, 1) * 10 ** random.randrange(20)
        try:
            words = encode_registers(address, value)
        except CannotEncode:
            refused += 1
            return
        assert len(words) == address.words
        assert all(0 <= word <= 0xFFFF for word in words)

    without_growth(step)
    assert refused
