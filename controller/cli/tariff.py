"""tidewatt tariff SITE|FILE: bands of each season and day type as a picture, with prices, to check at a glance."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as Line

from controller.cli import words
from controller.cli.arguments import Exit, add_command, add_json, language
from controller.cli.output import print_json
from controller.cli.site_folder import config_folder, load_site
from controller.core.errors import EnvironmentProblem
from controller.core.tariff import DemandCharge, Form, Source, SourceStatus, Tariff, Version, days_in_force
from controller.core.tariff_calendar import (
    BAND_NAMES,
    MINUTES,
    YEAR,
    Band,
    Calendar,
    DayType,
    MonthDay,
    Window,
    day_type,
    month_day,
)
from controller.core.tariff_words import clock, runs, season_words, type_words
from controller.core.text import Language, Text
from controller.settings.problems import Problems, nearest
from controller.settings.tariffs import RateDraft, TariffDraft, VersionDraft, read_tariff, source_of


class Ratio(NamedTuple):
    of_flat: float


Cell: TypeAlias = "float | Ratio | None"
"""A price; or, in a file that a site completes, a ratio to its flat price, or None where it gives the price."""


_SINGLE_PART, _TWO_PART = Text("single part", "单一制"), Text("two part", "两部制")
_FROM, _UNTIL = Text("from {}", "自 {} 起"), Text("from {} to {}", "{} 至 {}")
_PRICES = Text("{} per kWh", "{}/千瓦时")
_DEMAND = Text("demand charge {} {} per kW and month ({} min; {}; {})", "需量电费 {} {}/千瓦·月（{} 分钟；{}；{}）")
_CAPACITY = Text("capacity charge {} {} per kVA and month", "容量电费 {} {}/千伏安·月")
_CHARGE_ASKED = Text("demand or capacity charge: given by the site", "需量或容量电费：由现场给出")
_ANY_HOUR = Text("any hour", "全部时段")
_CARBON = Text("{} kg CO2 per kWh", "{} 千克CO2/千瓦时")
_SOURCE = Text("source", "来源")
_SITE = Text("site", "现场")
_NOTHING = Text("nothing is in force on {}", "{} 无有效电价")
_COLUMN = 16
_STATUS = {
    SourceStatus.OFFICIAL: Text("official", "官方"),
    SourceStatus.SECONDARY: Text("SECONDARY", "二手资料"),
    SourceStatus.PROVISIONAL: Text("PROVISIONAL", "暂定"),
}


def register(commands: Any) -> None:
    parser = add_command(
        commands,
        "tariff",
        "show what electricity costs when: bands, prices and charges of a site or of a tariff file",
        "tidewatt tariff config/sites/demo --date 2026-07-06\n  tidewatt tariff config/tariffs/shanghai.yaml",
    )
    parser.add_argument("what", type=Path, metavar="SITE|FILE", help="a site's folder, or a tariff file or its name")
    parser.add_argument("--date", type=date.fromisoformat, metavar="DATE", help="one day only, like 2026-07-06")
    add_json(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    page = _page(arguments.what)
    if arguments.json:
        print_json(_as_data(page, arguments.date))
        return Exit.OK
    console = Console(highlight=False)
    for line in _told(page, arguments.date, language()):
        console.print(line, soft_wrap=True)
    return Exit.OK


# --- a site and a file as the same page -------------------------------------------------------------------------------


class _Version(NamedTuple):
    first: date
    last: date | None
    calendar: Calendar
    price: Callable[[MonthDay, Band], Cell]
    demand_charges: tuple[DemandCharge, ...]
    capacity_charge: float | None
    charges_asked: bool
    sources: tuple[Source, ...]


class _Rate(NamedTuple):
    id: str
    title: Text | None
    form: Form
    versions: tuple[_Version, ...]


class _Page(NamedTuple):
    """tariff: of a site; None for a file."""

    name: str
    title: Text
    currency: str
    carbon_factor: float | None
    carbon_source: Source | None
    names: Mapping[Band, Text]
    holidays: frozenset[date]
    rates: tuple[_Rate, ...]
    tariff: Tariff | None = None

    def band(self, band: Band) -> Text:
        return self.names.get(band, BAND_NAMES[band])


def _page(what: Path) -> _Page:
    if what.is_dir():
        tariff = load_site(what).tariff
        if tariff is None:
            raise EnvironmentProblem(f"{what} has no tariff; name one in site.yaml, like 'tariff: guangdong'")
        return _of_site(tariff)
    problems = Problems()
    draft = read_tariff(_file(what), problems)
    problems.raise_if_any()
    assert draft is not None  # whatever leaves it None is a problem
    return _of_file(draft)


def _file(what: Path) -> Path:
    """A tariff file as it is named on the command line: by its path, or like in site.yaml."""
    if what.exists() or what.suffix or len(what.parts) > 1:
        return what
    folder = config_folder() / "tariffs"
    named = folder / f"{what}.yaml"
    if not named.is_file():
        known = nearest(str(what), [each.stem for each in folder.glob("*.yaml")], "tariffs")
        raise EnvironmentProblem(f"there is no site and no tariff '{what}'; {known}")
    return named


def _of_site(tariff: Tariff) -> _Page:
    rate = _Rate(tariff.rate, None, tariff.form, tuple(_of_version(each) for each in tariff.versions))
    return _Page(
        tariff.name,
        tariff.title,
        tariff.currency,
        tariff.carbon_factor,
        None,
        tariff.names,
        tariff.holidays,
        (rate,),
        tariff,
    )


def _of_version(version: Version) -> _Version:
    return _Version(
        version.first,
        version.last,
        version.calendar,
        version.price,
        version.demand_charges,
        version.capacity_charge,
        False,
        version.sources,
    )


def _of_file(draft: TariffDraft) -> _Page:
    head = draft.head
    assert head is not None
    carbon = head.carbon_factor
    return _Page(
        head.tariff,
        head.title.text(),
        head.currency,
        None if carbon is None else carbon.kg_per_kwh,
        None if carbon is None else source_of(carbon.source),
        draft.band_names,
        frozenset(head.holidays),
        tuple(_of_rate(rate) for rate in draft.rates.values()),
    )


def _of_rate(rate: RateDraft) -> _Rate:
    return _Rate(rate.id, rate.title, rate.form, tuple(_of_draft(each) for each in rate.versions))


def _of_draft(draft: VersionDraft) -> _Version:
    def price(day: MonthDay, band: Band) -> Cell:
        known = next((each.known[band] for each in draft.seasons if day in each.days and band in each.known), None)
        return Ratio(known) if known is not None and draft.is_ratios else known

    return _Version(
        draft.entry.first,
        draft.entry.until,
        draft.calendar,
        price,
        draft.demand_charges,
        draft.capacity_charge,
        draft.charges_asked,
        draft.sources,
    )


# --- seasons ----------------------------------------------------------------------------------------------------------


class _DayRow(NamedTuple):
    """Day types that share their hours."""

    types: frozenset[DayType]
    windows: tuple[Window, ...]


class _Season(NamedTuple):
    """Days on which everything is the same."""

    days: frozenset[MonthDay]
    rows: tuple[_DayRow, ...]
    prices: Mapping[Band, Cell]


def _seasons(version: _Version) -> list[_Season]:
    grouped: dict[tuple[Any, ...], list[MonthDay]] = {}
    in_force = days_in_force(version.first, version.last)
    for day in (each for each in YEAR if each in in_force):
        windows = tuple(version.calendar.windows(day, type_) for type_ in DayType)
        used = {window.band for each in windows for window in each}
        prices = tuple((band, version.price(day, band)) for band in Band if band in used)
        grouped.setdefault((windows, prices), []).append(day)
    return [_Season(frozenset(days), _rows(windows), dict(prices)) for (windows, prices), days in grouped.items()]


def _rows(windows: tuple[tuple[Window, ...], ...]) -> tuple[_DayRow, ...]:
    types: dict[tuple[Window, ...], set[DayType]] = {}
    for type_, each in zip(DayType, windows, strict=True):
        types.setdefault(each, set()).add(type_)
    return tuple(_DayRow(frozenset(of), each) for each, of in types.items())


def _in_force(rate: _Rate, day: date | None) -> list[_Version]:
    if day is None:
        return list(rate.versions)
    return [each for each in rate.versions if each.first <= day and (each.last is None or day <= each.last)]


# --- for people -------------------------------------------------------------------------------------------------------


def _told(page: _Page, day: date | None, language: Language) -> Iterator[Line]:
    yield Line(f"{page.title.in_language(language)} ({page.name})", style="bold")
    if page.carbon_factor is not None:
        yield Line(_CARBON.in_language(language).format(page.carbon_factor))
    if page.carbon_source is not None:
        yield _source_line(page.carbon_source, language)
    for rate in page.rates:
        versions = _in_force(rate, day)
        if not versions:
            yield Line()
            yield Line(f"{_heading(page, rate, language)}: {_NOTHING.in_language(language).format(day)}")
        for version in versions:
            yield Line()
            yield Line(f"{_heading(page, rate, language)}, {_dates(version, language)}", style="bold")
            yield from _day(page, version, day, language) if day else _year(page, version, language)
            yield from _charges(page, version, language)
            for source in version.sources:
                yield _source_line(source, language)


def _heading(page: _Page, rate: _Rate, language: Language) -> str:
    form = (_SINGLE_PART if rate.form is Form.SINGLE_PART else _TWO_PART).in_language(language)
    title = "" if rate.title is None else f"{rate.title.in_language(language)}: "
    return f"{title}{form} ({rate.id}), {_PRICES.in_language(language).format(page.currency)}"


def _dates(version: _Version, language: Language) -> str:
    if version.last is None:
        return _FROM.in_language(language).format(version.first)
    return _UNTIL.in_language(language).format(version.first, version.last)


def _source_line(source: Source, language: Language) -> Line:
    told = f"{_SOURCE.in_language(language)}: {source.document} ({_STATUS[source.status].in_language(language)})"
    style = "dim" if source.status is SourceStatus.OFFICIAL else "yellow"
    return Line(f"  {told}" + (f"; {source.note}" if source.note else ""), style=style)


def _year(page: _Page, version: _Version, language: Language) -> Iterator[Line]:
    seasons = _seasons(version)
    labels = [
        (f"  {season_words(each.days).in_language(language)}", type_words(row.types).in_language(language))
        for each in seasons
        for row in each.rows
    ]
    rows = [row for each in seasons for row in each.rows]
    widths = [max(cell_len(label[column]) for label in labels) + 2 for column in (0, 1)]
    step = _step([row.windows for row in rows])
    yield Line(" " * sum(widths) + _ruler(step), style="dim")
    for label, row in zip(labels, rows, strict=True):
        line = Line("".join(words.padded(text, width) for text, width in zip(label, widths, strict=True)))
        yield line.append_text(_picture(row.windows, step))
    yield from _price_table(page, seasons, widths[0], language)


def _step(days: list[tuple[Window, ...]]) -> int:
    """Minutes a character: half an hour unless an edge lies elsewhere."""
    return 30 if all(window.start % 30 == 0 for windows in days for window in windows) else 15


def _ruler(step: int) -> str:
    """0     3     6 ... 24 above the characters."""
    return "".join(str(hour).ljust(180 // step) for hour in range(0, 24, 3)) + "24"


def _picture(windows: tuple[Window, ...], step: int) -> Line:
    """24 hours in one line."""
    line = Line()
    for minute in range(0, MINUTES, step):
        band = next(window.band for window in windows if minute < window.end)
        line.append(*words.BAND_SIGNS[band])
    return line


def _price_table(page: _Page, seasons: list[_Season], width: int, language: Language) -> Iterator[Line]:
    bands = [band for band in Band if any(band in season.prices for season in seasons)]
    heads = [f"{words.BAND_SIGNS[band][0]} {page.band(band).in_language(language)}" for band in bands]
    line = Line(" " * width)
    for band, head in zip(bands, heads, strict=True):
        line.append(words.padded(head, _COLUMN), style=words.BAND_SIGNS[band][1])
    line.rstrip()
    yield line
    # Seasons may differ in hours and not in prices; each still has its line, under the picture's label.
    for season in seasons:
        label = words.padded(f"  {season_words(season.days).in_language(language)}", width)
        cells = [_cell(season.prices[band], language) if band in season.prices else "—" for band in bands]
        yield Line(label + "".join(words.padded(cell, _COLUMN) for cell in cells).rstrip())


def _cell(price: Cell, language: Language) -> str:
    if price is None:
        return _SITE.in_language(language)
    return f"×{price.of_flat:g}" if isinstance(price, Ratio) else f"{price:.4f}"


def _day(page: _Page, version: _Version, day: date, language: Language) -> Iterator[Line]:
    type_ = day_type(day, page.holidays)
    windows = version.calendar.windows(month_day(day), type_)
    step = _step([windows])
    label = f"  {day} {type_words({type_}).in_language(language)}  "
    yield Line(" " * cell_len(label) + _ruler(step), style="dim")
    yield Line(label).append_text(_picture(windows, step))
    for when, band, price in _hours_of(page, version, day):
        name = words.padded(page.band(band).in_language(language), _COLUMN)
        yield (
            Line(f"  {when}  ")
            .append(f"{words.BAND_SIGNS[band][0]} {name}", style=words.BAND_SIGNS[band][1])
            .append(_cell(price, language))
        )


def _hours_of(page: _Page, version: _Version, day: date) -> list[tuple[str, Band, Cell]]:
    """From and to, band and price. A site has a time zone: on the days when its clock is changed, with the offset."""
    if page.tariff is None:
        windows = version.calendar.windows(month_day(day), day_type(day, page.holidays))
        return [
            (f"{clock(each.start)}-{clock(each.end)}", each.band, version.price(month_day(day), each.band))
            for each in windows
        ]
    stretches = page.tariff.bands_of_day(day)
    local = [(each.start.astimezone(page.tariff.zone), each.end.astimezone(page.tariff.zone)) for each in stretches]
    form = "%H:%M" if local[0][0].utcoffset() == local[-1][1].utcoffset() else "%H:%M%z"
    return [
        (f"{start:{form}}-{_end(end, day, form)}", stretch.band, stretch.price)
        for (start, end), stretch in zip(local, stretches, strict=True)
    ]


def _end(end: datetime, day: date, form: str) -> str:
    told = f"{end:{form}}"
    return told if end.date() == day else told.replace("00:00", "24:00", 1)


def _charges(page: _Page, version: _Version, language: Language) -> Iterator[Line]:
    for charge in version.demand_charges:
        months = season_words([day for day in YEAR if day.month in charge.months]).in_language(language)
        bands = _ANY_HOUR.in_language(language)
        if charge.bands != frozenset(Band):
            bands = ", ".join(page.band(band).in_language(language) for band in Band if band in charge.bands)
        minutes = f"{charge.interval.total_seconds() / 60:g}"
        told = _DEMAND.in_language(language).format(f"{charge.price:g}", page.currency, minutes, months, bands)
        yield Line(f"  {told}")
    if version.capacity_charge is not None:
        yield Line("  " + _CAPACITY.in_language(language).format(f"{version.capacity_charge:g}", page.currency))
    if version.charges_asked:
        yield Line("  " + _CHARGE_ASKED.in_language(language))


# --- for scripts ------------------------------------------------------------------------------------------------------


def _as_data(page: _Page, day: date | None) -> dict[str, Any]:
    data: dict[str, Any] = {
        "tariff": page.name,
        "title": page.title._asdict(),
        "currency": page.currency,
        "carbon_kg_per_kwh": page.carbon_factor,
        "rates": [
            {
                "rate": rate.id,
                "form": rate.form.value,
                "versions": [_version_data(each) for each in _in_force(rate, day)],
            }
            for rate in page.rates
        ],
    }
    if day is not None:
        data |= {"date": day.isoformat(), "day_type": day_type(day, page.holidays).value}
    if day is not None and page.tariff is not None:
        zone = page.tariff.zone
        data["bands"] = [
            {
                "start": each.start.astimezone(zone).isoformat(),
                "end": each.end.astimezone(zone).isoformat(),
                "band": each.band.value,
                "price": each.price,
            }
            for each in page.tariff.bands_of_day(day)
        ]
    return data


def _version_data(version: _Version) -> dict[str, Any]:
    return {
        "from": version.first.isoformat(),
        "until": None if version.last is None else version.last.isoformat(),
        "seasons": [_season_data(each) for each in _seasons(version)],
        "demand_charges": [
            {
                "price": each.price,
                "interval_s": each.interval.total_seconds(),
                "months": sorted(each.months),
                "bands": [band.value for band in Band if band in each.bands],
            }
            for each in version.demand_charges
        ],
        "capacity_charge": version.capacity_charge,
        "sources": [
            {"document": each.document, "status": each.status.value, "note": each.note} for each in version.sources
        ],
    }


def _season_data(season: _Season) -> dict[str, Any]:
    """A price: a number, {"ratio": 1.7} of the flat price, or null where the site gives it."""
    return {
        "dates": [[f"{day.month:02d}-{day.day:02d}" for day in run] for run in runs(set(season.days))],
        "days": [
            {
                "types": [type_.value for type_ in DayType if type_ in row.types],
                "windows": [
                    {"from": clock(each.start), "to": clock(each.end), "band": each.band.value} for each in row.windows
                ],
            }
            for row in season.rows
        ],
        "prices": {
            band.value: {"ratio": price.of_flat} if isinstance(price, Ratio) else price
            for band, price in season.prices.items()
        },
    }
