"""The view's upper part: what electricity costs when, the load to come, the tank, and what today costs with us and
without.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text as Line

from controller.cli import words
from controller.cli.frame import Frame, panel
from controller.core.tariff_calendar import Band
from controller.core.text import Language, Text

if TYPE_CHECKING:
    from rich.console import RenderableType

Row = tuple[Line, Line]

_HEIGHTS = "▁▂▃▄▅▆▇█"
_NOW = "┃"

# --- today, with us and without ---------------------------------------------------------------------------------------


class _Sum(NamedTuple):
    """A line of the comparison. unit: None for money, whose unit is the tariff's. loss: what one says of less than
    nothing saved."""

    key: str
    name: Text
    unit: Text | None
    decimals: int
    loss: Text


_SUMS = (
    _Sum("energy", Text("energy", "电量"), Text("kWh", "千瓦时"), 1, Text("uses more", "多用")),
    _Sum("money", Text("money", "费用"), None, 2, Text("costs more", "多花")),
    _Sum("carbon", Text("carbon", "碳排放"), Text("kg CO2", "千克CO2"), 1, Text("emits more", "多排")),
)
_TODAY = Text("Today since {}: with Tidewatt and without", "今日 {} 起：有本控与无本控")
_WITH, _WITHOUT, _SAVED = Text("with", "有本控"), Text("without", "无本控"), Text("saved", "节省")
_TERMS = Text("at equal cooling, stores credited at valley price", "供冷量相同，蓄能净变化按谷价计")
_TOLD = Text("saved {} from {} to {}: {} ({})", "{} {} 至 {} 节省：{}（{}）")
_SO_FAR = Text("saved since {}: {}", "{} 起节省：{}")


def today(frame: Frame) -> RenderableType | None:
    """What was saved since midnight, or since the demo began; negative where we cost more."""
    if frame.today is None:
        return None
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(no_wrap=True)
    for _ in range(3):
        table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1, no_wrap=True)
    table.add_row("", *(Line(frame.say(each), style="dim") for each in (_WITHOUT, _WITH, _SAVED)), "")
    for each in _SUMS:
        sides = frame.today[each.key]
        if sides is None:
            table.add_row(frame.say(each.name), "—", "—", "—", "")
            continue
        shown = [f"{sides[side]:.{each.decimals}f}" for side in ("without_us", "with_us")]
        unit = _unit(each, frame.today, frame.language)
        saved, is_loss = _saved(each, sides["saved"])
        style = "" if float(saved) == 0.0 else "bold red" if is_loss else "bold green"
        loss = f"  {frame.say(each.loss)}" if is_loss else ""
        table.add_row(frame.say(each.name), *shown, Line(saved, style=style), Line.assemble(unit, (loss, style)))
    title = Text(*(text.format(f"{frame.local(frame.today['since']):%H:%M}") for text in _TODAY))
    return panel(frame, title, table, frame.say(_TERMS))


def told(day: Mapping[str, Any], zone: ZoneInfo, language: Language) -> str:
    """A day's comparison in one line, with its terms."""
    since, until = (datetime.fromisoformat(day[each]).astimezone(zone) for each in ("since", "until"))
    times = f"{since:%m-%d}", f"{since:%H:%M}", f"{until:%H:%M}"
    return _TOLD.in_language(language).format(*times, _sums(day, language), _TERMS.in_language(language))


def told_so_far(day: Mapping[str, Any], zone: ZoneInfo, language: Language) -> str:
    """The same of a day that goes on, in few words."""
    since = datetime.fromisoformat(day["since"]).astimezone(zone)
    return _SO_FAR.in_language(language).format(f"{since:%H:%M}", _sums(day, language))


def _sums(day: Mapping[str, Any], language: Language) -> str:
    parts = [_part(each, day, language) for each in _SUMS if day[each.key] is not None]
    return ", ".join(parts) if language == "en" else "，".join(parts)


def _part(each: _Sum, day: Mapping[str, Any], language: Language) -> str:
    saved, is_loss = _saved(each, day[each.key]["saved"])
    shown = f"{saved} {_unit(each, day, language)}"
    return f"{shown} {each.loss.in_language(language)}" if is_loss else shown


def _saved(each: _Sum, saved: float) -> tuple[str, bool]:
    """With its sign as people see it, and whether that is a loss; what rounds to nothing is none."""
    rounded = round(saved, each.decimals) + 0.0
    return (f"{rounded:+.{each.decimals}f}" if rounded else f"{0:.{each.decimals}f}"), rounded < 0.0


def _unit(each: _Sum, day: Mapping[str, Any], language: Language) -> str:
    return day["currency"] if each.unit is None else each.unit.in_language(language)


# --- tariff, forecast, tank -------------------------------------------------------------------------------------------

_OUTLOOK = Text("Tariff, forecast, tank", "电价、预测、蓄冷水箱")
_TARIFF = Text("tariff", "电价")
_PRICE = Text("{} {:.4f} {}/kWh", "{} {:.4f} {}/千瓦时")
_NEXT = Text("until {}, then {}", "至 {}，之后{}")
_ENDS = Text("until {}, then no price is known", "至 {}，之后无电价")
_NO_PRICE = Text("no price is known today", "今日无电价")
_FORECAST = Text("forecast", "预测")
_COOLING_LOAD = Text("cooling load", "冷负荷")
_EXPECTED = Text("{}: peak {} at {} ({})", "{}：峰值 {}，{}（依据{}）")
_OFF_BY = Text(", mean error {}", "，平均误差 {}")
_NONE_YET = Text("{}: none yet", "{}：暂无")
_IS_LEARNED = Text("learned every night from the site's history", "每夜由现场历史数据训练")
_TANK = Text("tank", "蓄冷水箱")
_LAYERS = {
    "upper_temperature": Text("upper", "上层"),
    "middle_temperature": Text("middle", "中层"),
    "lower_temperature": Text("lower", "下层"),
}
_PLANT = Text("plant", "机房")
# From charged to spent: the tank's water as it looks at these temperatures [degC] and below.
_WATER = ((6.0, "█", "bold blue"), (8.0, "▓", "blue"), (10.5, "▒", "cyan"), (99.0, "░", "yellow"))
_LAYER_CELLS = 4
_LABEL_CELLS = 9


def outlook(frame: Frame, cells: int) -> RenderableType | None:
    """Strips of 24 hours in so many cells, and the tank; only what the site has."""
    rows = [*_tariff(frame, cells), *_forecast(frame, cells), *_tanks(frame)]
    if not rows:
        return None
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, min_width=_LABEL_CELLS)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for label, content in rows:
        table.add_row(label, content)
    return panel(frame, _OUTLOOK, table)


def _row(frame: Frame, label: Text, content: Line) -> Row:
    return Line(frame.say(label), style="bold"), content


def _tariff(frame: Frame, cells: int) -> Iterator[Row]:
    """Price and band now, what comes next, and the day's bands from midnight to midnight."""
    tariff = frame.status["tariff"]
    if tariff is None:
        return
    stretches = tariff["today"]
    now = frame.now
    here = next((each for each in stretches if _is_within(now, each)), None)
    if here is None:
        yield _row(frame, _TARIFF, Line(frame.say(_NO_PRICE), style="yellow"))
        return
    line = Line()
    price = frame.say(_PRICE).format(here["name"][frame.language], here["price"], tariff["currency"])
    line.append(price, style=words.BAND_SIGNS[Band(here["band"])][1])
    change = tariff["next_change"]
    if change is not None:
        at = frame.local(change["at"])
        told = frame.say(_ENDS if change["name"] is None else _NEXT)
        day = f"{at:%H:%M}" if at - now < timedelta(days=1) else f"{at:%m-%d %H:%M}"
        line.append(f" {told.format(day, '' if change['name'] is None else change['name'][frame.language])}")
    yield _row(frame, _TARIFF, line)
    yield Line("  0-24 h", style="dim"), _strip(now, stretches, cells)


def _is_within(at: datetime, stretch: Mapping[str, Any]) -> bool:
    return datetime.fromisoformat(stretch["start"]) <= at < datetime.fromisoformat(stretch["end"])


def _strip(now: datetime, stretches: Sequence[Mapping[str, Any]], cells: int) -> Line:
    """The bands of the day, a mark where we are."""
    begin, end = (datetime.fromisoformat(each) for each in (stretches[0]["start"], stretches[-1]["end"]))
    present = int((now - begin) / (end - begin) * cells)
    line = Line()
    for cell in range(cells):
        middle = begin + (end - begin) * ((cell + 0.5) / cells)
        band = next((each["band"] for each in stretches if _is_within(middle, each)), None)
        sign, style = (" ", "") if band is None else words.BAND_SIGNS[Band(band)]
        if cell == present:
            line.append(_NOW, style="bold reverse")
        else:
            line.append(sign, style=style)
    return line


def _forecast(frame: Frame, cells: int) -> Iterator[Row]:
    """The cooling load of the next day, else the first load that is forecast."""
    forecasts = frame.status["forecasts"]
    found = next((each for each in forecasts if each["point"].endswith(".cooling_load")), next(iter(forecasts), None))
    if found is None:
        return
    is_cooling = found["point"].endswith(".cooling_load")
    name = frame.say(_COOLING_LOAD) if is_cooling else found["point"]
    if found["values"] is None:
        why = next(iter(found["trouble"].values()), frame.say(_IS_LEARNED))
        line = f"{frame.say(_NONE_YET).format(name)} ({why})"
        yield _row(frame, _FORECAST, Line(line, style="dim"))
        return
    start, step = frame.local(found["start"]), timedelta(seconds=found["step_s"])
    over = max(0, int((frame.now - start) / step))
    values = found["values"][over:]
    begin = start + over * step
    unit = frame.points[found["point"]]["unit"]
    highest = max(values)
    at = begin + values.index(highest) * step
    shown = frame.say(_EXPECTED).format(
        name,
        words.value(highest, unit, frame.language),
        f"{at:%H:%M}",
        frame.term(found["source"]),
    )
    score = found["score"]
    if score is not None and score["mean_absolute_error"] is not None:
        shown += frame.say(_OFF_BY).format(words.value(score["mean_absolute_error"], unit, frame.language))
    yield _row(frame, _FORECAST, Line(shown))
    yield Line(f"  {begin:%H:%M} +", style="dim"), Line(_spark(values, round(cells * len(values) / 96)), style="cyan")


def _spark(values: Sequence[float], cells: int) -> str:
    """Means over at most as many cells as there are values, between zero and the highest value."""
    highest = max(*values, 1e-9)
    edges = [round(cell * len(values) / cells) for cell in range(cells + 1)]
    means = [sum(values[begin:end]) / (end - begin) for begin, end in pairwise(edges)]
    top = len(_HEIGHTS) - 1
    return "".join(_HEIGHTS[min(top, max(0, round(mean / highest * top)))] for mean in means)


def _tanks(frame: Frame) -> Iterator[Row]:
    for id_, point in frame.points.items():
        equipment, _, quantity = id_.rpartition(".")
        if (point["equipment_class"], quantity) == ("thermal_storage_tank", "stored_energy"):
            yield _row(frame, _TANK, _tank(frame, equipment))
        elif (point["equipment_class"], quantity) == ("chilled_water_plant", "mode"):
            yield _row(frame, _PLANT, _mode(frame, point))


def _tank(frame: Frame, equipment: str) -> Line:
    stored = frame.points[f"{equipment}.stored_energy"]
    held = "—" if stored["value"] is None else f"{round(stored['value']):,} kWh"
    line = Line().append(held, style="bold")
    for quantity, name in _LAYERS.items():
        point = frame.points.get(f"{equipment}.{quantity}")
        if point is None or point["value"] is None:
            continue
        sign, style = next((sign, style) for most, sign, style in _WATER if point["value"] <= most)
        line.append(f"  {frame.say(name)} ", style="dim")
        line.append(f"{point['value']:.1f} ")
        line.append(sign * _LAYER_CELLS, style=style)
    return line.append(" °C", style="dim")


def _mode(frame: Frame, point: Mapping[str, Any]) -> Line:
    """The mode of the plant, and why whoever holds it wants it so."""
    mode = frame.term(str(point["value"]))
    line = Line().append(mode, style="bold")
    outcome = point.get("commanded")
    reason = "" if outcome is None or outcome["reason"] is None else outcome["reason"][frame.language]
    return line.append(reason.removeprefix(mode) if reason.startswith(mode) else f": {reason}" if reason else "")
