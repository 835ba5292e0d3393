"""tidewatt lockout as a person types it, with no daemon running."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from controller.app import main
from controller.cli.arguments import Exit
from controller.core.point import PointId
from controller.runtime.clock import RealClock
from controller.runtime.store import Store
from controller.runtime.stored import Held
from tests.virtual_demo import DEMO

CHILLER = "plant.chiller_1"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "demo", ignore=shutil.ignore_patterns("state")))


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "en")


def test_a_lock_is_put_on_listed_and_taken_off(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def type_in(*arguments: str) -> tuple[int, str, str]:
        code = main(["lockout", str(site), *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    assert type_in()[1] == "nothing is locked out\n"
    code, _, err = type_in("plant.chillr_1")
    assert (code, "there is no equipment 'plant.chillr_1'" in err) == (Exit.ENVIRONMENT, True)
    code, out, err = type_in(CHILLER, "--who", "Li", "--reason", "tubes are being cleaned")
    assert (code, err) == (Exit.OK, "")
    assert "isolates nothing" in out
    assert type_in(CHILLER, "--who", "Wang", "--reason", "cable")[0] == Exit.OK
    (first, second) = json.loads(type_in("--json")[1])["lockouts"]
    assert (first["who"], second["reason"]) == ("Li", "cable")
    assert "locked out by Li since" in type_in(CHILLER)[1]
    code, _, err = type_in(CHILLER, "--remove", "--who", "Zhao")
    assert (code, "it is locked by Li, Wang" in err) == (Exit.ENVIRONMENT, True)
    code, _, err = type_in(CHILLER, "--remove", "--who", "Zhao", "--of", "Li")
    assert (code, "say why" in err) == (Exit.ENVIRONMENT, True)
    assert "still locked by Wang" in type_in(CHILLER, "--remove", "--who", "Li")[1]
    assert type_in(CHILLER, "--remove", "--who", "Li", "--of", "Wang", "--reason", "gone home")[0] == Exit.OK
    assert type_in()[1] == "nothing is locked out\n"
    assert main(["history", str(site), CHILLER, "--kind", "availability", "--json"]) == Exit.OK
    told = [each["body"] for each in json.loads(capsys.readouterr().out)]
    assert [(each["step"], each["who"], each.get("lock_of")) for each in told] == [
        ("locked out", "Li", None),
        ("locked out", "Wang", None),
        ("lock removed", "Li", "Li"),
        ("lock removed", "Li", "Wang"),
    ]


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((CHILLER, "--reason", "tubes"), "--who NAME"),
        ((CHILLER, "--who", "Li"), "--reason TEXT"),
        (("--who", "Li", "--reason", "tubes"), "say which equipment"),
        (("plant.chiller_9", "--who", "Li", "--reason", "tubes"), "there is no equipment"),
    ],
)
def test_a_lock_has_a_machine_a_name_and_a_reason(
    site: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert main(["lockout", str(site), *arguments]) == Exit.ENVIRONMENT
    assert words in capsys.readouterr().err


def test_a_machine_that_may_still_do_what_it_was_told_is_warned_of(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def hold() -> None:
        (site / "state").mkdir()
        store = Store(site / "state" / "store.db", RealClock())
        await store.save_held([Held(PointId(f"{CHILLER}.enable_command"), value=True, before=False)])
        await store.close()

    asyncio.run(hold())
    assert main(["lockout", str(site), CHILLER, "--who", "Li", "--reason", "tubes"]) == Exit.OK
    assert "release" in capsys.readouterr().err
