"""What a backtest rests on: places, days, records and faults, told beside its figures so that they can be judged and
had again."""

from __future__ import annotations

from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from controller.cli.backtest_cases import Backtest, Result
from controller.cli.fault import told
from controller.cli.simulate import bundled_weather
from controller.core.text import Language, Text
from simulator.faults.spelling import as_data
from simulator.load import LoadRecord

_SITE = Text("site", "现场")
_DAYS = Text("days", "日期")
_WEATHER, _LOAD = Text("weather", "天气"), Text("load", "负荷")
_TARIFF, _CARBON = Text("tariff", "电价"), Text("carbon", "碳排放因子")
_STRATEGIES, _WRONG = Text("strategies", "策略"), Text("what goes wrong", "故障")
_CASES, _VERSION = Text("cases", "工况"), Text("Tidewatt", "Tidewatt")

_CONFIGURATION = Text("{site}, configuration {digest}", "{site}，配置 {digest}")
_FROM_TO = Text(
    "{first} to {last}, polled and decided every {pace:g} s", "{first} 至 {last}，每 {pace:g} s 采集和决策一次"
)
_BUNDLED = Text("{name}, the bundled typical year of another coast", "{name}（自带的另一海岸的典型年）")
_DESIGN_DAY = Text("a design day", "设计日")
_MODELLED = Text("modelled", "由模型计算")
_RECORD = Text("{source}: {days} days, at most {peak} kW", "{source}：{days} 天，最大 {peak} kW")
_SCALED = Text(
    ", multiplied by {factor:#.3g} (its own peak is {own} kW)", "，乘以 {factor:#.3g}（其自身峰值 {own} kW）"
)
_LACKING = Text(
    "; {count} of the {days} days are not in it and take others of their kind",
    "；其中缺 {count}/{days} 天，以同类日代替",
)
_OWN_LOAD = Text("Load: {what}.", "负荷：{what}。")
_SEEDS = Text("first seed {seed}, {count} in all", "首个种子 {seed}，共 {count} 个工况")


def basis(result: Result, chosen: Language) -> list[tuple[str, str]]:
    """What it rests on, and which; a line each."""
    backtest = result.backtest
    site, period = backtest.site, backtest.period
    last = period.first + timedelta(days=result.nominal.days - 1)
    pace = period.scan_every.total_seconds()
    lines = [
        (_SITE, _CONFIGURATION.in_language(chosen).format(site=site.name, digest=site.digest)),
        (_DAYS, _FROM_TO.in_language(chosen).format(first=period.first, last=last, pace=pace)),
        (_CASES, _SEEDS.in_language(chosen).format(seed=period.seed, count=len(result.outcomes))),
        (_WEATHER, _weather(backtest, chosen)),
        *((_LOAD, each) for each in own_loads(backtest, chosen) or [_MODELLED.in_language(chosen)]),
    ]
    if site.tariff is not None:
        lines.append((_TARIFF, f"{site.tariff.title.in_language(chosen)}, {site.tariff.currency}"))
    for side in backtest.ours:
        mounted = backtest.site_of(side).mounts
        named = ", ".join(f"{each.id} ({each.mode.value})" for each in mounted)
        lines.append((_STRATEGIES, f"{side.title.in_language(chosen)}: {named}"))
    lines += [(_WRONG, told(as_data(fault), site.zone, chosen)) for fault in period.faults]
    lines.append((_VERSION, version("tidewatt")))
    return [(name.in_language(chosen), words) for name, words in lines]


def basis_data(backtest: Backtest) -> dict[str, Any]:
    """For scripts: records by the names of their files, None for what comes along or is modelled."""
    period = backtest.period
    weather = None if period.weather is None else period.weather.name if isinstance(period.weather, Path) else "design"
    return {
        "version": version("tidewatt"),
        "weather": weather,
        "loads": [
            {"source": each.source, "days": each.days, "peak_kw": each.peak(), "factor": each.factor}
            for each in backtest.loads
        ],
        "faults": [as_data(fault) for fault in period.faults],
    }


def own_loads(backtest: Backtest, chosen: Language) -> list[str]:
    """Of each measured load: how much of the period it covers, and whether it is taken as it is."""
    return [_load(each, backtest, chosen) for each in backtest.loads]


def load_remarks(backtest: Backtest, chosen: Language) -> list[str]:
    return [_OWN_LOAD.in_language(chosen).format(what=each) for each in own_loads(backtest, chosen)]


def _load(record: LoadRecord, backtest: Backtest, chosen: Language) -> str:
    period = backtest.period
    days = [period.first + timedelta(days=number) for number in range(period.days)]
    lacking = sum(day not in record for day in days)
    peak = record.peak()
    words = _RECORD.in_language(chosen).format(source=record.source, days=record.days, peak=f"{peak:,.0f}")
    if record.factor != 1.0:
        own = f"{peak / record.factor:,.0f}"
        words += _SCALED.in_language(chosen).format(factor=record.factor, own=own)
    if lacking:
        words += _LACKING.in_language(chosen).format(count=lacking, days=len(days))
    return words


def _weather(backtest: Backtest, chosen: Language) -> str:
    weather = backtest.period.weather
    if weather is None:
        return _BUNDLED.in_language(chosen).format(name=bundled_weather().name)
    return weather.name if isinstance(weather, Path) else _DESIGN_DAY.in_language(chosen)
