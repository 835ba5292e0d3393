"""What a backtest tells of a side, row by row; for tables, plots, JSON and bounds alike."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

from controller.cli.backtest_cases import Outcome, Result
from controller.cli.backtest_sides import Side
from controller.core.text import Text
from simulator import saving

_UNITS_IN_WORDS = {"strokes": "全行程"}
"""In Chinese; the others are signs."""


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
        words = _UNITS_IN_WORDS.get(unit, unit)
        return Text(f"{self.name.en} [{unit}]", f"{self.name.zh} [{words}]") if unit else self.name


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
    Row(Text("energy added to the battery", "电池净增电量"), "battery", "kWh", is_more_worse=False, is_spread=False),
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
    Row(Text("water", "用水量"), "water", "m³", 1),
    Row(Text("gas, what it costs", "燃气费"), "gas_money", "{currency}"),
    Row(Text("water, what it costs", "水费"), "water_money", "{currency}"),
    Row(Text("energy charge, gas and water together", "电量电费、燃气费、水费合计"), "cost", "{currency}"),
    Row(Text("computing time for a day", "每日计算时间"), "computing", "s", 2),
)
SAVED = (
    Row(Text("electricity saved", "节电量"), "energy", "kWh", is_more_worse=False),
    Row(Text("money saved", "节省费用"), "money", "{currency}", is_more_worse=False),
    Row(Text("carbon saved", "减碳量"), "carbon", "kg CO2", is_more_worse=False),
)
"""At equal cooling, with what the stores hold more or less credited at the valley price."""
_AS_LIVED = "_as_lived"
SAVED_AS_LIVED = tuple(
    row._replace(name=Text(f"{row.name.en}, as lived", f"{row.name.zh}（按实际运行）"), field=f"{row.field}{_AS_LIVED}")
    for row in SAVED
)
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
MEASURED = "computing"


def rows_of(result: Result) -> list[Row]:
    """Without money and carbon where the site does not say, and without what nobody has or counts."""
    outcome = result.nominal
    hidden = {field for field in ("gas", "water", "battery") if not _is_told(outcome, field)} | _unpriced(outcome)
    if not outcome.demand_charges:
        hidden.add("demand_charge")
    if not _is_told(outcome, "lit_hours"):
        hidden |= _OF_LAMPS
    return [row for row in ROWS if row.field not in hidden]


def _is_told(outcome: Outcome, field: str) -> bool:
    return any(getattr(each, field) for each in outcome.totals.values())


def _unpriced(outcome: Outcome) -> set[str]:
    """Fields of money and carbon for which the site has no price and no factor."""
    terms = outcome.terms
    hidden = {"money", "plant_money"} if terms.tariff is None else set[str]()
    if terms.tariff is None or terms.tariff.carbon_factor is None:
        hidden.add("carbon")
    has_gas = terms.gas is not None and _is_told(outcome, "gas")
    has_water = terms.water is not None and _is_told(outcome, "water")
    told = {"gas_money": has_gas, "water_money": has_water, "cost": has_gas or has_water}
    return hidden | {field for field, is_told in told.items() if not is_told}


def saved_rows_of(result: Result) -> list[Row]:
    shown = {row.field for row in rows_of(result)}
    told = (*SAVED, *SAVED_AS_LIVED, *SAVED_SHARES)
    return [row for row in told if row.field.removesuffix(_SHARE).removesuffix(_AS_LIVED) in shown]


def against(row: Row, reference: Side) -> Row:
    """Of what is saved: called by the baseline, too."""
    name, whom = row.name, reference.title
    return row._replace(name=Text(f"{name.en} against {whom.en}", f"{name.zh}（对比{whom.zh}）"))


def reading(row: Row, outcome: Outcome, side: str) -> float:
    if row.field == MEASURED:
        return outcome.computing(side)
    if row.field == "demand_charge":
        return outcome.demand_charges.get(side, 0.0)
    figures, terms = outcome.totals[side], outcome.terms
    match row.field:
        case "carbon":
            return saving.carbon(figures, terms) or 0.0
        case "cost":
            return saving.money(figures, terms)
        case "gas_money":
            return saving.gas_money(figures, terms)
        case "water_money":
            return saving.water_money(figures, terms)
        case _:
            return getattr(figures, row.field)


def saved(row: Row, outcome: Outcome, side: str, reference: str) -> float:
    if row.field.endswith(_SHARE):
        field = row.field.removesuffix(_SHARE)
        before, after = (getattr(outcome.totals[name], field) for name in (reference, side))
        return 100.0 * (before - after) / before if before else 0.0
    found = outcome.saved_as_lived if row.field.endswith(_AS_LIVED) else outcome.saved_against
    return getattr(found[reference][side], row.field.removesuffix(_AS_LIVED)) or 0.0


class Spread(NamedTuple):
    """Over all cases."""

    median: float
    worst: float


def spread(row: Row, values: list[float]) -> Spread:
    return Spread(median(values), max(values) if row.is_more_worse else min(values))
