"""config/tariffs/<name>.yaml as it may be written, and what a site says of its tariff."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from controller.core.tariff import Form, SourceStatus
from controller.core.tariff_calendar import Band, DayType
from controller.settings.schema.words import WORD, Duration, Entry, Id, Label, TextEntry, at_least

GIVEN_BY_SITE = "given_by_site"
"""What stands in a tariff file for a price that each site has of its own."""

TARIFF_NAME = re.compile(WORD)
TariffName: TypeAlias = Annotated[
    str,
    Field(
        pattern=rf"^({WORD}|[^/].*\.yaml)$",
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


class SeasonEntry(Entry):
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


class SiteTariffEntry(Entry):
    file: TariffName
    rate: Id | None = None
    flat_price: Price | None = None
    added_price: Price = 0.0
    prices: tuple[PricesEntry, ...] = ()
    basic_charge: Literal["demand", "capacity"] | None = None
    demand_price: Price | None = None
    capacity_price: Price | None = None


WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
Windows: TypeAlias = Annotated[
    tuple[
        Annotated[str, Field(pattern=f"^{WINDOW.pattern}$", description="hours like 08:00-11:30 or 22:00-06:00")], ...
    ],
    Field(min_length=1),
]
TariffPrice: TypeAlias = Price | Literal["given_by_site"]


class TariffSourceEntry(Entry):
    document: Label
    status: SourceStatus
    note: Annotated[str, Field(max_length=1000)] = ""


class CarbonFactorEntry(Entry):
    kg_per_kwh: Annotated[float, Field(ge=0, le=3)]
    source: TariffSourceEntry


class BandNamesEntry(Entry):
    super_peak: TextEntry | None = None
    peak: TextEntry | None = None
    flat: TextEntry | None = None
    valley: TextEntry | None = None
    deep_valley: TextEntry | None = None


class BandWindowsEntry(Entry):
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


class DemandChargeEntry(Entry):
    price: Price
    interval: Annotated[Duration, at_least(timedelta(minutes=1), "1min")] = timedelta(minutes=15)
    months: Annotated[tuple[Month, ...], Field(min_length=1)] | None = None
    bands: Annotated[tuple[Band, ...], Field(min_length=1)] | None = None


class ChargesEntry(Entry):
    demand: Annotated[tuple[DemandChargeEntry, ...], Field(min_length=1)] | None = None
    capacity: Price | None = None


class VersionEntry(Entry):
    first: Annotated[date, Field(alias="from")]
    until: date | None = None
    calendar: Id
    prices: Annotated[tuple[TariffPricesEntry, ...], Field(min_length=1)] | None = None
    ratios: Annotated[tuple[RatiosEntry, ...], Field(min_length=1)] | None = None
    charges: ChargesEntry | Literal["given_by_site"] | None = None
    sources: Annotated[tuple[TariffSourceEntry, ...], Field(min_length=1)]


class RateHead(Entry):
    id: Id
    title: TextEntry
    form: Form


class RateEntry(RateHead):
    versions: Annotated[tuple[VersionEntry, ...], Field(min_length=1)]


class TariffHead(Entry):
    tariff: Id
    title: TextEntry
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", description="a currency of ISO 4217 like CNY")]
    carbon_factor: CarbonFactorEntry | None = None
    band_names: BandNamesEntry = Field(default_factory=BandNamesEntry)
    holidays: tuple[date, ...] = ()


class TariffFile(TariffHead):
    calendars: Annotated[Mapping[str, Annotated[tuple[DayBandsEntry, ...], Field(min_length=1)]], Field(min_length=1)]
    rates: Annotated[tuple[RateEntry, ...], Field(min_length=1)]
