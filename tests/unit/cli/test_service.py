"""The units: made for the site they are for, the same as those in deploy/, taken by systemd without a word."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.app import main
from controller.cli.arguments import Exit
from controller.cli.service import deployment
from controller.cli.service_units import GENERIC, STOP_MARGIN_S, daemon_unit, release_unit, units
from controller.cli.site_folder import load_site
from controller.core.errors import EnvironmentProblem
from controller.core.site import Site

ROOT = Path(__file__).resolve().parents[3]
DEMO = ROOT / "config" / "sites" / "demo"


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site(DEMO)


def values(unit: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)


@pytest.mark.parametrize("slowest", [timedelta(seconds=5), timedelta(minutes=40)])
def test_stopping_may_take_as_long_as_the_slowest_system_declares(site: Site, slowest: timedelta) -> None:
    systems = tuple(replace(each, release_within=slowest) for each in site.systems)
    made = deployment(replace(site, systems=systems), "demo", "tidewatt")
    seconds = int(slowest.total_seconds())
    assert values(daemon_unit(made), "TimeoutStopSec") == [str(seconds + STOP_MARGIN_S)]
    assert values(release_unit(made), "TimeoutStartSec") == [str(seconds + STOP_MARGIN_S)]


@pytest.mark.parametrize("period, watchdog", [(timedelta(seconds=1), "30"), (timedelta(seconds=20), "200")])
def test_the_watchdog_knows_the_scan_period(site: Site, period: timedelta, watchdog: str) -> None:
    made = deployment(replace(site, scan_every=period), "demo", "tidewatt")
    assert values(daemon_unit(made), "WatchdogSec") == [watchdog]


def test_what_a_person_must_mend_is_not_tried_again(site: Site) -> None:
    """1, signals and the watchdog start it again; the release unit goes on while a device is away."""
    made = deployment(site, "demo", "tidewatt")
    daemon, release = daemon_unit(made), release_unit(made)
    assert values(daemon, "Restart") == values(release, "Restart") == ["on-failure"]
    assert values(daemon, "RestartPreventExitStatus") == ["2 3 4"]
    assert values(release, "RestartPreventExitStatus") == ["2 3"]


def test_the_release_never_runs_between_two_starts(site: Site) -> None:
    """A start adopts what is held; only once there will be none does the other unit let go, and a start ends it."""
    daemon = daemon_unit(deployment(site, "demo", "tidewatt"))
    assert values(daemon, "OnFailure") == values(daemon, "Conflicts") == ["tidewatt-release@demo.service"]
    assert values(daemon, "RestartMode") == ["direct"]
    assert not values(daemon, "ExecStopPost")


def test_it_runs_without_rights_and_writes_into_its_site_only(site: Site) -> None:
    for unit in units(deployment(site, "demo", "tidewatt")).values():
        assert values(unit, "User") == ["tidewatt"]
        assert values(unit, "ReadWritePaths") == [str(DEMO)]
        assert values(unit, "ProtectSystem") == ["strict"]
        assert values(unit, "NoNewPrivileges") == ["yes"]
        assert values(unit, "CapabilityBoundingSet") == values(unit, "AmbientCapabilities") == [""]
        assert values(unit, "PrivateDevices") == ["yes"]
        assert not values(unit, "DeviceAllow")


def test_it_may_ask_who_keeps_the_clock_and_not_set_it(site: Site) -> None:
    """ProtectClock= would block the question, too, and no clock kept by chrony would ever be believed."""
    for unit in units(deployment(site, "demo", "tidewatt")).values():
        (calls,) = values(unit, "SystemCallFilter")
        assert {"adjtimex", "clock_adjtime"} <= set(calls.split())
        assert not values(unit, "ProtectClock")
        assert values(unit, "CapabilityBoundingSet") == [""]


def test_serial_lines_are_the_only_devices_it_gets(site: Site) -> None:
    for unit in units(replace(deployment(site, "demo", "tidewatt"), uses_serial=True)).values():
        assert values(unit, "DevicePolicy") == ["closed"]
        assert "char-ttyUSB rw" in values(unit, "DeviceAllow")
        assert values(unit, "SupplementaryGroups") == ["dialout"]


@pytest.mark.parametrize(
    "name, user, folder, words",
    [
        ("my site", "tidewatt", DEMO, "cannot be a unit's name"),
        ("../x", "tidewatt", DEMO, "cannot be a unit's name"),
        ("demo", "root", DEMO, "shall not run it"),
        ("demo", "tidewatt", Path("/srv/my site"), "cannot name it"),
        ("demo", "tidewatt", Path("/srv/%h"), "cannot name it"),
        ("demo", "tidewatt", Path("/srv/a\nExecStart=/bin/sh"), "cannot name it"),
    ],
)
def test_what_a_unit_cannot_say_is_refused(site: Site, name: str, user: str, folder: Path, words: str) -> None:
    with pytest.raises(EnvironmentProblem, match=words):
        deployment(replace(site, folder=folder), name, user)


def test_those_in_deploy_are_what_the_command_makes_for_any_site() -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "deploy").glob("*.service")}
    assert kept == units(GENERIC)


def test_the_command_shows_them_or_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["service", str(DEMO)]) == Exit.OK
    shown = capsys.readouterr().out
    assert main(["service", str(DEMO), "--write", str(tmp_path)]) == Exit.OK
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(written) == {"tidewatt@demo.service", "tidewatt-release@demo.service"}
    assert all(content in shown for content in written.values())
    assert "systemctl enable --now tidewatt@demo" in capsys.readouterr().err


@pytest.mark.system
@pytest.mark.slow
@pytest.mark.parametrize("uses_serial", [False, True])
def test_systemd_understands_every_line_and_finds_little_exposed(
    site: Site, tmp_path: Path, *, uses_serial: bool
) -> None:
    made = replace(deployment(site, "demo", "tidewatt"), uses_serial=uses_serial)
    for name, content in units(made).items():
        (tmp_path / name).write_text(content)
    files = sorted(map(str, tmp_path.iterdir()))
    verified = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)
    # Known since systemd 254; before, what it asks for is what happens anyway.
    told = [line for line in verified.stderr.splitlines() if "'RestartMode'" not in line]
    assert (verified.returncode, told) == (0, [])
    exposure = ["systemd-analyze", "security", "--offline=true", "--threshold=25", *files]
    assert subprocess.run(exposure, capture_output=True, check=False).returncode == 0, "at most 2.5 of 10"
