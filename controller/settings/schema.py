"""The files of a site as they may be written. Nothing past this package knows them.

What a reader must know of a field stands in docs/configuration.md.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from controller.core.guard import MOST_STARTS_PER_HOUR
from controller.core.point import PointKind, ValueType
from controller.core.strategy import Mode
from controller.core.system import Authority
from controller.core.tariff import Form, SourceStatus
from controller.core.tariff_calendar import Band, DayType
from controller.core.text import Text
from controller.settings.validate import DURATION, DURATION_ADVICE, seconds
from controller.settings.web_address import web_address


def _duration(value: object) -> timedelta:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - pydantic lets only this kind through; the words come from the schema
    return seconds(value)


Duration: TypeAlias = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": f"^{DURATION.pattern}$", "description": DURATION_ADVICE}),
]


def _at_least(least: timedelta, words: str) -> AfterValidator:
    def check(given: timedelta) -> timedelta:
        if given < least:
            raise ValueError(f"a time of {given.total_seconds():g} s is too short; write at least {words}")
        return given

    return AfterValidator(check)


Interval: TypeAlias = Annotated[Duration, _at_least(timedelta(milliseconds=10), "10ms")]
ScanInterval: TypeAlias = Annotated[Duration, _at_least(timedelta(milliseconds=100), "100ms")]
Span: TypeAlias = Annotated[Duration, _at_least(timedelta(seconds=1), "1s")]

_WORD = r"[a-z][a-z0-9_]*"

Id: TypeAlias = Annotated[
    str, Field(pattern=f"^{_WORD}$", max_length=64, description="lower snake case, like plant_gateway")
]
EQUIPMENT_ID = re.compile(rf"{_WORD}\.{_WORD}")
QUANTITY = re.compile(_WORD)
LONGEST_QUANTITY = 64
EquipmentId: TypeAlias = Annotated[
    str,
    Field(
        pattern=f"^{EQUIPMENT_ID.pattern}$",
        max_length=100,
        description="area and equipment in lower snake case, like plant.chiller_1",
    ),
]
FullPointId: TypeAlias = Annotated[
    str,
    Field(
        pattern=rf"^{_WORD}\.{_WORD}\.{_WORD}$",
        max_length=165,
        description="area, equipment and quantity, like plant.chiller_1.status",
    ),
]
EquipmentOrPoint: TypeAlias = Annotated[
    str,
    Field(
        pattern=rf"^{_WORD}\.{_WORD}(\.{_WORD})?$",
        max_length=165,
        description="an equipment like plant.chiller_1, or one of its points like plant.chiller_1.status",
    ),
]
LocalPoint: TypeAlias = Annotated[
    str,
    Field(
        pattern=rf"^{_WORD}(\.{_WORD}){{1,2}}$",  # in a point list all three words
        max_length=165,
        description="a point of this template, like chiller.status",
    ),
]
TemplateName: TypeAlias = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*$",
        max_length=100,
        description="folder and name, like simulator/main_meter",
    ),
]
Label: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Pair: TypeAlias = Annotated[tuple[float, float], Field(description="lowest and highest, like [0, 100]")]
Plain: TypeAlias = bool | int | float | str


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=False)


class TextEntry(_Entry):
    en: Label
    zh: Label

    def text(self) -> Text:
        return Text(self.en, self.zh)


class SentencesEntry(_Entry):
    en: Annotated[str, Field(min_length=1, max_length=1000)]
    zh: Annotated[str, Field(min_length=1, max_length=1000)]

    def text(self) -> Text:
        return Text(self.en, self.zh)


# --- site.yaml ----------------------------------------------------------------------------------------------------


class PositionEntry(_Entry):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    elevation: Annotated[float, Field(ge=-500, le=6000)] = 0.0


class ConditionEntry(_Entry):
    point: FullPointId
    value: Annotated[Plain, Field(alias="is")]
    lasting: Duration = timedelta(0)


class ReleaseStepEntry(_Entry):
    points: Annotated[tuple[EquipmentOrPoint, ...], Field(min_length=1)]
    after: tuple[ConditionEntry, ...] = ()
    needs: tuple[ConditionEntry, ...] = ()


class PermissiveEntry(_Entry):
    start: FullPointId
    needs: ConditionEntry


class HandBackEntry(_Entry):
    action: SentencesEntry
    proof: SentencesEntry | None = None


class ContactEntry(_Entry):
    who: TextEntry
    phone: Label


class ProvenOffEntry(_Entry):
    point: FullPointId
    value: Annotated[Plain, Field(alias="is")]


class MemberEntry(_Entry):
    point: FullPointId
    off: ProvenOffEntry | None = None


class AuthorityInputEntry(_Entry):
    point: FullPointId
    value: Annotated[Plain, Field(alias="is")]
    unknown_after: Span = timedelta(seconds=30)
    back_after: Duration = timedelta(seconds=10)


class SystemEntry(_Entry):
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


class FireInputEntry(_Entry):
    point: FullPointId
    value: Annotated[Plain, Field(alias="is")]


class FireEntry(_Entry):
    """Lists that are not given follow from the classes of the equipment."""

    input: FireInputEntry
    systems: Annotated[tuple[Id, ...], Field(min_length=1)] | None = None
    lights: tuple[EquipmentOrPoint, ...] | None = None
    ventilation: tuple[EquipmentOrPoint, ...] | None = None
    plant: tuple[EquipmentOrPoint, ...] | None = None


GIVEN_BY_SITE = "given_by_site"
"""What stands in a tariff file for a price that each site has of its own."""

TARIFF_NAME = re.compile(_WORD)
TariffName: TypeAlias = Annotated[
    str,
    Field(
        pattern=rf"^({_WORD}|[^/].*\.yaml)$",
        max_length=200,
        description="a file of config/tariffs like guangdong, or one in the site folder like tariffs/ours.yaml",
    ),
]
Month: TypeAlias = Annotated[int, Field(ge=1, le=12)]
MonthDays: TypeAlias = Annotated[
    str,
    Field(pattern=r"^[0-9]{2}-[0-9]{2} to [0-9]{2}-[0-9]{2}$", description="first and last day like 05-16 to 10-15"),
]
Price: TypeAlias = Annotated[float, Field(ge=0, le=100_000)]


class SeasonEntry(_Entry):
    """Without months and dates: the whole year."""

    months: Annotated[tuple[Month, ...], Field(min_length=1)] | None = None
    dates: Annotated[tuple[MonthDays, ...], Field(min_length=1)] | None = None


class PricesEntry(SeasonEntry):
    """Money per kWh."""

    super_peak: Price | None = None
    peak: Price | None = None
    flat: Price | None = None
    valley: Price | None = None
    deep_valley: Price | None = None


class SiteTariffEntry(_Entry):
    file: TariffName
    rate: Id | None = None
    flat_price: Price | None = None
    added_price: Price = 0.0
    prices: tuple[PricesEntry, ...] = ()
    basic_charge: Literal["demand", "capacity"] | None = None
    demand_price: Price | None = None
    capacity_price: Price | None = None


def _reference(value: object) -> object:
    if isinstance(value, Mapping):  # how a reference arrives here
        return cast("Mapping[str, object]", value)
    raise ValueError("a secret stands in the file itself; write !env NAME or !file PATH instead")


SecretReference: TypeAlias = Annotated[
    Mapping[str, str],
    BeforeValidator(_reference),
    WithJsonSchema({"type": "string", "description": "a reference to a secret: !env NAME or !file PATH"}),
]


class InfluxEntry(_Entry):
    url: Annotated[
        str,
        AfterValidator(web_address),
        Field(max_length=300, description="an address like http://10.0.0.5:8086 or https://influx.example.org"),
    ]
    organisation: Label
    bucket: Label
    token: SecretReference | None = None


class HistorianEntry(_Entry):
    influxdb: InfluxEntry | None = None


class ForecastEntry(_Entry):
    point: FullPointId
    temperature: FullPointId | None = None


class MaintenanceEntry(_Entry):
    """At least one interval is demanded in equipment_log.py."""

    equipment: EquipmentId
    what: Label
    every_run_hours: Annotated[float, Field(gt=0, le=200_000)] | None = None
    every_days: Annotated[float, Field(gt=0, le=10_000)] | None = None


class EquipmentLogEntry(_Entry):
    id: EquipmentId
    starts_per_hour: Annotated[int, Field(ge=1, le=60)] | None = None
    shortest_run: Duration | None = None
    clean_from: date | None = None
    clean_until: date | None = None


class OutOfServiceEntry(_Entry):
    equipment: EquipmentId
    reason: Label


class SiteHead(_Entry):
    tidewatt: Literal[1]
    name: Label
    position: PositionEntry
    time_zone: Label
    scan_every: ScanInterval = timedelta(seconds=1)
    authority_at_first_start: Literal[Authority.ORIGINAL, Authority.TIDEWATT] = Authority.ORIGINAL
    start_gap: Duration = timedelta(seconds=10)
    authority_files: bool = False
    wall_clock: Literal["synchronised", "free_running"] = "synchronised"
    tariff: TariffName | SiteTariffEntry | None = None
    historian: HistorianEntry = Field(default_factory=HistorianEntry)
    contacts: tuple[ContactEntry, ...] = ()


class SiteFile(SiteHead):
    systems: tuple[SystemEntry, ...]
    forecasts: tuple[ForecastEntry, ...] = ()
    equipment: tuple[EquipmentLogEntry, ...] = ()
    maintenance: tuple[MaintenanceEntry, ...] = ()
    fire: tuple[FireEntry, ...] = ()
    out_of_service: tuple[OutOfServiceEntry, ...] = ()


# --- what machines and registers endure ----------------------------------------------------------------------------


def _count(most: int) -> Any:
    return Field(ge=1, le=most, description=f"a whole number from 1 to {most}")


class EnduranceEntry(_Entry):
    maximum_rate: Annotated[float, Field(gt=0)] | None = None
    minimum_on: Duration = timedelta(0)
    minimum_off: Duration = timedelta(0)
    starts_per_hour: Annotated[int, _count(MOST_STARTS_PER_HOUR)] | None = None


class LimitsEntry(EnduranceEntry):
    source: Label | None = None


class WearEntry(_Entry):
    writes_per_day: Annotated[int, _count(86_400)] | None = None
    minimum_interval: Duration = timedelta(0)
    source: Label | None = None


class MachineLimitsEntry(EnduranceEntry):
    """Of one machine at this site; what it does not say its template says."""

    source: Label
    range: Pair | None = None


# --- devices.yaml -------------------------------------------------------------------------------------------------

NOT_THERE = "none"
"""What stands for an equipment of a template that this site lacks."""


POINT_LIST = "points.csv"
"""What a point list is usually called."""


class DeviceHead(_Entry):
    id: Id
    address: Mapping[str, Any] = Field(default_factory=dict[str, Any])
    poll_every: Interval = timedelta(seconds=1)
    urgent_every: Interval | None = None
    limits: Mapping[str, MachineLimitsEntry] = Field(default_factory=dict[str, MachineLimitsEntry])


class DeviceEntry(DeviceHead):
    """Its points are those of its template."""

    template: TemplateName
    equipment: Mapping[str, EquipmentId | Literal["none"]]


class ListedDeviceEntry(DeviceHead):
    """Its points are rows of a list."""

    points: Annotated[
        str,
        Field(pattern=r"^[^/].*\.csv$", max_length=200, description="a file in the site folder like points.csv"),
    ]

    @model_validator(mode="before")
    @classmethod
    def _without_template(cls, value: Any) -> object:
        keys = set(cast("Mapping[str, object]", value)) if isinstance(value, Mapping) else set[str]()
        for name in ("template", "equipment"):
            if name in keys:
                raise ValueError(f"{name} stands beside points; a device has either a template or a list of points")
        return cast("object", value)


class LinkHead(_Entry):
    id: Id
    driver: Label
    connection: Mapping[str, Any]


def _device_form(value: Any) -> str:
    if isinstance(value, DeviceHead):  # on the way out
        return "#points" if isinstance(value, ListedDeviceEntry) else "#template"
    listed = isinstance(value, Mapping) and "points" in cast("Mapping[str, object]", value)
    return "#points" if listed else "#template"


AnyDeviceEntry: TypeAlias = Annotated[
    Annotated[DeviceEntry, Tag("#template")] | Annotated[ListedDeviceEntry, Tag("#points")],
    Discriminator(_device_form),
]


class LinkEntry(LinkHead):
    devices: Annotated[tuple[AnyDeviceEntry, ...], Field(min_length=1)]


class DevicesFile(_Entry):
    links: tuple[LinkEntry, ...]


# --- strategies.yaml ----------------------------------------------------------------------------------------------


class StrategyEntry(_Entry):
    id: Id
    strategy: Label
    mode: Mode
    bind: Mapping[str, EquipmentId | Annotated[tuple[EquipmentId, ...], Field(min_length=1)]]
    priority: Literal["demand_response", "optimisation", "strategy", "schedule"] = "strategy"
    lease: Span = timedelta(seconds=60)
    parameters: Mapping[str, Any] = Field(default_factory=dict[str, Any])


class StrategiesFile(_Entry):
    strategies: tuple[StrategyEntry, ...]


# --- alarms.yaml --------------------------------------------------------------------------------------------------

PriorityWord: TypeAlias = Literal["urgent", "high", "medium", "low"]


class AlarmEntry(_Entry):
    """Which keys belong together is demanded in alarms.py."""

    id: Id
    priority: PriorityWord
    point: FullPointId | None = None
    above: float | None = None
    below: float | None = None
    value: Annotated[Plain | None, Field(alias="is")] = None
    bad_for: Duration | None = None
    deadband: Annotated[float, Field(ge=0)] | None = None
    only_while: ConditionEntry | None = None
    verdict: Literal["ignored", "overridden", "implausible", "effect_missing"] | None = None
    points: Annotated[tuple[EquipmentOrPoint, ...], Field(min_length=1)] | None = None
    link: Id | None = None
    device: Id | None = None
    strategy: Id | None = None
    on_delay: Duration | None = None
    off_delay: Duration | None = None
    latching: bool | None = None
    text: TextEntry | None = None
    advice: TextEntry | None = None


class EscalationEntry(_Entry):
    after: Span
    to: SecretReference


class RouteEntry(_Entry):
    id: Id
    priority: PriorityWord
    language: Literal["en", "zh"]
    to: SecretReference
    escalation: tuple[EscalationEntry, ...] = ()


class AlarmsFile(_Entry):
    alarms: tuple[AlarmEntry, ...] = ()
    routes: tuple[RouteEntry, ...] = ()


# --- config/templates/<folder>/<name>.yaml --------------------------------------------------------------------------


class SourceEntry(_Entry):
    title: Label
    revision: Label
    page: int | Label


class RemoteBitEntry(_Entry):
    remote_bit: LocalPoint


class SafeValueEntry(_Entry):
    safe_value: Plain


class RestoreEntry(_Entry):
    restore: Pair


# The names of a union's branches begin with a sign that no key has: pydantic mixes them into the places of errors.


def _release_form(value: Any) -> str:
    if isinstance(value, (RemoteBitEntry, SafeValueEntry, RestoreEntry)):  # on the way out
        return f"#{next(iter(type(value).model_fields))}"
    if isinstance(value, Mapping):
        return f"#{_nearest_form(cast('Mapping[str, object]', value), ('remote_bit', 'safe_value', 'restore'))}"
    return "#word"


def _nearest_form(keys: Iterable[str], forms: tuple[str, ...]) -> str:
    """The form that a mapping seems to mean, its key perhaps misspelt."""
    names = list(keys)
    exact = next((name for name in names if name in forms), None)
    return exact or next(
        (close[0] for each in names if (close := difflib.get_close_matches(each, forms, n=1))), forms[0]
    )


ReleaseEntry: TypeAlias = Annotated[
    Annotated[Literal["write_null"], Tag("#word")]
    | Annotated[RemoteBitEntry, Tag("#remote_bit")]
    | Annotated[SafeValueEntry, Tag("#safe_value")]
    | Annotated[RestoreEntry, Tag("#restore")],
    Discriminator(_release_form),
]


class DeviceTimeoutEntry(_Entry):
    device_timeout: Span


class HeartbeatEntry(_Entry):
    heartbeat: LocalPoint
    after: Span


def _silence_form(value: Any) -> str:
    if isinstance(value, (DeviceTimeoutEntry, HeartbeatEntry)):  # on the way out
        return f"#{next(iter(type(value).model_fields))}"
    if isinstance(value, Mapping):
        return f"#{_nearest_form(cast('Mapping[str, object]', value), ('heartbeat', 'device_timeout'))}"
    return "#word"


OnSilenceEntry: TypeAlias = Annotated[
    Annotated[Literal["none"], Tag("#word")]
    | Annotated[DeviceTimeoutEntry, Tag("#device_timeout")]
    | Annotated[HeartbeatEntry, Tag("#heartbeat")],
    Discriminator(_silence_form),
]


class EffectEntry(_Entry):
    point: LocalPoint
    within: Span
    tolerance: Annotated[float, Field(ge=0)] = 0.0


class WritableEntry(_Entry):
    """range, release and on_silence are demanded in templates.py, with all that is wrong with the point at once."""

    range: Pair | None = None
    release: ReleaseEntry | None = None
    on_silence: OnSilenceEntry | None = None
    readback: LocalPoint | None = None
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    settle: Interval = timedelta(seconds=5)
    effect: EffectEntry | None = None
    limits: LimitsEntry = Field(default_factory=LimitsEntry)
    wear: WearEntry | None = None


class PointEntry(_Entry):
    """kind, type and states are said by the class, except by points of unclassified equipment."""

    address: Mapping[str, Any]
    kind: PointKind | None = None
    type: ValueType | None = None
    states: Annotated[tuple[Label, ...], Field(min_length=1)] | None = None
    unit: Label = "none"
    plausible: Pair | None = None
    plausible_rate: Annotated[float, Field(gt=0)] | None = None
    frozen_after: Interval | None = None
    stale_after: Interval | None = None
    cov_increment: Annotated[float, Field(ge=0)] = 0.0
    urgent: bool = False
    tags: Mapping[str, str] = Field(default_factory=dict[str, str])
    writable: WritableEntry | None = None


class EquipmentHead(_Entry):
    equipment_class: Annotated[Label, Field(alias="class")]


class EquipmentEntry(EquipmentHead):
    points: Annotated[Mapping[str, PointEntry], Field(min_length=1)]


class ListedEquipmentEntry(EquipmentHead):
    points: Mapping[str, PointEntry]


class PointListFile(_Entry):
    """The rows of one device in a point list."""

    equipment: Mapping[str, ListedEquipmentEntry]


class SimulationEntry(_Entry):
    address: Mapping[str, Any]


class SimulationClockEntry(_Entry):
    nonce: SimulationEntry
    time: SimulationEntry
    speed: SimulationEntry


class TemplateHead(_Entry):
    template: TemplateName
    title: TextEntry
    source: SourceEntry | Literal["generic"]
    driver: Label
    stale_after: Interval = timedelta(seconds=30)
    simulation_clock: SimulationClockEntry | None = None


class TemplateFile(TemplateHead):
    equipment: Annotated[Mapping[str, EquipmentEntry], Field(min_length=1)]


# --- config/tariffs/<name>.yaml -------------------------------------------------------------------------------------

WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
Windows: TypeAlias = Annotated[
    tuple[
        Annotated[str, Field(pattern=f"^{WINDOW.pattern}$", description="hours like 08:00-11:30 or 22:00-06:00")], ...
    ],
    Field(min_length=1),
]
TariffPrice: TypeAlias = Price | Literal["given_by_site"]


class TariffSourceEntry(_Entry):
    document: Label
    status: SourceStatus
    note: Annotated[str, Field(max_length=1000)] = ""


class CarbonFactorEntry(_Entry):
    kg_per_kwh: Annotated[float, Field(ge=0, le=3)]
    source: TariffSourceEntry


class BandNamesEntry(_Entry):
    super_peak: TextEntry | None = None
    peak: TextEntry | None = None
    flat: TextEntry | None = None
    valley: TextEntry | None = None
    deep_valley: TextEntry | None = None


class BandWindowsEntry(_Entry):
    super_peak: Windows | None = None
    peak: Windows | None = None
    flat: Windows | None = None
    valley: Windows | None = None
    deep_valley: Windows | None = None


class DayBandsEntry(SeasonEntry):
    days: Annotated[tuple[DayType, ...], Field(min_length=1)] | Literal["all"] = "all"
    bands: BandWindowsEntry


class TariffPricesEntry(SeasonEntry):
    super_peak: TariffPrice | None = None
    peak: TariffPrice | None = None
    flat: TariffPrice | None = None
    valley: TariffPrice | None = None
    deep_valley: TariffPrice | None = None


class RatiosEntry(PricesEntry):
    """Shares of the flat price."""


class DemandChargeEntry(_Entry):
    price: Price
    interval: Annotated[Duration, _at_least(timedelta(minutes=1), "1min")] = timedelta(minutes=15)
    months: Annotated[tuple[Month, ...], Field(min_length=1)] | None = None
    bands: Annotated[tuple[Band, ...], Field(min_length=1)] | None = None


class ChargesEntry(_Entry):
    demand: Annotated[tuple[DemandChargeEntry, ...], Field(min_length=1)] | None = None
    capacity: Price | None = None


class VersionEntry(_Entry):
    first: Annotated[date, Field(alias="from")]
    until: date | None = None
    calendar: Id
    prices: Annotated[tuple[TariffPricesEntry, ...], Field(min_length=1)] | None = None
    ratios: Annotated[tuple[RatiosEntry, ...], Field(min_length=1)] | None = None
    charges: ChargesEntry | Literal["given_by_site"] | None = None
    sources: Annotated[tuple[TariffSourceEntry, ...], Field(min_length=1)]


class RateHead(_Entry):
    id: Id
    title: TextEntry
    form: Form


class RateEntry(RateHead):
    versions: Annotated[tuple[VersionEntry, ...], Field(min_length=1)]


class TariffHead(_Entry):
    tariff: Id
    title: TextEntry
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", description="a currency of ISO 4217 like CNY")]
    carbon_factor: CarbonFactorEntry | None = None
    band_names: BandNamesEntry = Field(default_factory=BandNamesEntry)
    holidays: tuple[date, ...] = ()


class TariffFile(TariffHead):
    calendars: Annotated[Mapping[str, Annotated[tuple[DayBandsEntry, ...], Field(min_length=1)]], Field(min_length=1)]
    rates: Annotated[tuple[RateEntry, ...], Field(min_length=1)]
