"""A chiller of the last days beside itself when it was clean, and what that costs. Pure.

The limits are our own rule: 5 % of power and 1 K of approach, or twice the scatter of the machine's own clean hours
where that is more. Below them a meter's error looks like dirt. What is told is the median over the hours that are
alike, so that a few bad ones tell nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean, median

from controller.core.clean_baseline import CleanBaseline, OperatingHour
from controller.core.tariff import Energy, Tariff
from controller.core.text import Text

LOOKED_AT = timedelta(days=7)
FEWEST_HOURS = 12
KW_PER_RT = 3.517  # refrigeration ton, 12,000 Btu/h; ASHRAE Terminology
_LEAST_EXCESS = 0.05
_LEAST_APPROACH_K = 1.0
_SCATTERS = 2.0
# What was told stays so until it is clearly better.
_BACK_BELOW = 0.7


@dataclass(frozen=True, slots=True)
class PowerNow:
    """hours: that were compared. cop: cold per electricity, both kW, now and clean under the same loads and lifts.

    excess: median share of power beyond the clean one. limit: from which on that says something. extra_kw: mean over
    these hours. extra_kwh: their sum. money: what that cost; None where energy has no price.
    """

    hours: int
    cop: float
    clean_cop: float
    excess: float
    limit: float
    extra_kw: float
    extra_kwh: float
    money: float | None

    @property
    def kw_per_rt(self) -> float:
        return KW_PER_RT / self.cop

    @property
    def clean_kw_per_rt(self) -> float:
        return KW_PER_RT / self.clean_cop


@dataclass(frozen=True, slots=True)
class ApproachNow:
    """K; medians over the hours that were compared. limit: of the rise, from which on it says something."""

    hours: int
    approach: float
    clean: float
    rise: float
    limit: float


@dataclass(frozen=True, slots=True)
class Condition:
    """None: not measured, or too few hours are like those of the baseline."""

    power: PowerNow | None
    approach: ApproachNow | None

    @property
    def is_wasteful(self) -> bool:
        return self.power is not None and self.power.excess > self.power.limit

    @property
    def is_fouled(self) -> bool:
        return self.approach is not None and self.approach.rise > self.approach.limit

    @property
    def is_better_than_clean(self) -> bool:
        power, approach = self.power, self.approach
        return (power is not None and power.excess < -power.limit) or (
            approach is not None and approach.rise < -approach.limit
        )


def condition(
    baseline: CleanBaseline, hours: Sequence[OperatingHour], tariff: Tariff | None, *, was_told: bool = False
) -> Condition:
    """was_told: something was wrong already; the limits are then those of being well again."""
    factor = _BACK_BELOW if was_told else 1.0
    return Condition(_power(baseline, hours, tariff, factor), _approach(baseline, hours, factor))


def _power(
    baseline: CleanBaseline, hours: Sequence[OperatingHour], tariff: Tariff | None, factor: float
) -> PowerNow | None:
    compared = [(each, clean) for each in hours if (clean := baseline.clean_power(each)) is not None]
    if len(compared) < FEWEST_HOURS or baseline.specific_power is None:
        return None
    cooling = sum(each.cooling or 0.0 for each, _ in compared)
    extra = [each.power - clean for each, clean in compared]
    return PowerNow(
        len(compared),
        cooling / sum(each.power for each, _ in compared),
        cooling / sum(clean for _, clean in compared),
        median(each.power / clean - 1.0 for each, clean in compared),
        factor * max(_LEAST_EXCESS, _SCATTERS * baseline.specific_power.scale),
        fmean(extra),
        sum(extra),
        None if tariff is None else _money(tariff, [each for each, _ in compared], extra),
    )


def _money(tariff: Tariff, hours: Sequence[OperatingHour], extra: Sequence[float]) -> float | None:
    """Hour by hour at its price; None where a price is missing."""
    hour = timedelta(hours=1)
    cost = tariff.cost_of(Energy(each.start, each.start + hour, kwh) for each, kwh in zip(hours, extra, strict=True))
    return None if cost.unpriced else cost.money


def _approach(baseline: CleanBaseline, hours: Sequence[OperatingHour], factor: float) -> ApproachNow | None:
    compared = [
        (each.approach, clean)
        for each in hours
        if each.approach is not None and (clean := baseline.clean_approach(each)) is not None
    ]
    if len(compared) < FEWEST_HOURS or baseline.approach is None:
        return None
    return ApproachNow(
        len(compared),
        median(now for now, _ in compared),
        median(clean for _, clean in compared),
        median(now - clean for now, clean in compared),
        factor * max(_LEAST_APPROACH_K, _SCATTERS * baseline.approach.scale),
    )


# --- in words -----------------------------------------------------------------------------------------------------


def advice(found: Condition, currency: str | None) -> Text | None:
    """What is to be done about it; None where it runs as it did when it was clean."""
    if found.is_fouled:
        return _joined(_fouled(found), _cost(found, currency), _CLEAN_TUBES)
    if found.is_wasteful:
        return _joined(_wasteful(found), _cost(found, currency), _LOOK_AT if found.approach is None else _NOT_TUBES)
    if found.is_better_than_clean:
        return Text(
            "better than its clean baseline: a sensor has drifted, or it was dirty when that was learnt; name clean"
            " dates in site.yaml",
            "优于清洁基线：传感器漂移，或学习基线时并不清洁；请在 site.yaml 中指定清洁日期",
        )
    return None


_CLEAN_TUBES = Text("clean the condenser tubes; look at the water treatment", "清洗冷凝器铜管，检查水处理")
_LOOK_AT = Text(
    "look at condenser tubes, refrigerant charge, air in the refrigerant and the sensors",
    "检查冷凝器结垢、制冷剂充注量、不凝性气体及传感器",
)
_NOT_TUBES = Text(
    "the condenser is as it was: look at refrigerant charge, evaporator and sensors",
    "冷凝器正常：检查制冷剂充注量、蒸发器及传感器",
)


def _fouled(found: Condition) -> Text:
    approach = found.approach
    assert approach is not None
    return Text(
        f"condenser approach {approach.approach:.1f} K, when clean {approach.clean:.1f} K at this load",
        f"冷凝器趋近温差 {approach.approach:.1f} K，同负荷清洁时 {approach.clean:.1f} K",
    )


def _wasteful(found: Condition) -> Text:
    power = found.power
    assert power is not None
    share = power.excess * 100
    return Text(
        f"takes {share:.0f} % more power than when it was clean, at the same load and lift",
        f"在相同负荷与提升温差下，电耗比清洁时高 {share:.0f} %",
    )


def _cost(found: Condition, currency: str | None) -> Text | None:
    """Only where the power itself says something: approach alone is not yet kilowatts."""
    power = found.power
    if power is None or not found.is_wasteful:
        return None
    if power.money is None or currency is None:
        return Text(
            f"{power.extra_kw:.1f} kW on average, {power.extra_kwh:.0f} kWh in {power.hours} hours of the last 7 days",
            f"平均多耗 {power.extra_kw:.1f} kW，近 7 天 {power.hours} 小时共 {power.extra_kwh:.0f} kWh",
        )
    return Text(
        f"{power.extra_kw:.1f} kW on average, {power.extra_kwh:.0f} kWh and {power.money:.0f} {currency} in"
        f" {power.hours} hours of the last 7 days",
        f"平均多耗 {power.extra_kw:.1f} kW，近 7 天 {power.hours} 小时共 {power.extra_kwh:.0f} kWh、"
        f"{power.money:.0f} {currency}",
    )


def _joined(*parts: Text | None) -> Text:
    said = [each for each in parts if each is not None]
    return Text("; ".join(each.en for each in said), "；".join(each.zh for each in said))
