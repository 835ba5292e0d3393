"""Watchdogs of the gateways, on wire seconds."""

from math import inf

from simulator.gateway import HeartbeatGateway, Remote, TimeoutGateway


def test_heartbeat_must_change() -> None:
    remote = Remote("command")
    gateway = HeartbeatGateway(60.0, remote)
    gateway.take(remote, 0.0)
    gateway.beat(1, 50.0)
    assert gateway.deadline() == 110.0
    gateway.beat(1, 100.0)
    gateway.expire(109.0)
    assert remote.active
    gateway.expire(110.0)
    assert not remote.active
    assert gateway.deadline() == inf


def test_first_remote_bit_opens_one_watchdog_period_and_the_next_does_not() -> None:
    first, second = Remote("command"), Remote("command")
    gateway = HeartbeatGateway(60.0, first, second)
    gateway.take(first, 1000.0)
    gateway.take(second, 1050.0)
    assert gateway.deadline() == 1060.0
    gateway.expire(1060.0)
    assert not first.active
    assert not second.active


def test_lighting_leases_end_one_by_one() -> None:
    first, second = Remote("command"), Remote("command")
    gateway = TimeoutGateway(30.0, first, second)
    gateway.take(first, 0.0)
    gateway.take(second, 0.0)
    gateway.take(second, 20.0)
    assert gateway.deadline() == 30.0
    gateway.expire(30.0)
    assert (first.active, second.active) == (False, True)
    gateway.expire(50.0)
    assert not second.active


def test_register_follows_until_it_is_written_and_again_after_it_is_given_back() -> None:
    remote = Remote("command")
    remote.follow(True)
    assert remote.value("command") is True
    remote.write("command", False)
    remote.follow(True)
    assert remote.value("command") is False
    remote.give_back()
    remote.follow(True)
    assert remote.value("command") is True
