"""The hours of light of the demonstration site, judged by what it recorded.

Runs `tidewatt demo --speed 600 --for 78s` (thirteen hours, from before sunset until people come in the morning) on a
copy of the demo site, reads `tidewatt history --json` and checks: outdoor lamps lit between sunset and the dark of a
clear sky (NREL SPA, the sun at -4°), put out between the end of the dark and a quarter of an hour after sunrise; the
façade lit with them and dark for the rest of the night; every garage group at or above its floor in every sample, and
raised by every motion event that lasts longer than two actual scans; the sensor lamps set to the floors of their
places; light at every row of desks at which somebody is, and none where nobody has been for half an hour of the night.
With `--strategies off` the same check must fail. The night is the same whenever it is run.

    .venv/bin/python benchmarks/demo_day.py
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

DEMO_SITE = Path(__file__).resolve().parent.parent / "config" / "sites" / "demo"
GROUPS = ("garage.group_1", "garage.group_2", "garage.group_3")
LAMPS = "outdoor.lighting_1.status"
LAMPS_COMMAND = "outdoor.lighting_1.remote"
FACADE = "outdoor.lighting_2.status"
ROWS = ("office.row_1", "office.row_2", "office.row_3")
# Of the sensor lamps: what keeps 50 lx in the charging bays and 75 lx on the stairs.
IDLE = {"garage.sensor_lamps_1.idle_brightness": 0.375, "garage.sensor_lamps_2.idle_brightness": 0.563}
OURS = (*(f"{lamps}.remote" for lamps in (*GROUPS, *ROWS, "outdoor.lighting_2")), LAMPS_COMMAND)
JUDGED = (
    *(f"{lamps}.{quantity}" for lamps in (*GROUPS, *ROWS) for quantity in ("brightness", "illuminance", "motion")),
    *(LAMPS, FACADE, *IDLE),
)

START = "2026-07-06T18:30"
BRIGHTNESS_FLOOR = 0.1
ILLUMINANCE_FLOOR_LX = 30.0
# The simulated lux sensor's and the registers' resolution.
LUX_TOLERANCE = 0.5
OCCUPIED_BRIGHTNESS = 0.75
SUN_TOLERANCE = timedelta(seconds=60)
DARK_ELEVATION = -4.0
DARK_WITHIN = timedelta(hours=1)
# A sky that passes a tenth gives 100 lx some four minutes after sunrise, and must do so for five.
CLOUDY_MORNING = timedelta(minutes=15)
SETTLING = timedelta(minutes=1)
PORTS = 4
"""Of the demo's links, in a row."""
FACADE_DARK, FACADE_MAY_BE_LIT = time(22, 30), time(7)
WORKING, NIGHT_BEGINS = time(6, 30), time(20, 5)
# Of the lunch hour; at other times it is more.
DESK_LX = 150.0
EMPTY_FOR = timedelta(minutes=30)
SILENT_FOR = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Record:
    at: datetime
    value: Any


Series = Mapping[str, Sequence[Record]]


@dataclass(frozen=True, slots=True)
class Motion:
    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class LateScan:
    """A scan that came, or whose writes reached the device, this long after they were due."""

    at: datetime
    after_s: float


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the records are judged against.

    taken_over: from here on the lamps are ours. given_back: from here on they are the original controls' again; None
    where the records end before that. scan_s: mean time between scans.
    """

    latitude: float
    longitude: float
    taken_over: datetime
    scan_s: float
    late_scans: Sequence[LateScan] = ()
    given_back: datetime | None = None

    def scan_during(self, motion: Motion) -> float:
        """The time that a scan actually took around a motion."""
        late = [
            scan.after_s
            for scan in self.late_scans
            if scan.at > motion.start and scan.at - timedelta(seconds=scan.after_s) < motion.end
        ]
        return max([self.scan_s, *late])


def circumstances(events: Sequence[Mapping[str, Any]], latitude: float, longitude: float) -> Circumstances:
    """From what `tidewatt history --events --json` printed."""
    owned = [
        (event["subject"], datetime.fromisoformat(event["time"]))
        for event in events
        if event["kind"] == "verdict" and event["body"]["verdict"] == "owned" and event["subject"] in OURS
    ]
    stopped = next(event["body"] for event in reversed(events) if "scan_period_mean_s" in event["body"])
    late = [
        LateScan(datetime.fromisoformat(event["time"]), event["body"]["after_s"])
        for event in events
        if event["body"].get("state") in ("scan late", "write late")
    ]
    first = datetime.fromisoformat(events[0]["time"])
    released = [
        datetime.fromisoformat(event["time"])
        for event in events
        if event["kind"] == "command" and event["body"]["step"] == "release" and event["subject"] in OURS
    ]
    taken_over = max([first, *dict(reversed(owned)).values()])
    given_back = min((at for at in released if owned and at > owned[-1][1]), default=None)
    return Circumstances(latitude, longitude, taken_over, stopped["scan_period_mean_s"], late, given_back)


def series_of(records: Sequence[Mapping[str, Any]]) -> Series:
    """What `tidewatt history --json` printed, by point."""
    series: dict[str, list[Record]] = {}
    for record in records:
        if record["quality"] == "GOOD":
            moment = Record(datetime.fromisoformat(record["time"]), record["value"])
            series.setdefault(record["point"], []).append(moment)
    return series


def failures(series: Series, given: Circumstances) -> list[str]:
    """Everything that the day did wrong; empty is a pass."""
    begin = given.taken_over + SETTLING
    if given.given_back is not None:
        end = given.given_back - SETTLING
        series = {point: [record for record in records if record.at < end] for point, records in series.items()}
    found = _lamp_failures(series[LAMPS], begin, given)
    for group in GROUPS:
        found += _floor_failures(series, group, begin)
        found += _motion_failures(series, group, begin, given)
    found += _facade_failures(series[FACADE], begin)
    for point, idle in IDLE.items():
        found += _setting_failures(series, point, idle, begin)
    for row in ROWS:
        found += _desk_failures(series, row, begin, given)
        found += _empty_row_failures(series, row, begin)
    return found


def sun_times(day: datetime, latitude: float, longitude: float) -> tuple[datetime, datetime]:
    """Sunrise and sunset of the local day at sea level, NREL SPA as implemented in pvlib."""
    import pandas as pd
    from pvlib import solarposition

    noon = pd.DatetimeIndex([day.replace(hour=12, minute=0, second=0, microsecond=0)])
    spa: Any = solarposition.sun_rise_set_transit_spa  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    times = spa(noon, latitude, longitude)
    return tuple(times[name].iloc[0].floor("us").to_pydatetime() for name in ("sunrise", "sunset"))


def dark_times(sunrise: datetime, sunset: datetime, latitude: float, longitude: float) -> tuple[datetime, datetime]:
    """When a clear sky begins and ceases to give the ground 30 lx, the sun 4° below the horizon, to the second."""
    import pandas as pd
    from pvlib import solarposition

    spa: Any = solarposition.spa_python  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

    def passage(start: datetime) -> datetime:
        moments = [start + timedelta(seconds=second) for second in range(int(DARK_WITHIN.total_seconds()))]
        elevations = spa(pd.DatetimeIndex(moments), latitude, longitude)["elevation"].tolist()
        is_dark = [elevation < DARK_ELEVATION for elevation in elevations]
        return moments[is_dark.index(not is_dark[0])]

    return passage(sunrise - DARK_WITHIN), passage(sunset)


@dataclass(frozen=True, slots=True)
class Switching:
    """What the lamps have to do between two instants: clouds may light them before a clear sky would."""

    earliest: datetime
    latest: datetime
    on: bool

    def fits(self, at: datetime, value: Any) -> bool:
        return value == self.on and self.earliest <= at <= self.latest


def switchings(day: datetime, latitude: float, longitude: float) -> tuple[Switching, Switching]:
    """Of a local day's morning and evening."""
    sunrise, sunset = sun_times(day, latitude, longitude)
    light, dark = dark_times(sunrise, sunset, latitude, longitude)
    return (
        Switching(light - SUN_TOLERANCE, sunrise + CLOUDY_MORNING, on=False),
        Switching(sunset - SUN_TOLERANCE, dark + SUN_TOLERANCE, on=True),
    )


def _lamp_failures(records: Sequence[Record], begin: datetime, given: Circumstances) -> list[str]:
    end = records[-1].at
    switches = [(after.at, after.value) for before, after in pairwise(records) if before.value != after.value]
    expected: list[Switching] = []
    day = begin - timedelta(days=1)
    while day < end + timedelta(days=1):
        expected += switchings(day, given.latitude, given.longitude)
        day += timedelta(days=1)
    due = [each for each in expected if begin < each.earliest and each.latest < end]
    found = [] if due else ["the records hold neither a sunset nor a sunrise"]
    for each in due:
        if not any(each.fits(*switch) for switch in switches):
            word = "on" if each.on else "off"
            found.append(
                f"outdoor lamps were not switched {word} from {each.earliest:%m-%d %H:%M} to {each.latest:%H:%M}"
            )
    for moment, value in switches:
        if moment > begin and not any(each.fits(moment, value) for each in expected):
            found.append(
                f"outdoor lamps were switched {'on' if value else 'off'} at {moment:%m-%d %H:%M:%S} for no sun"
            )
    return found


def _floor_failures(series: Series, group: str, begin: datetime) -> list[str]:
    dark = [
        f"{group} was at {record.value:.0%} at {record.at:%H:%M:%S}"
        for record in series[f"{group}.brightness"]
        if record.value < BRIGHTNESS_FLOOR
    ]
    dim = [
        f"{group} had {record.value:.1f} lx at {record.at:%H:%M:%S}"
        for record in series[f"{group}.illuminance"]
        if record.at > begin and record.value < ILLUMINANCE_FLOOR_LX - LUX_TOLERANCE
    ]
    return dark + dim


def motions(records: Sequence[Record]) -> list[Motion]:
    """From the first sample that shows motion to the first that does not."""
    events: list[Motion] = []
    start: datetime | None = None
    for record in records:
        if record.value and start is None:
            start = record.at
        elif not record.value and start is not None:
            events.append(Motion(start, record.at))
            start = None
    return events


def judged_motions(series: Series, group: str, begin: datetime, given: Circumstances) -> list[Motion]:
    """The motions that last longer than two actual scans."""
    return [
        motion
        for motion in motions(series[f"{group}.motion"])
        if motion.start > begin and motion.seconds > 2 * given.scan_during(motion)
    ]


def _motion_failures(series: Series, group: str, begin: datetime, given: Circumstances) -> list[str]:
    brightness = series[f"{group}.brightness"]
    judged = judged_motions(series, group, begin, given)
    found = [] if judged else [f"{group} saw no motion that could be judged"]
    found += [
        f"{group} was not raised by the motion of {motion.start:%H:%M:%S}, {motion.seconds:.0f} s long"
        for motion in judged
        if not _reached(brightness, motion, given.scan_s, OCCUPIED_BRIGHTNESS - 0.005)
    ]
    return found


def _reached(light: Sequence[Record], motion: Motion, scan_s: float, enough: float) -> bool:
    """Bright enough at some moment of the motion; its end is known one scan late at the most."""
    before = [record for record in light if record.at <= motion.start][-1:]
    until = motion.end + timedelta(seconds=scan_s)
    within = [record for record in light if motion.start < record.at <= until]
    return any(record.value >= enough for record in (*before, *within))


def _facade_failures(records: Sequence[Record], begin: datetime) -> list[str]:
    """Lit in the evening, dark from the hour on which it is to go out until the morning."""
    found = [
        f"the façade was lit at {record.at:%m-%d %H:%M:%S}"
        for record in records
        if record.at > begin and record.value and _is_between(record.at - SETTLING, FACADE_DARK, FACADE_MAY_BE_LIT)
    ]
    return found if any(record.value for record in records if record.at > begin) else ["the façade was never lit"]


def _is_between(at: datetime, start: time, end: time) -> bool:
    """Over midnight."""
    return at.time() >= start or at.time() < end


def _setting_failures(series: Series, point: str, setting: float, begin: datetime) -> list[str]:
    shown = {round(record.value, 3) for record in series[point] if record.at > begin}
    return [] if shown == {setting} else [f"{point} was {sorted(shown)}, not {setting}"]


def _desk_failures(series: Series, row: str, begin: datetime, given: Circumstances) -> list[str]:
    """Whoever is there for longer than two scans has light by the end of that time."""
    light = series[f"{row}.illuminance"]
    judged = judged_motions(series, row, begin, given)
    return [
        f"{row} was dark with somebody there at {motion.start:%H:%M:%S}, for {motion.seconds:.0f} s"
        for motion in judged
        if not _reached(light, motion, given.scan_s, DESK_LX - LUX_TOLERANCE)
    ]


def _empty_row_failures(series: Series, row: str, begin: datetime) -> list[str]:
    """After hours a row goes out in which nobody has been for longer than any hold time; a silent sensor may be
    somebody.
    """
    records = [record for record in series[f"{row}.motion"] if record.at > begin]
    somebody = [record.at for record in records if record.value]
    silent = [after.at for before, after in pairwise(records) if after.at - before.at > SILENT_FOR]
    edges = [begin, *sorted([*somebody, *silent]), records[-1].at]
    empty = [(before + EMPTY_FOR, after) for before, after in pairwise(edges)]
    return [
        f"{row} was at {record.value:.0%} at {record.at:%H:%M:%S} with nobody there"
        for record in series[f"{row}.brightness"]
        if record.value and _is_between(record.at, NIGHT_BEGINS, WORKING)
        if any(start < record.at < end for start, end in empty)
    ]


# --- running it -------------------------------------------------------------------------------------------------------


def copy_site(folder: Path, first_port: int, *, strategies: str) -> Path:
    """The demo site with its own ports, so that it may run beside another, and its strategies in one mode."""
    site = folder / "demo"
    shutil.copytree(DEMO_SITE, site, ignore=shutil.ignore_patterns("state"))
    devices = site / "devices.yaml"
    text = devices.read_text()
    for offset in range(PORTS):
        text = text.replace(f"port: {5020 + offset}", f"port: {first_port + offset}")
    devices.write_text(text)
    modes = site / "strategies.yaml"
    modes.write_text(modes.read_text().replace("mode: auto", f"mode: {strategies}"))
    return site


def tidewatt(*arguments: str) -> str:
    command = [sys.executable, "-m", "controller.app", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--strategies", choices=("auto", "off"), default="auto")
    parser.add_argument("--speed", default="600")
    parser.add_argument("--for", dest="lasting", default="78s")
    parser.add_argument("--port", type=int, default=15020, help="the first of four free ports")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = copy_site(Path(folder), given.port, strategies=given.strategies)
        print(tidewatt("demo", str(site), "--start", START, "--speed", given.speed, "--for", given.lasting))
        return report(site)


def report(site: Path) -> int:
    records = json.loads(tidewatt("history", str(site), *JUDGED, "--last", "48h", "--json"))
    events = json.loads(tidewatt("history", str(site), "--events", "--last", "48h", "--json"))
    position = yaml.safe_load((site / "site.yaml").read_text())["position"]
    series = series_of(records)
    given = circumstances(events, position["latitude"], position["longitude"])
    found = failures(series, given)
    judged = [len(judged_motions(series, lamps, given.taken_over, given)) for lamps in (*GROUPS, *ROWS)]
    print(
        f"{len(records)} samples; a scan every {given.scan_s:.1f} s, {len(given.late_scans)} of them late; "
        f"motions judged: {judged}"
    )
    for failure in found[:20]:
        print("FAILED:", failure)
    print("the night was as it should be" if not found else f"{len(found)} failures")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
