"""The demo building with a protocol for each trade, on virtual time: priority arrays are authority there, too."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from controller.cli.site_folder import config_folder, load_site
from tests.virtual_demo import Run, live

pytestmark = pytest.mark.slow

# Twenty past eight in the evening in Shenzhen: it is dark, and the office is about to close.
START = datetime(2026, 7, 6, 12, 20, tzinfo=UTC)


def test_lamps_behind_a_priority_array_are_had_and_given_back() -> None:
    had: list[tuple[bool, set[str]]] = []

    async def life(this: Run) -> None:
        await this.wait(30)
        had.append((this.engine.read("outdoor.lighting_1.remote") is True, {*map(str, this.daemon.writer.holdings)}))

    run = live(START, life, change=lambda _: load_site(config_folder() / "sites" / "demo_protocols"))
    ((is_ours, held),) = had
    assert is_ours
    assert held >= {"outdoor.lighting_1.command", "garage.group_1.remote", "garage.group_3.remote"}
    lamps = [f"garage.group_{number}.remote" for number in (1, 2, 3)]
    assert [run.engine.read(each) for each in (*lamps, "outdoor.lighting_1.remote")] == [False] * 4
