"""A daemon whose loop lives and whose scan does not is not alive to the service manager."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from controller.runtime.notify_socket import notify_socket
from controller.runtime.service_beat import ServiceBeat
from tests.bench import PUMP, Bench


def heard(listening: socket.socket) -> list[str]:
    """What came since it was asked last."""
    told: list[str] = []
    while True:
        try:
            told += listening.recv(65536).decode().split("\n")
        except BlockingIOError:
            return told


@pytest.mark.parametrize("kind", ["in a folder", "in the kernel"])
def test_beats_follow_the_scan_and_not_the_loop(tmp_path: Path, kind: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        path = str(tmp_path / "notify")
        listening.bind(path if kind == "in a folder" else f"\0{path}")
        listening.setblocking(False)
        address = path if kind == "in a folder" else f"@{path}"
        asked = notify_socket({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"})
        assert asked is not None

        async def life(bench: Bench) -> None:
            beat = asyncio.get_running_loop().create_task(ServiceBeat(asked, bench.daemon, "en").run())
            await bench.command(PUMP, True)
            await bench.wait(60)
            told = heard(listening)
            assert told[:2] == ["READY=1", "WATCHDOG=1"]
            assert told.count("READY=1") == 1
            assert 5 <= told.count("WATCHDOG=1") <= 8, "every ten seconds: two may be lost"
            assert "STATUS=2 of 2 systems ours, 5 points held, 0 active alarms" in told

            scanning = [each for each in asyncio.all_tasks() if each.get_name() == "scan"]
            assert [each.cancel() for each in scanning]
            await bench.wait(30)
            heard(listening)
            await bench.wait(600)
            assert "WATCHDOG=1" not in heard(listening)
            beat.cancel()
            await asyncio.wait([beat])
            assert heard(listening) == ["STOPPING=1"]

        Bench(tmp_path).run(life)


@pytest.mark.parametrize(
    "environment, watchdog",
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_who_is_asked_for_beats(environment: dict[str, str], watchdog: float | None) -> None:
    asked = notify_socket({"NOTIFY_SOCKET": "/run/systemd/notify", **environment})
    assert asked is not None
    assert asked.watchdog == watchdog


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "notify"])
def test_nobody_is_told_where_there_is_no_socket(address: str) -> None:
    assert notify_socket({"NOTIFY_SOCKET": address}) is None


def test_a_service_manager_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    gone = notify_socket({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    assert gone is not None
    gone.tell("WATCHDOG=1")
