"""What an OPC UA server tells by itself, and what becomes of it where it does not."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta

import pytest

from controller.core.point import PointId
from tests.wire.opcua_bench import bound, running, serving

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # one case a protocol is in the fast suite: its foreign peer


async def test_what_the_server_tells_is_not_asked_for() -> None:
    async with running(bound("one"), bound("two")) as bench:
        assert await bench.values() == {"one": 0.5, "two": 1.5}
        await bench.told("one", "two")
        assert await bench.reads() == 0
        bench.cell("one").value = 7.0
        await bench.told("one")
        assert await bench.values() == {"one": 7.0, "two": 1.5}
        assert await bench.reads() == 0


async def test_a_change_is_told_at_once() -> None:
    async with running(bound("one"), bound("two")) as bench, aclosing(bench.driver.changes()) as changes:
        bench.cell("two").value = 3.0
        bench.device.publish("ns=2;s=two")
        async with asyncio.timeout(5):
            told = await anext(changes)
        assert {point: sample.value for point, sample in told.items()} == {"a.b.two": 3.0}


async def test_an_unchanged_value_is_as_old_as_the_last_sign_of_life() -> None:
    async with running(bound("one")) as bench:
        await bench.told("one")
        bench.clock.advance(3.0)
        sample = (await bench.samples())["one"]
        assert (sample.age(bench.clock.monotonic()), bench.clock.now() - sample.timestamp) == (
            3.0,
            timedelta(seconds=3),
        )
        await bench.told()
        sample = (await bench.samples())["one"]
        assert (sample.age(bench.clock.monotonic()), bench.clock.now() - sample.timestamp) == (0.0, timedelta(0))


async def test_a_server_that_falls_silent_is_asked() -> None:
    async with running(bound("one")) as bench:
        await bench.told("one")
        bench.cell("one").value = 9.0
        bench.clock.advance(11.0)
        assert await bench.values() == {"one": 9.0}
        assert (await bench.samples())["one"].age(bench.clock.monotonic()) == 0.0
        await bench.told()
        assert await bench.reads() == 0


@pytest.mark.parametrize("ended", ["by the server", "by a lost message", "in silence"])
async def test_a_subscription_that_ended_is_made_anew_within_a_minute(ended: str) -> None:
    async with running(bound("one")) as bench:
        await bench.told("one")
        match ended:
            case "by the server":
                bench.device.end_subscriptions("BadTimeout")
                await bench.told()
            case "by a lost message":
                (session,) = bench.device.sessions
                session.subscriptions[1].sequence += 1
                await bench.told()
            case _:
                bench.clock.advance(20.0)
        assert await bench.reads() == 1
        assert bench.device.count("CreateSubscription") == 1
        bench.clock.advance(61.0)
        await bench.samples()
        assert (bench.device.count("DeleteSubscriptions"), bench.device.count("CreateSubscription")) == (1, 2)
        await bench.told("one")
        assert await bench.reads() == 0


async def test_where_the_server_refuses_to_tell_it_is_asked() -> None:
    async with serving(bound("one"), bound("two")) as bench:
        bench.device.refused_services["CreateSubscription"] = "BadTooManySubscriptions"
        async with bench.driver:
            for value in (1.0, 2.0):
                bench.cell("one").value = value
                assert await bench.values() == {"one": value, "two": 1.5}
            assert bench.device.count("CreateSubscription") == 1
            del bench.device.refused_services["CreateSubscription"]
            bench.clock.advance(61.0)
            await bench.samples()
            assert bench.device.watched == {"ns=2;s=one", "ns=2;s=two"}


async def test_what_the_server_refuses_to_tell_of_one_node_is_asked() -> None:
    async with serving(bound("one"), bound("two")) as bench:
        bench.device.refused_items.add("ns=2;s=one")
        async with bench.driver:
            await bench.told("two")
            bench.cell("one").value = 8.0
            assert await bench.values() == {"one": 8.0, "two": 1.5}
            assert bench.device.requests[-1] == ("Read", ("ns=2;s=one", "i=2258"))


async def test_many_nodes_are_subscribed_in_portions() -> None:
    async with serving(*(bound(f"p{n}") for n in range(7))) as bench:
        bench.device.limits["items"] = 3
        async with bench.driver:
            assert len(bench.device.watched) == 7
            assert bench.device.count("CreateMonitoredItems") == 3


async def test_urgent_points_have_a_faster_subscription() -> None:
    async with running(bound("slow"), bound("fire", urgent=True)) as bench:
        (session,) = bench.device.sessions
        subscribed = {each.interval: [*each.items.values()] for each in session.subscriptions.values()}
        assert subscribed == {100.0: ["ns=2;s=fire"], 1000.0: ["ns=2;s=slow"]}


async def test_a_subscription_that_lives_is_left_alone_where_another_is_refused() -> None:
    async with serving(bound("slow"), bound("fire", urgent=True)) as bench:
        bench.device.most_subscriptions = 1
        async with bench.driver:
            for _ in range(3):
                await bench.told("slow")
                assert await bench.values() == {"slow": 0.5, "fire": 1.5}
                bench.clock.advance(59.0)
                await bench.told("slow")
                bench.clock.advance(2.0)
            assert bench.device.count("CreateSubscription") > 2
            assert bench.device.count("DeleteSubscriptions") == 0


async def test_a_session_of_which_nobody_reads_is_kept_alive() -> None:
    async with running(bound("one")) as bench, aclosing(bench.driver.changes()) as changes:
        for _ in range(3):
            before = bench.device.count("Read")
            await bench.told("one")
            async with asyncio.timeout(5):
                await anext(changes)
            assert bench.device.count("Read") - before <= 1
            bench.clock.advance(31.0)
        assert ("Read", ("i=2259",)) in bench.device.requests


async def test_after_a_write_the_value_is_asked_for() -> None:
    """What is on its way from before the write would look as if it had not been taken."""
    async with running(bound("one")) as bench:
        await bench.told("one")
        assert (await bench.driver.write({PointId("a.b.one"): 4.0}))[PointId("a.b.one")].accepted
        assert await bench.values() == {"one": 4.0}
        await bench.told("one")
        bench.clock.advance(4.0)
        await bench.told()
        assert await bench.reads() == 0
        assert await bench.values() == {"one": 4.0}


async def test_what_is_told_from_before_a_write_is_not_passed_on() -> None:
    async with running(bound("one"), bound("two")) as bench, aclosing(bench.driver.changes()) as changes:
        await bench.driver.write({PointId("a.b.one"): 4.0})
        bench.cell("one").value = 0.5
        await bench.told("one")
        bench.cell("one").value = 4.0
        await bench.told("two")
        async with asyncio.timeout(5):
            assert (await anext(changes)).keys() == {"a.b.two"}


@pytest.mark.parametrize("status", ["BadTooManySubscriptions", "BadResourceUnavailable", "BadServiceUnsupported"])
@pytest.mark.parametrize("service", ["CreateSubscription", "CreateMonitoredItems"])
async def test_however_a_server_refuses_to_tell_the_link_stands(service: str, status: str) -> None:
    async with serving(bound("one")) as bench:
        bench.device.refused_services[service] = status
        async with bench.driver:
            assert await bench.values() == {"one": 0.5}
            assert await bench.reads() == 1
