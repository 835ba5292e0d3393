"""A link to an OPC UA server that hangs, refuses, is lost or talks nonsense."""

from __future__ import annotations

import asyncio
import logging
import struct
from contextlib import aclosing
from random import Random

import pytest

from controller.core.errors import ConnectFailed, DeviceError, DeviceRefused, DeviceTimeout
from controller.core.point import PointId
from tests.wire.opcua_bench import QUICK, bound, running, serving

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


async def test_a_link_lost_while_only_listening_is_noticed() -> None:
    async with running(bound("one")) as bench, aclosing(bench.driver.changes()) as changes:
        await bench.told("one")
        await bench.samples()
        async with asyncio.timeout(5):
            await anext(changes)
            await bench.device.stop()
            with pytest.raises(ConnectFailed):
                await anext(changes)
        with pytest.raises(ConnectFailed):
            await bench.samples()


@pytest.mark.fault("half-open connection: accepts, and answers nothing")
async def test_a_hung_server_is_noticed_although_it_had_told() -> None:
    async with running(bound("one"), patience=QUICK) as bench:
        await bench.told("one")
        bench.device.hang()
        assert await bench.values() == {"one": 0.5}
        bench.clock.advance(11.0)
        with pytest.raises(DeviceTimeout):
            await bench.samples()


@pytest.mark.parametrize("service", ["", "CreateSession", "ActivateSession", "Read", "CreateSubscription"])
async def test_a_server_that_hangs_while_we_connect_is_left(service: str) -> None:
    async with serving(bound("one"), patience=QUICK) as bench:

        def hang(asked: str, answer: bytes) -> bytes:
            bench.device.hung = bench.device.hung or asked == service
            return answer

        bench.device.hung, bench.device.mangle = not service, hang
        async with asyncio.timeout(5):
            with pytest.raises(DeviceTimeout):
                async with bench.driver:
                    pass


async def test_cancelled_while_connecting_nothing_stays_open() -> None:
    async with serving(bound("one"), patience=QUICK) as bench:
        bench.device.hang()
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            opening = tasks.create_task(bench.driver.__aenter__())
            await bench.device.asked.wait()
            opening.cancel()
        assert opening.cancelled()
        bench.device.resume()
        async with bench.driver:
            assert await bench.values() == {"one": 0.5}


@pytest.mark.parametrize(
    "status, error",
    [
        ("BadUserAccessDenied", DeviceRefused),
        ("BadIdentityTokenRejected", DeviceRefused),
        ("BadCertificateUntrusted", DeviceRefused),
        ("BadSecurityChecksFailed", DeviceRefused),
        ("BadTooManySessions", ConnectFailed),
        ("BadTimeout", DeviceTimeout),
    ],
)
async def test_a_refused_session_says_why(status: str, error: type[DeviceError]) -> None:
    async with serving(bound("one")) as bench:
        bench.device.activation = status
        with pytest.raises(error) as caught:
            async with bench.driver:
                pass
        assert status in caught.value.cause
        bench.device.activation = ""
        async with bench.driver:
            assert await bench.values() == {"one": 0.5}


@pytest.mark.parametrize("buffer", [65536, 2**32 - 1])
async def test_a_chunk_announced_beyond_all_measure_ends_the_link_before_it_has_come(buffer: int) -> None:
    async with serving(bound("one", subscribe=False)) as bench:
        bench.device.buffer = buffer
        async with bench.driver:

            def announce(service: str, answer: bytes) -> bytes:
                bench.device.say(b"MSGF" + struct.pack("<I", 2**31))
                return answer

            bench.device.mangle = announce
            with pytest.raises(ConnectFailed, match="BadTcpMessageTooLarge"):
                await bench.samples()
        bench.device.mangle = lambda service, answer: answer
        async with bench.driver:
            assert await bench.values() == {"one": 0.5}


@pytest.mark.parametrize("part, count", [(b"\0" * 60_000, 300), (b"", 3000)])
async def test_an_answer_in_chunks_without_end_ends_the_link(part: bytes, count: int) -> None:
    async with running(bound("one", subscribe=False)) as bench:
        bench.device.before_each_answer = [part] * count
        with pytest.raises(ConnectFailed, match="BadTcpMessageTooLarge"):
            await bench.samples()


async def test_the_keys_of_the_channel_are_renewed() -> None:
    async with running(bound("one")) as bench:
        await bench.samples()
        assert bench.device.count("OpenSecureChannel") == 1
        bench.clock.advance(1801.0)
        assert await bench.values() == {"one": 0.5}
        assert bench.device.count("OpenSecureChannel") == 2
        await bench.samples()
        assert bench.device.count("OpenSecureChannel") == 2


async def test_a_server_that_is_gone_costs_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "drivers"):
        async with running(bound("one")) as bench:
            await bench.samples()
            await bench.device.stop()
            for _ in range(3):
                with pytest.raises(DeviceError):
                    await bench.samples()
    assert [record for record in caplog.records if record.name.startswith(("asyncua", "drivers"))] == []


async def test_whatever_the_server_answers_ends_well() -> None:
    """Every answer with bytes changed, cut or added: samples, or a lost link, in bounded time."""
    random = Random(1)

    def mangle(service: str, answer: bytes) -> bytes:
        if service in ("OpenSecureChannel", "CreateSession", "ActivateSession") or random.random() < 0.3:
            return answer
        changed = bytearray(answer)
        for _ in range(random.randrange(4)):
            changed[random.randrange(4, len(changed))] = random.randrange(256)
        end = random.choice((len(changed), len(changed), random.randrange(4, len(changed))))
        return bytes(changed[:end]) + random.randbytes(random.choice((0, 0, 3)))

    async with serving(*(bound(f"p{n}", subscribe=n % 2 == 0) for n in range(4)), patience=QUICK) as bench:
        bench.device.mangle = mangle
        for _ in range(60):
            try:
                async with asyncio.timeout(10), bench.driver:
                    for _ in range(5):
                        bench.device.publish("ns=2;s=p0")
                        samples = await bench.samples()
                        assert len(samples) == 4
                        bench.clock.advance(4.0)
                        await bench.driver.write({PointId("a.b.p1"): 4.0})
            except DeviceError:
                continue
