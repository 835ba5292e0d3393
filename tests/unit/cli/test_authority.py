"""tidewatt authority with no daemon running, as a person types it."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from controller.app import main
from controller.cli.arguments import Exit
from controller.core.unclean_exits import TOO_MANY
from controller.runtime.clock import RealClock
from controller.runtime.exit_latch import ExitLatch
from controller.runtime.journal import Journal
from controller.runtime.store import Store
from tests.virtual_demo import DEMO


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "demo", ignore=shutil.ignore_patterns("state")))


def test_an_end_is_refused_to_what_has_none(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["authority", str(site), "garage", "original", "--for", "2h"])
    assert "only commissioning has an end" in capsys.readouterr().err


def test_what_the_exits_have_latched_is_reset_by_a_person(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "en")

    def type_in(*arguments: str) -> tuple[int, str, str]:
        code = main(["authority", str(site), *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    async def die() -> None:
        clock = RealClock()
        store = Store(site / "state" / "store.db", clock)
        await ExitLatch("demo", clock, store, Journal(clock, "")).begin()
        await store.begin_run()
        await store.close()

    assert type_in("all", "tidewatt")[0] == Exit.OK
    for _ in range(TOO_MANY + 1):
        asyncio.run(die())
    _, out, _ = type_in()
    assert out.count("original") == out.count("kept there by exit latch: Tidewatt ended uncleanly") == 4
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "zh")
    assert type_in()[1].count("保持：Tidewatt 一小时内 3 次异常退出") == 4
    code, _, err = type_in("garage", "tidewatt")
    assert (code, "--reset" in err) == (Exit.ENVIRONMENT, True)
    assert type_in("garage", "original")[0] == Exit.OK
    code, out, _ = type_in("plant", "tidewatt", "--reset", "--json")
    assert code == Exit.OK
    assert json.loads(out) == {"plant": "tidewatt", "garage": "original", "outdoor": "tidewatt", "office": "tidewatt"}


def test_who_decides_is_in_the_event_stream(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["authority", str(site), "garage", "original", "--who", "Li Na"]) == Exit.OK
    assert main(["authority", str(site), "garage", "tidewatt", "--who", "Wang Wu"]) == Exit.OK
    capsys.readouterr()
    assert main(["history", str(site), "garage", "--kind", "authority", "--json"]) == Exit.OK
    told = [event["body"] for event in json.loads(capsys.readouterr().out)]
    assert [(body["before"], body["authority"], body["who"]) for body in told] == [
        ("tidewatt", "original", "Li Na"),
        ("original", "tidewatt", "Wang Wu"),
    ]


def test_a_decision_suspends_ab_days_until_a_person_gives_the_system_back(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def type_in(*arguments: str) -> tuple[int, str, str]:
        code = main(["authority", str(site), *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    file = site / "site.yaml"
    schedule = 'ab_days: {systems: [garage], block: 1, begins: 2020-01-01, at: "05:00"}\n'
    file.write_text(file.read_text(encoding="utf-8") + schedule, encoding="utf-8")
    assert "suspended" not in type_in()[1]
    code, out, _ = type_in("garage", "original", "--who", "Li Na")
    assert (code, out.count("A/B days are suspended since Li Na decided")) == (Exit.OK, 1)
    assert "suspended since Li Na" in type_in()[1], "it is kept"
    code, _, err = type_in("plant", "--schedule")
    assert (code, "system plant has no A/B days" in err) == (Exit.ENVIRONMENT, True)
    code, _, err = type_in("garage", "original", "--schedule")
    assert (code, "SYSTEM --schedule" in err) == (Exit.ENVIRONMENT, True)
    code, out, _ = type_in("garage", "--schedule", "--json")
    assert (code, json.loads(out)["garage"]) == (Exit.OK, "tidewatt"), "who gives it to the schedule gives it to us"
    assert "suspended" not in type_in()[1]
