"""`tidewatt health` as a person, cron and Nagios call it, against a live, a stopped and a dead daemon."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.cli.arguments import Exit
from tests.site_processes import SiteProcesses, site_on, wait_until

pytestmark = [pytest.mark.wire, pytest.mark.slow]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[SiteProcesses]:
    with site_on(tmp_path) as processes:
        yield processes


def findings(here: SiteProcesses) -> dict[str, str]:
    told = here.tidewatt("health", str(here.site), "--json").json
    return {each["subject"]: each["severity"] for each in told["findings"] if each["subject"] != "disk"}


def test_from_never_run_to_well_to_held_up_to_dead(here: SiteProcesses) -> None:
    site = str(here.site)
    never = here.tidewatt("health", site)
    assert (never.code, "it has never run here" in never.out) == (Exit.ENVIRONMENT, True), never.out

    here.simulator()
    daemon = here.daemon()
    wait_until(here.has_lamps, "the lamps are taken")
    assert findings(here) == {}
    well = here.tidewatt("health", site)
    assert well.code == Exit.OK, well.out
    assert well.out.startswith("well\n")
    assert "5 of 5 links up" in well.out
    assert here.tidewatt("health", site, TIDEWATT_LANGUAGE="zh").out.startswith("正常\n")

    # Something keeps the whole process from running for three seconds.
    daemon.signal(signal.SIGSTOP)
    threading.Event().wait(3.0)
    daemon.signal(signal.SIGCONT)
    wait_until(lambda: here.ask("health")["scan"]["overruns"], "the overrun is counted")
    scan = here.ask("health")["scan"]
    assert scan["missed"] >= 2
    assert scan["late_by_longest_s"] >= 2.0
    (event,) = [each for each in here.ask("status")["events"] if each["body"].get("state") == "scan overrun"]
    assert event["body"]["missed"] >= 2
    assert findings(here) == {"overruns": "warning"}
    late = here.tidewatt("health", site, "--nagios")
    assert (late.code, late.out.startswith("TIDEWATT WARNING - scans overrun")) == (1, True), late.out
    assert "| scan_age=" in late.out
    assert here.tidewatt("health", site).code == Exit.OK, "it does its work"

    (here.site / "site.yaml").write_text((here.site / "site.yaml").read_text() + "\nnonsense: 1\n")
    assert findings(here) == {"overruns": "warning", "configuration": "warning"}

    daemon.kill()
    dead = here.tidewatt("health", site)
    assert dead.code == Exit.ENVIRONMENT
    assert "may still be held" in dead.out
    assert f"tidewatt release {site}" in dead.out
    assert findings(here) == {"daemon": "critical", "configuration": "critical"}
    nagios = here.tidewatt("health", site, "--nagios")
    assert (nagios.code, nagios.out.count("\n")) == (2, 1)


def test_a_daemon_that_hangs_is_told_from_one_that_is_gone(here: SiteProcesses) -> None:
    here.simulator()
    daemon = here.daemon()
    daemon.signal(signal.SIGSTOP)
    told = here.tidewatt("health", str(here.site))
    assert (told.code, "did not answer within 10 s" in told.out) == (Exit.ENVIRONMENT, True), told.out
    daemon.signal(signal.SIGCONT)
    wait_until(lambda: here.tidewatt("health", str(here.site)).code == Exit.OK, "it is well again")
