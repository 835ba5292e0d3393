"""The commands as a user types them, against a daemon that runs a simulated plant over real sockets."""

from __future__ import annotations

import csv
import json
import signal
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from controller.cli.arguments import Exit
from tests.site_processes import COILS, LIGHTING, TIDEWATT, SiteProcesses, site_on, wait_until

pytestmark = [pytest.mark.wire]

LAMP = "garage.group_1.brightness_command"
PUMP = "plant.condenser_water_pump_1.command"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteProcesses]:
    """A daemon at work that these tests share; each leaves it as it was."""
    with site_on(tmp_path_factory.mktemp("running")) as here:
        here.simulator("--start=2026-07-06T10:00", "--seed=3")
        here.daemon()
        wait_until(here.has_lamps, "the lamps are taken")
        yield here


@pytest.fixture
def here(tmp_path: Path) -> Iterator[SiteProcesses]:
    with site_on(tmp_path) as processes:
        yield processes


# --- points -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_points_list_and_read(running: SiteProcesses) -> None:
    listed = running.points("list", "--json").json
    lamp = {"point": LAMP, "kind": "command", "unit": "fraction", "writable": True, "class": "lighting_group"}
    assert {**lamp, "availability": "auto"} in listed
    everything = running.points("read", "--json").json
    assert set(everything) == {each["point"] for each in listed}
    assert {each["quality"] for each in everything.values()} == {"good"}
    garage = running.points("read", "garage.*", "--json").json
    assert {*garage} == {point for point in everything if point.startswith("garage.")}
    told = running.points("read", "garage.group_1.brightness")
    assert told.code == Exit.OK
    assert "% " in told.out
    assert "good" in told.out


@pytest.mark.slow
def test_points_write_explain_and_relinquish(running: SiteProcesses) -> None:
    told = running.points("write", LAMP, "0.9", "--for=10min", "--reason=cleaning", "--who=Li Na")
    assert told.code == Exit.OK, told.err
    assert "commanded for 10 min" in told.out
    assert "owned after" in told.out
    assert "wrote 90 %, read 90 %" in told.out, "who commands sees what came of it"
    running.wait_for("garage.group_1.brightness", 0.9)

    english = running.tidewatt("explain", str(running.site), LAMP, TIDEWATT_LANGUAGE="en")
    assert english.code == Exit.OK
    for words in ("held by", "operator:Li Na: 90 %, level 8", "because    cleaning", "read back", "owned"):
        assert words in english.out
    assert "held back  strategy:garage" in english.out, "who lost is named"
    chinese = running.tidewatt("explain", str(running.site), LAMP, TIDEWATT_LANGUAGE="zh")
    for words in ("控制者", "operator:Li Na：90 %，优先级 8", "cleaning", "被压制", "回读"):
        assert words in chinese.out
    explained = running.tidewatt("explain", str(running.site), LAMP, "--json").json
    assert explained["winner"]["source"] == "operator:Li Na"
    assert explained["holding"]["verdict"] == "owned"

    ended = running.points("relinquish", LAMP)
    assert (ended.code, "your command has ended" in ended.out) == (Exit.OK, True)
    wait_until(
        lambda: running.ask("explain", point=LAMP)["winner"]["source"] == "strategy:garage", "the strategy has it"
    )
    assert "there was no operator's command" in running.points("relinquish", LAMP).out


@pytest.mark.slow
def test_points_read_raw_of_what_lives_in_the_daemon(running: SiteProcesses) -> None:
    mode = "plant.chilled_water_plant_1.mode"
    told = running.points("read", mode, "--raw")
    assert told.code == Exit.OK
    assert "raw 'direct'  good" in told.out
    assert told.out.rstrip().endswith(" ms")
    answer = running.points("read", mode, "--raw", "--json").json[mode]
    assert (answer["value"], answer["raw"]) == ("direct", "'direct'")
    assert answer["round_trip_ms"] >= 0.0
    watched = running.points("watch", mode, "--raw", "--for=1s")
    assert watched.out.count("raw 'direct'") == 1
    refused = running.points("watch", "garage.*", "plant.*", "--raw")
    assert refused.code == Exit.ENVIRONMENT
    assert "name at most 20" in refused.err


@pytest.mark.slow
def test_points_watch_tells_each_change_once(running: SiteProcesses) -> None:
    watch = running.start(*TIDEWATT, "points", str(running.site), "watch", LAMP, "outdoor.*.status", "--for=4s")
    watch.wait_until(lambda: running.ask("status"), "it runs")
    assert running.points("write", LAMP, "0.95", "--for=1min").code == Exit.OK
    running.wait_for(LAMP, 0.95)
    assert watch.end() == Exit.OK
    assert watch.out.count("95 %") == 1, watch.out
    assert watch.out.count("outdoor.lighting_1.status") == 1
    assert running.points("relinquish", LAMP).code == Exit.OK

    endless = running.start(*TIDEWATT, "points", str(running.site), "watch", "garage.*", "--json")
    endless.wait_until(lambda: endless.out_path.stat().st_size, "it has told the present values")
    assert endless.stop() in (Exit.OK, -signal.SIGINT)
    assert "Traceback" not in endless.told


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments, words",
    [
        (("write", LAMP, "1.5", "--for=1min"), "takes 0 to 1"),
        (("write", LAMP, "bright", "--for=1min"), "is a number"),
        (("write", LAMP, "0.5", "--for=0s"), "needs an end in the future"),
        (("write", PUMP, "2", "--for=1min"), "is on or off"),
        (("write", "garage.group_1.motion", "on", "--for=1min"), "is not a writable point"),
        (("write", "garage.group_1.remote", "on", "--for=1min"), "set by Tidewatt itself"),
        (("write", "garage.group_9.brightness_command", "0.5", "--for=1min"), "there is no point"),
        (("read", "garden.*"), "no point of this site is called garden.*"),
    ],
    ids=["too large", "text", "no end", "no switch", "not writable", "a remote bit", "no point", "no pattern"],
)
def test_what_cannot_be_done_is_one_line(running: SiteProcesses, arguments: tuple[str, ...], words: str) -> None:
    told = running.points(*arguments)
    assert told.code == Exit.ENVIRONMENT
    assert told.err.count("\n") == 1
    assert words in told.err


# --- commissioning ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_record_goes_through_the_daemon_into_file_and_history(running: SiteProcesses) -> None:
    site, item = str(running.site), "garage.group_1.illuminance:reading"
    told = running.tidewatt("commission", site, "record", item, "passed", "--who=Li Na", "--measured=52 lx")
    assert (told.code, "recorded in" in told.out) == (Exit.OK, True), told.err
    assert f"{item},passed,Li Na,52 lx," in (running.site / "commissioning.csv").read_text(encoding="utf-8")
    events = running.ask("status")["events"]
    found = [each["body"] for each in events if each["kind"] == "commissioning"]
    assert [(each["item"], each["measured"]) for each in found] == [(item, "52 lx")]


@pytest.mark.slow
def test_ctrl_c_ends_a_measurement_of_silence_and_the_strategy_goes_on(running: SiteProcesses) -> None:
    remote = "garage.group_1.remote"
    measuring = running.start(*TIDEWATT, "commission", str(running.site), "silence", LAMP, "--who=Li Na")
    measuring.wait_until(lambda: "saying nothing" in measuring.out, "it is silent")
    assert running.ask("explain", point=LAMP)["winner"]["source"] == "operator:Li Na, commissioning"
    measuring.stop()
    assert "stopping" in measuring.out
    assert "ended without a result" in measuring.out
    assert "Traceback" not in measuring.told
    assert running.ask("silence_progress")["phase"] == "aborted"
    wait_until(
        lambda: running.ask("explain", point=LAMP)["winner"]["source"] == "strategy:garage", "the strategy has it"
    )
    assert remote in running.held(), "it held the lamp before, and holds it now"
    told = running.tidewatt("commission", str(running.site), "sheet", "--json").json
    assert {each["item"]: each["status"] for each in told}[f"{remote}:silence"] == "open"


# --- authority --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_authority_of_a_running_daemon(running: SiteProcesses) -> None:
    site = str(running.site)
    shown = running.tidewatt("authority", site, "--json").json
    assert shown == {"plant": "tidewatt", "garage": "tidewatt", "outdoor": "tidewatt", "office": "tidewatt"}
    given = running.tidewatt("authority", site, "outdoor", "original", "--who=Li Na")
    assert given.code == Exit.OK, given.err
    wait_until(lambda: running.modbus(LIGHTING, COILS, 3, 1) == [0], "the outdoor circuit is given back", 5)
    refused = running.points("write", "outdoor.lighting_1.command", "on", "--for=1min")
    assert refused.code == Exit.ENVIRONMENT
    assert "under its original controls" in refused.err
    assert "tidewatt authority SITE outdoor tidewatt" in refused.err
    assert running.tidewatt("authority", site, "outdoor", "tidewatt").code == Exit.OK
    wait_until(lambda: running.modbus(LIGHTING, COILS, 3, 1) == [1], "and is taken again")
    switched = [event["body"]["who"] for event in running.events("authority") if event["subject"] == "outdoor"]
    assert switched[0] == "Li Na"
    unknown = running.tidewatt("authority", site, "garden", "original")
    assert (unknown.code, unknown.err.count("\n")) == (Exit.ENVIRONMENT, 1)


@pytest.mark.slow
def test_alarms(running: SiteProcesses) -> None:
    site = str(running.site)
    shown = running.tidewatt("alarms", site, "--json")
    assert shown.code == Exit.OK
    assert set(shown.json) == {"now", "time_zone", "counts", "alarms", "messages", "siren", "work_orders"}
    unknown = running.tidewatt("alarms", site, "acknowledge", "nothing:wrong")
    assert (unknown.code, "there is no alarm 'nothing:wrong'" in unknown.err) == (Exit.ENVIRONMENT, True)
    endless = running.tidewatt("alarms", site, "shelve", "nothing:wrong", "--reason=x")
    assert (endless.code, "for ever" in endless.err) == (Exit.ENVIRONMENT, True)


@pytest.mark.slow
def test_authority_outlives_the_daemon(here: SiteProcesses) -> None:
    """Switched with nobody running, it is what the next start finds."""
    site = str(here.site)
    assert here.tidewatt("authority", site, "garage", "original").code == Exit.OK
    assert here.tidewatt("authority", site, "--json").json["garage"] == "original"
    here.simulator()
    daemon = here.daemon()
    wait_until(lambda: here.remote_bits()["outdoor.lighting_1.remote"], "the outdoor circuit is taken")
    assert not here.remote_bits()["garage.group_1.remote"]
    refused = here.points("write", LAMP, "0.5", "--for=1min")
    assert (refused.code, "under its original controls" in refused.err) == (Exit.ENVIRONMENT, True)
    daemon.kill()
    assert here.tidewatt("authority", site, "--json").json["garage"] == "original"


# --- history, check ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_history_while_the_daemon_records(running: SiteProcesses) -> None:
    site = str(running.site)
    patterns = ("garage.*.brightness", "outdoor.*")
    records = running.tidewatt("history", site, *patterns, "--json").json
    told = running.tidewatt("history", site, *patterns, "--csv")
    table = list(csv.DictReader(StringIO(told.out, newline="")))
    assert {record["point"] for record in records} == {row["point"] for row in table}
    assert len(table) >= len(records) > 0
    assert {*records[0]} == {*table[0]}
    assert table[0]["time"] == records[0]["time"]
    assert records[0]["time"].startswith("2026-07-06T10:"), "in the site's own time"
    events = running.tidewatt("history", site, "--events", "--kind=link", "--json").json
    assert {event["subject"] for event in events} >= {"plant", "lighting", "meters"}
    nothing = running.tidewatt("history", site, "garden.*")
    assert (nothing.code, nothing.err.count("\n")) == (Exit.ENVIRONMENT, 1)


@pytest.mark.slow
def test_the_chain_of_events_is_whole_while_the_daemon_adds_to_it(running: SiteProcesses) -> None:
    site = str(running.site)
    head = running.tidewatt("audit", site, "head", "--json").json
    found = running.tidewatt("audit", site, "verify", "--head", head["chain"], "--json")
    assert (found.code, found.json["whole"], found.json["sought"]["found"]) == (Exit.OK, True, True)
    assert found.json["lines"] >= head["line"]


def test_check_says_what_there_is(here: SiteProcesses) -> None:
    told = here.tidewatt("check", str(here.site))
    assert (told.code, told.err) == (Exit.OK, "")
    assert "no problems. 5 links, 136 points (39 writable), 4 systems, 4 strategies" in told.out
    as_json = here.tidewatt("check", str(here.site), "--json")
    assert (as_json.code, as_json.json) == (Exit.OK, [])


# --- exit codes -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_without_a_daemon_every_question_says_how_to_start_one(here: SiteProcesses) -> None:
    for command in (("points", str(here.site), "read"), ("explain", str(here.site), LAMP)):
        told = here.tidewatt(*command)
        assert told.code == Exit.ENVIRONMENT
        assert told.err.count("\n") == 1
        assert f"start it with: tidewatt run {here.site}" in told.err


@pytest.mark.slow
def test_what_cannot_be_let_go_is_exit_code_4(here: SiteProcesses) -> None:
    """The plant hangs while the daemon is to stop: it tries for as long as the site gives it, then says so."""
    text = (here.site / "site.yaml").read_text()
    (here.site / "site.yaml").write_text(text.replace("release_within: 10min", "release_within: 5s"))
    simulator = here.simulator()
    daemon = here.daemon()
    wait_until(here.has_lamps, "the lamps are taken")
    simulator.signal(signal.SIGSTOP)
    assert daemon.stop() == Exit.NOT_RELEASED, daemon.told
    last = daemon.err.splitlines()[-1]
    assert last.startswith("stopped, but not everything was let go; try: ")
    assert last.endswith(f"release {here.site}")
    released = here.tidewatt("release", str(here.site))
    assert released.code == Exit.NOT_RELEASED
    assert "not everything could be let go" in released.out
    simulator.signal(signal.SIGCONT)
    released = here.tidewatt("release", str(here.site))
    assert released.code == Exit.OK, released.err
    assert here.is_given_back()


@pytest.mark.slow
def test_an_unwritable_state_is_exit_code_3(here: SiteProcesses) -> None:
    (here.site / "state").write_text("a file where a folder belongs")
    told = here.tidewatt("run", str(here.site))
    assert (told.code, told.err.count("\n")) == (Exit.ENVIRONMENT, 1), told.err
    assert "state cannot be kept here" in told.err


# --- bad input --------------------------------------------------------------------------------------------------------


def _in(file: str, old: str, new: str) -> Callable[[Path], None]:
    def break_it(site: Path) -> None:
        text = (site / file).read_text()
        assert old in text
        (site / file).write_text(text.replace(old, new, 1))

    return break_it


def _with(file: str, content: bytes) -> Callable[[Path], None]:
    def break_it(site: Path) -> None:
        (site / file).write_bytes(content)

    return break_it


def _as_folder(file: str) -> Callable[[Path], None]:
    def break_it(site: Path) -> None:
        (site / file).unlink()
        (site / file).mkdir()

    return break_it


BROKEN: dict[str, tuple[str, Callable[[Path], None]]] = {
    "unknown key": ("site.yaml", _in("site.yaml", "time_zone:", "timezone:")),
    "tabs": ("strategies.yaml", _in("strategies.yaml", "    strategy:", "\tstrategy:")),
    "binary": ("devices.yaml", _with("devices.yaml", bytes(range(256)) * 16)),
    "empty": ("site.yaml", _with("site.yaml", b"")),
    "an id twice": ("devices.yaml", _in("devices.yaml", "- id: lighting\n", "- id: plant\n")),
    "wrong unit": ("devices.yaml", _in("devices.yaml", "poll_every: 5s", "poll_every: 5 bar")),
    "unit out of range": ("devices.yaml", _in("devices.yaml", "address: {unit: 1}", "address: {unit: 40001}")),
    "no such zone": ("site.yaml", _in("site.yaml", "Asia/Shanghai", "Asia/Shangai")),
    "no such point": ("strategies.yaml", _in("strategies.yaml", "garage.group_3", "garage.group_9")),
    "a folder": ("strategies.yaml", _as_folder("strategies.yaml")),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "tabs" else pytest.mark.slow) for name in BROKEN]
)
def test_a_broken_site_is_told_by_check_and_run(here: SiteProcesses, name: str) -> None:
    file, break_it = BROKEN[name]
    break_it(here.site)
    commands = [here.start(*TIDEWATT, command, str(here.site)) for command in ("check", "run")]
    problems: list[str] = []
    for command in commands:
        assert command.end() == Exit.CONFIGURATION, command.told
        assert command.out == ""
        *problems, last = command.err.splitlines()
        assert problems
        assert last == f"{len(problems)} problem{'s' * (len(problems) > 1)}; nothing was started"
        for problem in problems:
            place, line, words = problem.removeprefix(str(here.site)).split(":", 2)
            assert place.endswith(".yaml"), problem
            assert line.isdigit()
            assert "; " in words, "what is wrong; what would be right"
        assert any(f"{here.site / file}:" in problem for problem in problems)
    assert not (here.site / "state").exists(), "nothing was started, and nothing was made"
    as_json = here.tidewatt("check", str(here.site), "--json")
    assert as_json.code == Exit.CONFIGURATION
    assert len(as_json.json) == len(problems)
    assert {*as_json.json[0]} == {"file", "line", "wrong", "right"}


@pytest.mark.slow
def test_every_problem_of_every_file_is_told_at_once(here: SiteProcesses) -> None:
    for name in ("unknown key", "unit out of range", "no such point"):
        BROKEN[name][1](here.site)
    told = here.tidewatt("check", str(here.site))
    assert told.code == Exit.CONFIGURATION
    assert {line.removeprefix(f"{here.site}/").split(":")[0] for line in told.err.splitlines()[:-1]} == {
        "devices.yaml",
        "site.yaml",
        "strategies.yaml",
    }


@pytest.mark.slow
def test_a_template_with_an_address_of_the_manual_is_told_with_a_hint(here: SiteProcesses) -> None:
    """40001 is how manuals count; the wire counts from zero."""
    config = here.site.parent / "config"
    for source in sorted((Path(__file__).resolve().parents[2] / "config" / "templates").rglob("*.yaml")):
        copy = config / "templates" / source.parent.name / source.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text().replace("register: 0, type: uint16, scale: 0.1", "register: 40001, type: uint16")
        copy.write_text(text)
    for command in ("check", "run"):
        told = here.tidewatt(command, str(here.site), TIDEWATT_CONFIG=str(config))
        assert told.code == Exit.CONFIGURATION, told.err
        hint = next(line for line in told.err.splitlines() if "40001" in line)
        assert "lighting_gateway.yaml:" in hint
        assert "holding" in hint
        assert "Traceback" not in told.err


@pytest.mark.slow
def test_a_site_that_is_not_there(here: SiteProcesses) -> None:
    told = here.tidewatt("check", str(here.site / "nowhere"))
    assert told.code == Exit.CONFIGURATION
    assert "nowhere" in told.err
    assert "Traceback" not in told.err


@pytest.mark.slow
def test_a_path_too_long_for_a_socket_is_one_line(here: SiteProcesses) -> None:
    """A socket's path has at most 107 bytes; question and daemon both say so."""
    deep = here.site.parent / ("a" * 60) / ("b" * 60)
    deep.mkdir(parents=True)
    site = here.site.rename(deep / "site")
    for command in (("run", str(site)), ("points", str(site), "read")):
        told = here.tidewatt(*command)
        assert (told.code, told.err.count("\n")) == (Exit.ENVIRONMENT, 1), told.err
        assert "path too long" in told.err


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_failure(here: SiteProcesses) -> None:
    """tidewatt points SITE list | head -1"""
    shell = f"'{sys.executable}' -m controller.app points '{here.site}' list | head -1; echo ${{PIPESTATUS[0]}}"
    ended = here.start("bash", "-c", shell)
    assert ended.end() == 0
    assert ended.out.splitlines()[-1] == "0", ended.told
    assert "Traceback" not in ended.err


@pytest.mark.slow
def test_json_goes_through_a_pipe_unharmed(here: SiteProcesses) -> None:
    listed = here.tidewatt("points", str(here.site), "list", "--json", PYTHONIOENCODING="ascii", LANG="C")
    assert listed.code == Exit.OK, listed.err
    assert len(json.loads(listed.out)) == 136
