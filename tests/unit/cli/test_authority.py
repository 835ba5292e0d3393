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


def test_what_the_exits_have_latched_is_reset_by_a_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns("state"))

    def type_in(*arguments: str) -> tuple[int, str, str]:
        code = main(["authority", str(folder), *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    async def die() -> None:
        clock = RealClock()
        store = Store(folder / "state" / "store.db", clock)
        await ExitLatch("demo", clock, store, Journal(clock, "")).begin()
        await store.begin_run()
        await store.close()

    assert type_in("all", "tidewatt")[0] == Exit.OK
    for _ in range(TOO_MANY + 1):
        asyncio.run(die())
    _, out, _ = type_in()
    assert out.count("original") == out.count("kept there by exit latch: Tidewatt ended uncleanly") == 3
    code, _, err = type_in("garage", "tidewatt")
    assert (code, "--reset" in err) == (Exit.ENVIRONMENT, True)
    assert type_in("garage", "original")[0] == Exit.OK
    code, out, _ = type_in("plant", "tidewatt", "--reset", "--json")
    assert code == Exit.OK
    assert json.loads(out) == {"plant": "tidewatt", "garage": "original", "outdoor": "tidewatt"}
