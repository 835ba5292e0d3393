"""site.yaml as it may be written."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from controller.core.site import ReloadBy
from controller.core.system import Authority
from controller.settings.schema.tariffs import Price, SiteTariffEntry, TariffName
from controller.settings.schema.words import (
    ConditionEntry,
    Duration,
    Entry,
    EquipmentId,
    EquipmentOrPoint,
    FullPointId,
    Id,
    Interval,
    Label,
    Plain,
    ScanInterval,
    SecretReference,
    SentencesEntry,
    Span,
    TextEntry,
    at_most,
)
from controller.settings.web_address import web_address

# Half of the shortest block.
LONGEST_TANK_WAIT = timedelta(hours=12)


class PositionEntry(Entry):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    elevation: Annotated[float, Field(ge=-500, le=6000)] = 0.0
    horizon: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")] | None = None


class ReleaseStepEntry(Entry):
    points: Annotated[tuple[EquipmentOrPoint, ...], Field(min_length=1)]
    after: tuple[ConditionEntry, ...] = ()
    needs: tuple[ConditionEntry, ...] = ()


class PermissiveEntry(Entry):
    start: FullPointId
    needs: ConditionEntry


class HandBackEntry(Entry):
    action: SentencesEntry
    proof: SentencesEntry | None = None


class ContactEntry(Entry):
    who: TextEntry
    phone: Label


class ProvenOffEntry(Entry):
    point: FullPointId
    value: Annotated[Plain, Field(alias="is")]


class MemberEntry(Entry):
    point: FullPointId
    off: ProvenOffEntry | None = None


class AuthorityInputEntry(Entry):
    point: FullPointId
    value: Annotated[Plain, Field(alias="is")]
    unknown_after: Span = timedelta(seconds=30)
    back_after: Duration = timedelta(seconds=10)


class SystemEntry(Entry):
    id: Id
    name: TextEntry
    points: Annotated[tuple[EquipmentOrPoint, ...], Field(min_length=1)]
    release_within: Span
    yield_for: Interval = timedelta(minutes=15)
    release_order: Annotated[tuple[ReleaseStepEntry, ...], Field(min_length=1)] | None = None
    permissives: tuple[PermissiveEntry, ...] = ()
    hand_back: HandBackEntry | None = None
    original_while: AuthorityInputEntry | None = None
    exclusions: tuple[Annotated[tuple[MemberEntry, ...], Field(min_length=2)], ...] = ()


class FireInputEntry(Entry):
    point: FullPointId
    value: Annotated[Plain, Field(alias="is")]


class FireEntry(Entry):
    """Lists that are not given follow from the classes of the equipment."""

    input: FireInputEntry
    systems: Annotated[tuple[Id, ...], Field(min_length=1)] | None = None
    lights: tuple[EquipmentOrPoint, ...] | None = None
    ventilation: tuple[EquipmentOrPoint, ...] | None = None
    plant: tuple[EquipmentOrPoint, ...] | None = None


class InfluxEntry(Entry):
    url: Annotated[
        str,
        AfterValidator(web_address),
        Field(max_length=300, description="an address like http://10.0.0.5:8086 or https://influx.example.org"),
    ]
    organisation: Label
    bucket: Label
    token: SecretReference | None = None


class HistorianEntry(Entry):
    influxdb: InfluxEntry | None = None


class ForecastEntry(Entry):
    point: FullPointId
    temperature: FullPointId | None = None


class VolumePriceEntry(Entry):
    per_m3: Price
    source: Label


class HeatingValueEntry(Entry):
    mj_per_m3: Annotated[float, Field(ge=1, le=150)]
    source: Label


class GasCarbonEntry(Entry):
    kg_per_gj: Annotated[float, Field(ge=0, le=300)]
    source: Label


class GasEntry(Entry):
    price: VolumePriceEntry
    heating_value: HeatingValueEntry
    carbon_factor: GasCarbonEntry | None = None


class WaterEntry(Entry):
    price: VolumePriceEntry


class MaintenanceEntry(Entry):
    """At least one interval is demanded in equipment_log.py."""

    equipment: EquipmentId
    what: Label
    every_run_hours: Annotated[float, Field(gt=0, le=200_000)] | None = None
    every_days: Annotated[float, Field(gt=0, le=10_000)] | None = None


class EquipmentLogEntry(Entry):
    id: EquipmentId
    starts_per_hour: Annotated[int, Field(ge=1, le=60)] | None = None
    shortest_run: Duration | None = None
    clean_from: date | None = None
    clean_until: date | None = None


class OutOfServiceEntry(Entry):
    equipment: EquipmentId
    reason: Label


class EqualTankEntry(Entry):
    point: FullPointId
    equal_within: Annotated[float, Field(gt=0)]
    wait: Annotated[Duration, at_most(LONGEST_TANK_WAIT, "12h")]


class ABDaysEntry(Entry):
    systems: Annotated[tuple[Id, ...], Field(min_length=1)]
    block: Annotated[int, Field(ge=1, le=7, description="a whole number of days from 1 to 7")]
    begins: date
    at: Annotated[str, Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description="a time of day like 05:00")]
    tank: EqualTankEntry | None = None


class SiteHead(Entry):
    tidewatt: Literal[1]
    name: Label
    position: PositionEntry
    time_zone: Label
    scan_every: ScanInterval = timedelta(seconds=1)
    authority_at_first_start: Literal[Authority.ORIGINAL, Authority.TIDEWATT] = Authority.ORIGINAL
    start_gap: Duration = timedelta(seconds=10)
    authority_files: bool = False
    reload: ReloadBy = "command"
    wall_clock: Literal["synchronised", "free_running"] = "synchronised"
    tariff: TariffName | SiteTariffEntry | None = None
    gas: GasEntry | None = None
    water: WaterEntry | None = None
    historian: HistorianEntry = Field(default_factory=HistorianEntry)
    contacts: tuple[ContactEntry, ...] = ()


class SiteFile(SiteHead):
    systems: tuple[SystemEntry, ...]
    forecasts: tuple[ForecastEntry, ...] = ()
    equipment: tuple[EquipmentLogEntry, ...] = ()
    maintenance: tuple[MaintenanceEntry, ...] = ()
    fire: tuple[FireEntry, ...] = ()
    out_of_service: tuple[OutOfServiceEntry, ...] = ()
    ab_days: ABDaysEntry | None = None
