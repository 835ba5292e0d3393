"""Another configuration, and another authority, while real processes talk to real registers under load."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from controller.cli.arguments import Exit
from tests.site_processes import LIGHTING_REMOTES, SiteProcesses, site_on, wait_until

pytestmark = [pytest.mark.wire, pytest.mark.slow, pytest.mark.timeout(300)]

LAMP = "garage.group_1.brightness_command"
SWITCHES = 10


@pytest.fixture
def here(tmp_path: Path) -> Iterator[SiteProcesses]:
    with site_on(tmp_path) as processes:
        yield processes


@contextmanager
def beside(deed: Callable[[], None], how_many: int = 1) -> Generator[None]:
    """Does it again and again in threads of their own; what fails there fails the test."""
    over, failures = threading.Event(), list[BaseException]()

    def again() -> None:
        while not over.is_set():
            try:
                deed()
            except (AssertionError, OSError, ValueError) as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=again) for _ in range(how_many)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failures == []


def edit(here: SiteProcesses, file: str, before: str, after: str) -> None:
    path = here.site / file
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def switch(here: SiteProcesses, authority: str) -> None:
    for system in here.ask("status")["systems"]:
        here.ask("authority", system=system["id"], authority=authority, who="Li Na")


def verdicts(here: SiteProcesses) -> dict[str, tuple[str, bool]]:
    """Of everything held: its verdict, and whether the register shows what was written."""
    told = {point: here.ask("explain", point=point) for point in here.held()}
    return {
        point: (each["holding"]["verdict"], each["holding"]["read"] == each["holding"]["written"])
        for point, each in told.items()
        if not point.endswith("heartbeat")
    }


def are_owned(here: SiteProcesses) -> bool:
    found = verdicts(here)
    return bool(found) and set(found.values()) == {("owned", True)}


def test_ten_reloads_are_noticed_by_no_lamp(here: SiteProcesses) -> None:
    here.simulator()
    daemon = here.daemon()
    wait_until(lambda: here.has_lamps() and are_owned(here), "the lamps are taken")
    dropped: list[dict[str, bool]] = []

    def look() -> None:
        bits = {name: bit for name, bit in here.remote_bits().items() if name in LIGHTING_REMOTES}
        if not all(bits.values()):
            dropped.append(bits)

    values = [f"off_peak_brightness: {0.2 + number / 100:g}" for number in range(SWITCHES + 1)]
    edit(here, "strategies.yaml", "off_peak_brightness: 0.25", values[0])
    with beside(look), beside(lambda: here.ask("points"), 2):
        for before, after in pairwise(values):
            edit(here, "strategies.yaml", before, after)
            told = here.tidewatt("reload", str(here.site), "--who=Li Na", "--json")
            assert told.code == Exit.OK, told.err
            assert told.json["result"] == "reloaded"
            assert told.json["after"] == here.ask("status")["configuration"]
            wait_until(lambda: are_owned(here), "everything is owned")
    assert dropped == []
    assert {event["body"]["who"] for event in here.events("configuration") if "step" in event["body"]} == {"Li Na"}
    assert daemon.stop() == Exit.OK
    assert here.is_given_back()


def test_a_hang_up_reloads_and_wrong_files_are_refused(here: SiteProcesses) -> None:
    here.simulator()
    daemon = here.daemon()
    wait_until(here.has_lamps, "the lamps are taken")
    first = here.ask("status")["configuration"]
    edit(here, "strategies.yaml", "off_peak_brightness: 0.25", "off_peak_brightness: 0.3")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: here.ask("status")["configuration"] != first, "the reload")
    second = here.ask("status")["configuration"]

    edit(here, "strategies.yaml", "off_peak_brightness: 0.3", "off_peak_brightness: 3")
    edit(here, "site.yaml", "Asia/Shanghai", "Asia/Shanghi")
    told = here.tidewatt("reload", str(here.site))
    assert told.code == Exit.CONFIGURATION
    assert f"refused; configuration {second} goes on" in told.out
    assert "did you mean 'Asia/Shanghai'" in told.err
    assert "strategies.yaml" in told.err
    assert here.ask("status")["configuration"] == second
    assert here.has_lamps()
    raised = here.tidewatt("alarms", str(here.site), "--json").json["alarms"]
    assert [each["alarm"] for each in raised if each["alarm"] == "configuration not loaded"]

    edit(here, "strategies.yaml", "off_peak_brightness: 3", "off_peak_brightness: 0.3")
    edit(here, "site.yaml", "Asia/Shanghi", "Asia/Shanghai")
    told = here.tidewatt("reload", str(here.site), "--dry-run")
    assert (told.code, told.out) == (Exit.OK, f"nothing has changed; configuration {second} goes on\n")


def test_a_site_that_watches_its_files_needs_no_command(here: SiteProcesses) -> None:
    """However they are written; what is wrong is told, and mended without a word."""
    edit(here, "site.yaml", "scan_every: 1s", "scan_every: 1s\nreload: watch")
    here.simulator()
    here.daemon()
    first = here.ask("status")["configuration"]
    strategies, beside = here.site / "strategies.yaml", here.site / ".strategies.yaml.new"
    text = strategies.read_text(encoding="utf-8").replace("off_peak_brightness: 0.25", "off_peak_brightness: 0.3")
    beside.write_text(text, encoding="utf-8")
    beside.replace(strategies)
    wait_until(lambda: here.ask("status")["configuration"] != first, "the reload")
    second = here.ask("status")["configuration"]
    strategies.write_text(text.replace("0.3", "3"), encoding="utf-8")
    wait_until(lambda: raised_about_files(here), "the refusal")
    assert "watching its files" in here.tidewatt("health", str(here.site)).out
    assert here.ask("status")["configuration"] == second
    strategies.write_text(text, encoding="utf-8")
    wait_until(lambda: not raised_about_files(here), "what was refused is mended")
    asked = [event["body"] for event in here.events("configuration") if "step" in event["body"]]
    assert [(each["step"], each["who"]) for each in asked] == [("reloaded", "file watch"), ("refused", "file watch")]


def raised_about_files(here: SiteProcesses) -> bool:
    return "configuration not loaded" in {each["alarm"] for each in here.ask("alarms")["alarms"]}


def test_the_demo_is_switched_ten_times_under_load(here: SiteProcesses) -> None:
    """Original and back: each time the registers themselves say so, and everything that is ours is read back."""
    here.demo("--speed=60", "--start=2026-07-06T09:00")
    wait_until(here.has_lamps, "the lamps are taken")
    with beside(lambda: here.ask("points"), 3), beside(lambda: here.ask("explain", point=LAMP), 2):
        for _ in range(SWITCHES):
            switch(here, "original")
            wait_until(lambda: not here.held(), "nothing is held", 60)
            assert here.is_given_back()
            switch(here, "tidewatt")
            wait_until(here.has_lamps, "the lamps are taken")
            wait_until(lambda: are_owned(here), "everything that is ours is read back")
    switched = [event for event in here.events("authority") if event["body"].get("who") == "Li Na"]
    assert len(switched) >= 3 * 2 * SWITCHES
