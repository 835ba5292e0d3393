"""What systemd hears of a real daemon: ready after its first scan, alive while scans go on, letting go and how long."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.cli.arguments import Exit
from tests.site_processes import ROOT, TIDEWATT, SiteProcesses, site_on, wait_until
from tests.wire.service_manager import ServiceManager, service_manager

pytestmark = [pytest.mark.wire]

WATCHDOG_S = 6.0


@pytest.fixture
def here(tmp_path: Path) -> Iterator[SiteProcesses]:
    with site_on(tmp_path) as processes:
        yield processes


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    with service_manager(tmp_path) as listening:
        yield listening


def test_ready_alive_and_stopping_are_told_in_that_order(here: SiteProcesses, manager: ServiceManager) -> None:
    here.simulator()
    daemon = here.start(*TIDEWATT, "run", str(here.site), **manager.environment(WATCHDOG_S))
    daemon.wait_until(lambda: "READY=1" in manager.told(), "it is ready")
    assert here.ask("status")["scan"]["count"] > 0, "not before its first scan"
    wait_until(here.has_lamps, "the lamps are taken")
    wait_until(lambda: manager.told().count("WATCHDOG=1") >= 4, "it beats")
    assert any(line.startswith("STATUS=4 of 4 systems ours, ") for line in manager.told())
    assert "STOPPING=1" not in manager.told()

    assert daemon.stop() == Exit.OK
    told = manager.told()
    stopping = told.index("STOPPING=1")
    assert "READY=1" not in told[stopping:]
    more = [int(line.partition("=")[2]) / 1e6 for line in told[stopping:] if line.startswith("EXTEND_TIMEOUT_USEC=")]
    assert more, "letting go is not to be cut short"
    assert max(more) > 600.0, "as long as the site's slowest system declares"
    assert "STATUS=letting go: 0 points held" in told


@pytest.mark.slow
def test_a_scan_that_hangs_is_not_told_as_alive(here: SiteProcesses, manager: ServiceManager) -> None:
    here.simulator()
    file = here.site.parent / "hang"
    program = str(ROOT / "tests" / "wire" / "hanging_daemon.py")
    daemon = here.start(sys.executable, program, str(here.site), str(file), **manager.environment(WATCHDOG_S))
    daemon.wait_until(lambda: manager.told().count("WATCHDOG=1") >= 3, "it beats")
    file.touch()
    wait_until(lambda: manager.last("WATCHDOG=1") > WATCHDOG_S, "it has fallen silent for so long that it is killed")
    assert daemon.runs, "nobody but the service manager ends it"
    assert "STOPPING=1" not in manager.told()


@pytest.mark.slow
def test_a_daemon_that_nobody_asked_to_tell_tells_nothing(here: SiteProcesses, manager: ServiceManager) -> None:
    here.simulator()
    daemon = here.daemon()
    wait_until(here.has_lamps, "the lamps are taken")
    daemon.signal(signal.SIGTERM)
    assert daemon.end() == Exit.OK
    assert manager.told() == []
