"""A scenario: days of a simulated site, what is done to it, and what must come of it. As it may be written."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from controller.settings.schema.faults import FaultEntry
from controller.settings.schema.site import PositionEntry
from controller.settings.schema.tariffs import WINDOW, SiteTariffEntry, TariffName
from controller.settings.schema.words import Duration, Entry, Id, Label, Pair, TextEntry, at_least, at_most

SHORTEST_SCAN, LONGEST_SCAN = timedelta(seconds=1), timedelta(minutes=1)

RelativeFile: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=300, description="a path that begins at the scenario's own folder")
]
Factor: TypeAlias = Annotated[float, Field(gt=0, le=10)]
Kpi: TypeAlias = Literal[
    "energy",
    "plant_energy",
    "money",
    "plant_money",
    "demand_charge",
    "carbon",
    "peak",
    "cooling",
    "specific_energy",
    "unmet_cooling",
    "light_shortfall",
    "starts",
    "travel",
    "gas",
    "garage_energy",
    "outdoor_energy",
    "office_energy",
    "lit_hours",
    "dark_minutes",
    "energy_saved",
    "money_saved",
    "carbon_saved",
]


class DesignDayEntry(Entry):
    highest: Annotated[float, Field(ge=-40, le=50)]
    daily_range: Annotated[float, Field(ge=0, le=40)]
    relative_humidity: Annotated[float, Field(gt=0, le=1)]
    sky: Annotated[float, Field(gt=0, le=1)] = 1.0


class TankEntry(Entry):
    volume: Annotated[float, Field(gt=0, le=100_000)] | None = None
    height: Annotated[float, Field(gt=0, le=100)] | None = None


class PumpEntry(Entry):
    flow: Annotated[float, Field(gt=0, le=10_000)]
    curve: Annotated[tuple[Pair, ...], Field(min_length=2, description="flows and heads, like [[0, 225], [24, 180]]")]
    efficiency: Annotated[float, Field(gt=0, le=1)]


class PlantEntry(Entry):
    tank: TankEntry | None = None
    chilled_water_pump: PumpEntry | None = None
    condenser_water_pump: PumpEntry | None = None
    secondary_pump: PumpEntry | None = None


class VariationEntry(Entry):
    load: Factor = 1.0
    traffic: Factor = 1.0
    tank: Factor = 1.0


class BoundEntry(Entry):
    kpi: Kpi
    side: Label = "tidewatt"
    at_most: float | None = None
    at_least: float | None = None
    times: Label | None = None
    compared_with: Literal["original", "competent"] | None = None
    hours: (
        Annotated[str, Field(pattern=f"^{WINDOW.pattern}$", description="hours like 14:00-16:00, of every day")] | None
    ) = None


class ScenarioHead(Entry):
    """What the rest is checked against."""

    site: RelativeFile
    first: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    strategies: RelativeFile | None = None


class ScenarioFile(ScenarioHead):
    scenario: Id
    title: TextEntry
    scan_every: Annotated[Duration, at_least(SHORTEST_SCAN, "1s"), at_most(LONGEST_SCAN, "1min")] = LONGEST_SCAN
    seed: int = 0
    seeds: Annotated[int, Field(ge=1, le=1000)] = 1
    weather: RelativeFile | None = None
    design_day: DesignDayEntry | None = None
    load: RelativeFile | None = None
    position: PositionEntry | None = None
    tariff: TariffName | SiteTariffEntry | None = None
    holidays: tuple[date, ...] = ()
    past: bool = False
    plant: PlantEntry | None = None
    variation: VariationEntry = Field(default_factory=VariationEntry)
    faults: tuple[FaultEntry, ...] = ()
    faults_file: RelativeFile | None = None
    against: RelativeFile | None = None
    bounds: Annotated[tuple[BoundEntry, ...], Field(min_length=1)]
