"""The first day with servers that nobody here wrote: scan, check, run, pull each plug and put it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.site_processes import SiteProcesses, wait_until
from tests.wire import far_sides

pytestmark = [pytest.mark.wire, pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(240)]

# The longest pause before a link is tried again, and what starting and asking take on a busy machine.
BACK_WITHIN_S = 90.0


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[SiteProcesses]:
    processes = SiteProcesses(tmp_path / "site", (0, 0, 0))
    yield processes
    processes.close()


def qualities(processes: SiteProcesses) -> set[str]:
    return {each["quality"] for each in processes.ask("points").values()}


@pytest.mark.parametrize("open_far_side", far_sides.ALL, ids=lambda far: far.__name__)
@pytest.mark.fault("plug pulled, over each protocol")
def test_scan_check_run_and_every_point_returns_by_itself(
    processes: SiteProcesses, open_far_side: far_sides.Open
) -> None:
    with contextmanager(open_far_side)(processes) as far:
        scanned = processes.tidewatt("scan", *far.scan, "--output", str(processes.site))
        assert scanned.code == 0, scanned.out + scanned.err
        checked = processes.tidewatt("check", str(processes.site))
        assert checked.code == 0, checked.out
        assert "(0 writable)" in checked.out

        daemon = processes.daemon()
        wait_until(lambda: qualities(processes) == {"good"}, "every point is good")
        for point, value in far.values.items():
            assert processes.value(point) == value
        far.pull_the_plug()
        wait_until(lambda: qualities(processes) == {"bad"}, "every point is bad")
        far.put_it_back()
        wait_until(lambda: qualities(processes) == {"good"}, "every point is good again", BACK_WITHIN_S)
        assert daemon.stop() == 0
        told = [line.partition("runtime.link: ")[2] for line in daemon.err.splitlines() if "runtime.link: " in line]
        assert len([line for line in told if line.startswith("link")]) == 3, "connected, lost, back: " + daemon.err
        # Behind a broker the publishers are on their own way back.
        assert open_far_side is far_sides.mqtt or len(told) == 3, daemon.err
