"""What a backtest tells of a side, row by row; for tables, plots, JSON and bounds alike."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

from controller.cli.backtest_cases import Outcome, Result
from controller.cli.backtest_sides import Side
from controller.core.text import Text


class Row(NamedTuple):
    """field: of Figures, or what `reading` knows beside them. is_more_worse: the greatest of several cases is the worst
    one. is_spread: told over several cases, too."""

    name: Text
    field: str
    unit: str
    digits: int = 0
    is_more_worse: bool = True
    is_spread: bool = True

    def title(self, currency: str) -> Text:
        unit = self.unit.format(currency=currency)
        return Text(f"{self.name.en} [{unit}]", f"{self.name.zh} [{unit}]") if unit else self.name


ROWS = (
    Row(Text("electricity, whole site", "全站用电"), "energy", "kWh"),
    Row(Text("electricity, cooling plant", "冷站用电"), "plant_energy", "kWh"),
    Row(Text("energy charge, whole site", "全站电量电费"), "money", "{currency}"),
    Row(Text("energy charge, cooling plant", "冷站电量电费"), "plant_money", "{currency}", is_spread=False),
    Row(Text("demand charge, by the day", "按日折算的需量电费"), "demand_charge", "{currency}"),
    Row(Text("carbon, whole site", "全站碳排放"), "carbon", "kg CO2"),
    Row(Text("greatest quarter-hour demand", "最大 15 分钟需量"), "peak", "kW", 1),
    Row(Text("cooling delivered", "供冷量"), "cooling", "kWh", is_more_worse=False, is_spread=False),
    Row(Text("electricity for a kWh of cold", "单位冷量电耗"), "specific_energy", "kWh/kWh", 3, is_spread=False),
    Row(Text("cold added to the tank", "蓄冷水箱净增冷量"), "stored", "kWh", is_more_worse=False, is_spread=False),
    Row(Text("too warm (above 26 °C)", "未满足供冷（高于 26 °C）"), "unmet_cooling", "K·h", 1),
    Row(Text("too dark (garage, below 30 lx)", "照度不足（车库低于 30 lx）"), "light_shortfall", "lx·h", 1),
    Row(Text("lamps of the garage", "车库灯用电"), "garage_energy", "kWh"),
    Row(Text("lamps outdoors", "室外灯用电"), "outdoor_energy", "kWh"),
    Row(Text("lamps of the office floor", "办公层灯用电"), "office_energy", "kWh"),
    Row(Text("lit hours outdoors", "室外亮灯时长"), "lit_hours", "h", 1),
    Row(Text("places below their light floor", "低于照度下限"), "dark_minutes", "min"),
    Row(Text("starts of chillers", "冷机启动次数"), "starts", ""),
    Row(Text("travel of valves and drives", "阀门与变频器行程"), "travel", "strokes", 1),
    Row(Text("gas", "燃气用量"), "gas", "m³", 1),
    Row(Text("computing time for a day", "每日计算时间"), "computing", "s", 2),
)
SAVED = (
    Row(Text("electricity saved", "节电量"), "energy", "kWh", is_more_worse=False),
    Row(Text("money saved", "节省电费"), "money", "{currency}", is_more_worse=False),
    Row(Text("carbon saved", "减碳量"), "carbon", "kg CO2", is_more_worse=False),
)
"""At equal cooling, with the tank's cold credited at the valley price."""
_SHARE = "_share"
SAVED_SHARES = (
    Row(Text("garage lamps: saved", "车库灯节电"), "garage_energy_share", "%", 1, is_more_worse=False),
    Row(Text("outdoor lamps: saved", "室外灯节电"), "outdoor_energy_share", "%", 1, is_more_worse=False),
    Row(Text("office lamps: saved", "办公灯节电"), "office_energy_share", "%", 1, is_more_worse=False),
    Row(Text("lit hours outdoors: saved", "室外亮灯时长缩短"), "lit_hours_share", "%", 1, is_more_worse=False),
)
"""Of what the first side takes."""

# Not told of a building whose lamps nobody counts.
_OF_LAMPS = {"garage_energy", "outdoor_energy", "office_energy", "lit_hours", "dark_minutes"}
# Not a number of the plant: it differs from run to run, and from machine to machine.
_MEASURED = "computing"


def rows_of(result: Result) -> list[Row]:
    """Without money and carbon where the tariff does not say, and without gas where none was burnt."""
    tariff = result.backtest.site.tariff
    hidden = {"money", "plant_money"} if tariff is None else set[str]()
    if tariff is None or tariff.carbon_factor is None:
        hidden.add("carbon")
    if not result.nominal.demand_charges:
        hidden.add("demand_charge")
    if not any(figures.gas for figures in result.nominal.totals.values()):
        hidden.add("gas")
    if not any(each.lit_hours for each in result.nominal.totals.values()):
        hidden |= _OF_LAMPS
    return [row for row in ROWS if row.field not in hidden]


def saved_rows_of(result: Result) -> list[Row]:
    shown = {row.field for row in rows_of(result)}
    return [row for row in (*SAVED, *SAVED_SHARES) if row.field.removesuffix(_SHARE) in shown]


def against(row: Row, reference: Side) -> Row:
    """Of what is saved: called by the baseline, too."""
    name, whom = row.name, reference.title
    return row._replace(name=Text(f"{name.en} against {whom.en}", f"{name.zh}（对比{whom.zh}）"))


def reading(row: Row, result: Result, outcome: Outcome, side: str) -> float:
    if row.field == _MEASURED:
        return outcome.computing(side)
    if row.field == "demand_charge":
        return outcome.demand_charges.get(side, 0.0)
    figures = outcome.totals[side]
    if row.field == "carbon":
        tariff = result.backtest.site.tariff
        factor = None if tariff is None else tariff.carbon_factor
        return figures.energy * (factor or 0.0)
    return getattr(figures, row.field)


def saved(row: Row, outcome: Outcome, side: str, reference: str) -> float:
    if row.field.endswith(_SHARE):
        field = row.field.removesuffix(_SHARE)
        before, after = (getattr(outcome.totals[name], field) for name in (reference, side))
        return 100.0 * (before - after) / before if before else 0.0
    return getattr(outcome.saved_against[reference][side], row.field) or 0.0


class Spread(NamedTuple):
    """Over all cases."""

    median: float
    worst: float


def spread(row: Row, values: list[float]) -> Spread:
    return Spread(median(values), max(values) if row.is_more_worse else min(values))
