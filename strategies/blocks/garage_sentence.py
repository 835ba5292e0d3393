"""What the lamps of a garage do now and why, as one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from controller.core.text import Text
from strategies.blocks.runs import runs
from strategies.blocks.sensor_lamps import LampSettings


# A pure function of few different arguments, asked again every scan: remembering its answers changes nothing but time.
@lru_cache(maxsize=1024)
def garage_sentence(
    peak: bool, is_learned: bool, band: int, whys: tuple[tuple[int, Text | None], ...], alone: Text | None
) -> Text:
    """Each group's brightness in percent and why, as one sentence; groups that are at the band are not named.

    alone: what the lamps do that see motion themselves.
    """
    alike: dict[tuple[int, Text], list[int]] = {}
    for number, (percent, why) in enumerate(whys, start=1):
        if why:
            alike.setdefault((percent, why), []).append(number)
    english = [f"{'peak' if peak else 'off-peak'} {band} %{', as learned' if is_learned else ''}"]
    chinese = [f"{'高峰' if peak else '低峰'} {band}%{'（按学习）' if is_learned else ''}"]
    for (percent, why), numbers in alike.items():
        english.append(f"{_named(numbers)} at {percent} %: {why.en}")
        chinese.append(f"第 {runs(numbers)} 组 {percent}%：{why.zh}")
    if alone:
        english.append(alone.en)
        chinese.append(alone.zh)
    return Text("; ".join(english), "；".join(chinese))


def lamps_sentence(settings: Sequence[LampSettings], following: int) -> Text | None:
    """What the lamps do that see motion themselves; None where there are none."""
    alike: dict[tuple[float, float, float], list[int]] = {}
    for number, each in enumerate(settings, start=following + 1):
        alike.setdefault((each.idle, each.active, each.hold), []).append(number)
    if not alike:
        return None
    said = [_of_lamps(*key, numbers) for key, numbers in alike.items()]
    return Text("; ".join(each.en for each in said), "；".join(each.zh for each in said))


def _of_lamps(idle: float, active: float, hold: float, numbers: Sequence[int]) -> Text:
    low, high = f"{idle * 100.0:.1f}", f"{active * 100.0:.0f}"
    return Text(
        f"lamps of {_named(numbers)} idle at {low} %, {high} % on their own motion for {hold:g} s",
        f"第 {runs(numbers)} 组灯具自感应：待机 {low}%，有人 {high}%，保持 {hold:g} 秒",
    )


def _named(numbers: Sequence[int]) -> str:
    return f"{'groups' if len(numbers) > 1 else 'group'} {runs(numbers)}"
