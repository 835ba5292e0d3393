"""tidewatt commission and what leans on it, as a person types it; no daemon runs."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from controller.app import main
from controller.cli.arguments import Exit
from controller.runtime.authorities import ALARM
from controller.runtime.clock import RealClock
from controller.runtime.commissioning_records import FILE
from controller.runtime.store import Store
from tests.virtual_demo import DEMO

SMALL_SITE = Path(__file__).parent.parent / "settings" / "site"
LAMP = "garage.group_1.brightness_command"

Type: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    shutil.copytree(SMALL_SITE, folder)
    return folder


@pytest.fixture
def type_in(site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Type:
    """type_in(command, ...): exit code, output and complaints of that command about the site."""
    monkeypatch.setenv("TIDEWATT_CONFIG", str(site))
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "en")
    monkeypatch.setenv("SECRET", "hunter2")

    def typed(command: str, *arguments: str) -> tuple[int, str, str]:
        code = main([command, str(site), *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return typed


def test_authority_without_a_daemon_is_refused_with_what_is_open(type_in: Type) -> None:
    code, _, err = type_in("authority", "garage", "tidewatt")
    assert code == Exit.ENVIRONMENT
    assert "system garage is not commissioned" in err
    assert f"{LAMP}:command: open" in err
    code, _, err = type_in("authority", "garage", "commissioning", "--for=2h")
    assert (code, "start it, then begin commissioning" in err) == (Exit.ENVIRONMENT, True)
    assert type_in("authority", "garage", "original")[0] == Exit.OK


def test_who_decides_without_a_daemon_is_reminded_no_more(type_in: Type, site: Path) -> None:
    assert type_in("authority")[0] == Exit.OK  # makes the store

    async def reminded(*, be: bool) -> bool:
        store = Store(site / "state" / "store.db", RealClock())
        if be:
            await store.save_alarm("garage", ALARM, active=True)
        alarms = await store.load_alarms()
        await store.close()
        return ("garage", ALARM) in alarms

    assert asyncio.run(reminded(be=True))
    assert type_in("authority", "garage", "original")[0] == Exit.OK
    assert not asyncio.run(reminded(be=False))


def test_a_site_that_says_it_is_simulated_proves_it_at_its_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns("state"))
    assert main(["authority", str(folder), "all", "tidewatt"]) == Exit.OK
    assert capsys.readouterr().out.count("tidewatt") == 4
    assert main(["check", str(folder)]) == Exit.OK
    assert "required tests" not in capsys.readouterr().out


def test_passing_every_test_lets_tidewatt_have_the_system(type_in: Type, site: Path) -> None:
    code, out, _ = type_in("check")
    assert code == Exit.OK
    assert "system garage: 0 of " in out
    items = [each["item"] for each in json.loads(type_in("commission", "sheet", "--system=garage", "--json")[1])]
    for item in items:
        code, out, err = type_in("commission", "record", item, "passed", "--who=Li Na", "--measured=1", "--note=well")
        assert (code, out) == (Exit.OK, f"{item}: passed, recorded in {site / FILE}\n"), err
    assert f"system garage: {len(items)} of {len(items)} required tests have passed, 0 have not" in type_in("check")[1]
    assert type_in("authority", "garage", "tidewatt")[0] == Exit.OK
    assert json.loads(type_in("commission", "sheet", "--system=garage", "--open", "--json")[1]) == []


def test_a_changed_template_opens_its_points_again(type_in: Type, site: Path) -> None:
    assert type_in("commission", "record", f"{LAMP}:command", "passed", "--who=Li Na")[0] == Exit.OK
    template = site / "templates" / "test" / "lamps.yaml"
    text = template.read_text(encoding="utf-8")
    assert "register: 0" in text
    template.write_text(text.replace("register: 0", "register: 40", 1).replace("register: 0", "register: 41"), "utf-8")
    sheet = {each["item"]: each["status"] for each in json.loads(type_in("commission", "sheet", "--json")[1])}
    assert sheet[f"{LAMP}:command"] == "changed"


def test_a_record_is_an_event_too(type_in: Type) -> None:
    assert type_in("commission", "record", f"{LAMP}:command", "failed", "--who=Li Na", "--note=dark")[0] == Exit.OK
    (event,) = json.loads(type_in("history", "--kind=commissioning", "--json")[1])
    assert (event["kind"], event["subject"]) == ("commissioning", LAMP)
    assert (event["body"]["result"], event["body"]["who"], event["body"]["note"]) == ("failed", "Li Na", "dark")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("record", LAMP, "passed", "--who=Li Na"), "has several tests"),
        (("record", "moon.base_1.power", "passed", "--who=Li Na"), "there is no test called"),
        (("sheet", "--system=moon"), "there is no system moon; there are plant, garage"),
        (("sheet", "--html=/nowhere/sheet.html"), "cannot be written"),
        (("silence", "plant.chiller_1.status", "--who=Li Na"), "nothing is declared"),
    ],
)
def test_what_cannot_be_done_is_one_line(type_in: Type, arguments: tuple[str, ...], words: str) -> None:
    code, _, err = type_in("commission", *arguments)
    assert code == Exit.ENVIRONMENT
    assert words in err
    assert err.count("\n") == 1


def test_silence_needs_the_daemon(type_in: Type) -> None:
    code, _, err = type_in("commission", "silence", LAMP, "--who=Li Na")
    assert (code, "no daemon answers" in err) == (Exit.ENVIRONMENT, True)


def test_the_sheet_is_a_table_and_files(type_in: Type, site: Path) -> None:
    code, out, _ = type_in("commission", "sheet")
    assert code == Exit.OK
    assert f"{LAMP}:command" in out
    assert "0 of " in out.splitlines()[-1]
    page, table = site.parent / "sheet.html", site.parent / "sheet.csv"
    assert type_in("commission", "sheet", f"--html={page}", f"--csv={table}")[0] == Exit.OK
    assert "Small site" in page.read_text(encoding="utf-8")
    assert table.read_bytes().startswith(b"\xef\xbb\xbfitem,")


def test_records_that_cannot_be_read_are_a_problem_of_the_site(type_in: Type, site: Path) -> None:
    (site / FILE).write_text("time,item\n", encoding="utf-8")
    code, _, err = type_in("check")
    assert code == Exit.CONFIGURATION
    assert f"{FILE}:1: 2 columns instead of 7" in err
