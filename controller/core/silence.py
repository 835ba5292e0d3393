"""What a device did when nothing was said to it, and whether that is what the site's files declare. Pure."""

from __future__ import annotations

from typing import NamedTuple

from controller.core.commissioning import Result
from controller.core.text import Text

# A time-out that is off by more is not the one that was declared: refreshing at half of it leans on it.
TOLERANCE = 0.1


class Dropped(NamedTuple):
    """Wire seconds from the last writing: still held at `after`, dropped at `by`."""

    after: float
    by: float


class Finding(NamedTuple):
    result: Result
    measured: str
    note: Text


def finding(declared: float, dropped: Dropped | None, watched: float) -> Finding:
    """declared: seconds within which the device drops us. dropped: None where it had not by `watched` seconds."""
    if dropped is None:
        return Finding(
            Result.FAILED,
            f"> {watched:.0f} s",
            Text(
                f"not dropped within {watched:.0f} s, {declared:g} s are declared: nobody notices when we are gone",
                f"{watched:.0f} 秒内未放弃，声明为 {declared:g} 秒：本控失联无人察觉",
            ),
        )
    measured = f"{dropped.by:.1f} s"
    if dropped.by < declared * (1.0 - TOLERANCE):
        words = ("earlier", "早于")
    elif dropped.after > declared * (1.0 + TOLERANCE):
        words = ("later", "晚于")
    else:
        return Finding(
            Result.PASSED,
            measured,
            Text(
                f"dropped between {dropped.after:.1f} s and {dropped.by:.1f} s, {declared:g} s are declared",
                f"在 {dropped.after:.1f} 至 {dropped.by:.1f} 秒间放弃，声明为 {declared:g} 秒",
            ),
        )
    return Finding(
        Result.FAILED,
        measured,
        Text(
            f"dropped after {dropped.by:.1f} s, {words[0]} than the {declared:g} s that are declared: "
            "declare what it does, or set the device",
            f"{dropped.by:.1f} 秒后放弃，{words[1]}声明的 {declared:g} 秒：请修改声明或设备设定",
        ),
    )
