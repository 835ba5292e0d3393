"""Draws demo.svg: the live view of the demo site on a Monday afternoon, from a run on virtual time.

python docs/pictures/demo.py
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from controller.cli.frame import Frame  # noqa: E402
from controller.cli.past import PAST, STEP_S, record_past  # noqa: E402
from controller.cli.simulate import engine_of  # noqa: E402
from controller.cli.twin import LOOK_EVERY, Twin  # noqa: E402
from controller.cli.view import draw  # noqa: E402
from controller.core.ledger import Verdict  # noqa: E402
from controller.core.point import PointId  # noqa: E402
from controller.core.sample import Sample  # noqa: E402
from controller.runtime import point_status, status  # noqa: E402
from tests.virtual_demo import Run, live  # noqa: E402

SWITCHED_ON = datetime(2026, 7, 6, 0, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
AFTERNOON = timedelta(hours=16, minutes=30)
COLUMNS = 170
# The picture must not fetch fonts or name other hosts: the reader's own monospaced font will do.
ELSEWHERE = re.compile(r"@font-face\s*\{.*?\}\s*|<!--.*?-->\s*", re.DOTALL)


def main() -> None:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="truecolor", force_terminal=True)

    async def until_somebody_drives(run: Run) -> None:
        past = engine_of(run.site, SWITCHED_ON - PAST, None, None, 0, step_s=STEP_S)
        await record_past(run.site, past, SWITCHED_ON, run.historian)
        await run.daemon.forecasts.train()
        twin = Twin(engine_of(run.site, SWITCHED_ON, None, None, 0), run.site)
        for _ in range(AFTERNOON // LOOK_EVERY):
            await run.wait(LOOK_EVERY.total_seconds())
            await twin.look(samples(run))
        await run.daemon.command(
            PointId("garage.group_3.brightness_command"), 0.9, timedelta(hours=1), "li.na", "line marking"
        )
        await run.wait(5.0)
        while not is_worth_a_picture(run):
            await run.wait(1.0)
        await twin.look(samples(run))
        frame = Frame(status.status(run.daemon), point_status.points(run.daemon), 1.0, "en", twin.today)
        console.print(draw(frame, COLUMNS))

    live(SWITCHED_ON, until_somebody_drives)
    picture = console.export_svg(title="tidewatt demo")
    (HERE / "demo.svg").write_text(ELSEWHERE.sub("", picture))


def samples(run: Run) -> Mapping[PointId, Sample]:
    assert run.daemon.scan.frozen is not None
    return run.daemon.scan.frozen.samples


def is_worth_a_picture(run: Run) -> bool:
    """Somebody drives on the main deck, and what was written for them has been read back."""
    motion = [samples(run)[PointId(f"garage.group_{number}.motion")].value for number in (1, 2, 3)]
    verdicts = {holding.verdict for holding in run.daemon.writer.holdings.values()}
    wished = run.daemon.scan.controls[PointId("garage.group_1.brightness_command")].allowed
    return motion == [False, True, False] and wished == 0.75 and verdicts == {Verdict.OWNED}


if __name__ == "__main__":
    main()
