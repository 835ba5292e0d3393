"""A tariff file and a site that names it: what they become, and every kind of bad input with its place and advice."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from controller.core.tariff import DemandCharge, Form, Source, SourceStatus, Tariff
from controller.core.tariff_calendar import Band
from controller.core.text import Text
from tests.unit.settings.conftest import Edit, Told, compiled

SHENZHEN = ZoneInfo("Asia/Shanghai")

# A file with one of everything. Line 1 is the first below.
FILE = """\
tariff: test
title: {en: Test, zh: 测试}
currency: CNY
carbon_factor: {kg_per_kwh: 0.44, source: {document: Gazette 7, status: official}}
band_names: {flat: {en: part-peak, zh: 次高峰}}
holidays: [2026-10-01]
calendars:
  seasons:
    - dates: [05-16 to 10-15]
      days: [weekday]
      bands:
        valley: [22:00-06:00]
        flat: [06:00-12:00, 14:00-22:00]
        peak: [12:00-14:00]
    - dates: [05-16 to 10-15]
      days: [weekend, holiday]
      bands: {valley: [00:00-24:00]}
    - dates: [10-16 to 05-15]
      bands:
        valley: [22:00-06:00]
        flat: [06:00-22:00]
rates:
  - id: ratios
    title: {en: Ratios, zh: 系数}
    form: single_part
    versions:
      - from: 2026-01-01
        calendar: seasons
        ratios: [{peak: 1.5, flat: 1, valley: 0.5}]
        sources: [{document: Gazette 8, status: official}]
  - id: prices
    title: {en: Prices, zh: 电价}
    form: two_part
    versions:
      - from: 2026-01-01
        until: 2026-06-30
        calendar: seasons
        prices: [{peak: 1.2, flat: 0.8, valley: 0.3}]
        charges: {demand: [{price: 36.1}], capacity: 22.6}
        sources: [{document: Gazette 8, status: official}]
      - from: 2026-07-01
        until: 2026-12-31
        calendar: seasons
        prices:
          - {dates: [05-16 to 10-15], peak: 1.3, flat: 0.9, valley: 0.4}
          - {dates: [10-16 to 05-15], flat: 0.7, valley: 0.2}
        charges: {demand: [{price: 40, interval: 30min, months: [7, 8], bands: [peak]}], capacity: 25}
        sources: [{document: Gazette 9, status: provisional, note: not yet printed}]
  - id: asking
    title: {en: Asking, zh: 待定}
    form: two_part
    versions:
      - from: 2026-01-01
        calendar: seasons
        prices: [{peak: 1.2, flat: given_by_site, valley: given_by_site}]
        charges: given_by_site
        sources: [{document: Gazette 8, status: secondary}]
"""


class Case(NamedTuple):
    name: str
    instead_of: str
    write: str
    told: list[str]


def cases(table: list[tuple[str, str, str, list[str]]]) -> list[Case]:
    return [Case(*row) for row in table]


@pytest.fixture
def with_tariff(site: Path) -> Path:
    """The small site; its tariff file is there."""
    (site / "tariffs").mkdir()
    (site / "tariffs" / "test.yaml").write_text(FILE, encoding="utf-8")
    return site


def name_it(site: Path, said: str) -> None:
    with (site / "site.yaml").open("a", encoding="utf-8") as file:
        file.write(f"tariff: {said}\n")


def of(site: Path, said: str) -> Tariff:
    name_it(site, said)
    tariff = compiled(site).tariff
    assert tariff is not None
    return tariff


def at(told: str) -> datetime:
    return datetime.fromisoformat(told).replace(tzinfo=SHENZHEN)


# --- what becomes of it -----------------------------------------------------------------------------------------------


def test_a_site_need_not_have_one(site: Path) -> None:
    assert compiled(site).tariff is None


def test_ratios_multiply_the_flat_price_and_not_what_is_added(with_tariff: Path) -> None:
    tariff = of(with_tariff, "{file: test, rate: ratios, flat_price: 0.6, added_price: 0.05}")
    assert (tariff.name, tariff.title, tariff.rate) == ("test", Text("Test", "测试"), "ratios")
    assert (tariff.currency, tariff.form, tariff.zone) == ("CNY", Form.SINGLE_PART, SHENZHEN)
    assert tariff.carbon_factor == 0.44
    assert tariff.band_name(Band.FLAT) == Text("part-peak", "次高峰")
    assert tariff.band_name(Band.PEAK) == Text("peak", "高峰")
    assert tariff.price_at(at("2026-07-06T12:00")) == pytest.approx(0.95)
    assert tariff.price_at(at("2026-07-06T22:00")) == pytest.approx(0.35)
    assert tariff.band_at(at("2026-10-01T12:00")) is Band.VALLEY, "a Thursday, and a holiday"
    assert tariff.ends_on() is None


@pytest.mark.parametrize("kind, demand, capacity", [("demand", 36.1, None), ("capacity", None, 22.6)])
def test_two_parts_by_demand_or_by_capacity(
    kind: str, demand: float | None, capacity: float | None, with_tariff: Path
) -> None:
    tariff = of(with_tariff, f"{{file: test, rate: prices, basic_charge: {kind}}}")
    first, second = tariff.versions
    assert [each.price for each in first.demand_charges] == ([] if demand is None else [demand])
    assert first.capacity_charge == capacity
    assert (first.first, first.last) == (date(2026, 1, 1), date(2026, 6, 30))
    assert second.sources == (Source("Gazette 9", SourceStatus.PROVISIONAL, "not yet printed"),)
    assert tariff.price_at(at("2026-06-30T12:00")) == 1.2
    assert tariff.price_at(at("2026-07-01T12:00")) == 1.3
    assert tariff.price_at(at("2026-11-02T12:00")) == 0.7
    assert tariff.ends_on() == date(2026, 12, 31)
    assert tariff.ends_within(date(2026, 12, 15), timedelta(days=30))


def test_a_demand_charge_says_where_it_counts(with_tariff: Path) -> None:
    charge = of(with_tariff, "{file: test, rate: prices, demand_price: 41}").versions[1].demand_charges[0]
    assert charge == DemandCharge(41, timedelta(minutes=30), frozenset({7, 8}), frozenset({Band.PEAK}))


def test_a_site_gives_what_is_asked(with_tariff: Path) -> None:
    own = "[{dates: [05-16 to 10-15], flat: 0.8, valley: 0.3}, {dates: [10-16 to 05-15], flat: 0.7, valley: 0.2}]"
    tariff = of(with_tariff, f"{{file: test, rate: asking, capacity_price: 25.5, prices: {own}}}")
    assert [tariff.price_at(at(f"2026-07-06T{hour}:00")) for hour in ("05", "08", "12")] == [0.3, 0.8, 1.2]
    assert tariff.price_at(at("2026-01-06T08:00")) == 0.7
    assert tariff.versions[0].capacity_charge == 25.5


@pytest.mark.parametrize("place", ["ours/test.yaml", "test.yaml"])
def test_a_tariff_of_the_sites_own(place: str, with_tariff: Path) -> None:
    (with_tariff / place).parent.mkdir(exist_ok=True)
    (with_tariff / "tariffs" / "test.yaml").rename(with_tariff / place)
    assert of(with_tariff, f"{{file: {place}, rate: ratios, flat_price: 0.6}}").name == "test"


def test_a_file_with_one_rate_needs_no_more_than_its_name(with_tariff: Path) -> None:
    file = with_tariff / "tariffs" / "test.yaml"
    text = FILE.partition("  - id: prices")[0].replace("ratios: [{peak", "prices: [{peak")
    file.write_text(text, encoding="utf-8")
    assert of(with_tariff, "test").price_at(at("2026-07-06T12:00")) == 1.5


def test_the_digest_tells_a_tariff_that_has_changed(with_tariff: Path) -> None:
    name_it(with_tariff, "{file: test, rate: ratios, flat_price: 0.6}")
    before = compiled(with_tariff).digest
    file = with_tariff / "tariffs" / "test.yaml"
    file.write_text(FILE.replace("peak: 1.5", "peak: 1.6"), encoding="utf-8")
    assert compiled(with_tariff).digest != before


# --- bad files --------------------------------------------------------------------------------------------------------

BAD_FILES = cases(
    [
        (
            "a gap",
            "peak: [12:00-14:00]",
            "peak: [12:00-13:00]",
            ["11: no band from 13:00 to 14:00 (weekdays, 16 May to 15 October); give these hours to a band"],
        ),
        (
            "an overlap",
            "peak: [12:00-14:00]",
            "peak: [12:00-14:30]",
            [
                "13: two bands, peak and flat, from 14:00 to 14:30 (weekdays, 16 May to 15 October); "
                "leave these hours to one of them"
            ],
        ),
        (
            "an hour twice in one band",
            "[06:00-12:00, 14:00-22:00]",
            "[06:00-12:00, 11:00-12:00, 14:00-22:00]",
            [
                "13: flat is said twice from 11:00 to 12:00 (weekdays, 16 May to 15 October); "
                "leave these hours to one of them"
            ],
        ),
        (
            "a day without bands",
            "10-16 to 05-15]\n      bands",
            "10-18 to 02-28, 03-01 to 05-15]\n      bands",
            [
                "8: nothing is said about every day, 29 February and 16 October to 17 October; "
                "add an entry for these days"
            ],
        ),
        (
            "a day type without bands",
            "days: [weekend, holiday]",
            "days: [holiday]",
            ["8: nothing is said about weekends, 16 May to 15 October; add an entry for these days"],
        ),
        (
            "seasons that overlap",
            "10-16 to 05-15]\n      bands",
            "10-15 to 05-15]\n      bands",
            [
                "18: weekdays, 15 October, have an entry already, on line 9; leave these days to one of them",
                "18: weekends and holidays, 15 October, have an entry already, on line 15; "
                "leave these days to one of them",
            ],
        ),
        (
            "holidays that nobody lists",
            "holidays: [2026-10-01]\n",
            "",
            ["15: the days speak of holidays and the tariff lists none; add 'holidays'"],
        ),
        (
            "an empty window",
            "[00:00-24:00]",
            "[08:00-08:00]",
            ["17: the window 08:00-08:00 is empty; write 00:00-24:00 for the whole day"],
        ),
        (
            "no hours",
            "[00:00-24:00]",
            "[0-24]",
            ["17: item 1 of 'valley' is the text '0-24'; write hours like 08:00-11:30 or 22:00-06:00"],
        ),
        (
            "a band that does not exist",
            "        peak: [12:00-14:00]",
            "        peek: [12:00-14:00]",
            ["14: the key 'peek' is unknown; did you mean 'peak'?"],
        ),
        (
            "a day that does not exist",
            "dates: [05-16 to 10-15]\n      days: [weekday]",
            "dates: [02-30 to 10-15]\n      days: [weekday]",
            ["9: there is no day 02-30; write month and day like 05-16 to 10-15"],
        ),
        (
            "months and dates",
            "- dates: [10-16 to 05-15]\n      bands",
            "- {dates: [10-16 to 05-15], months: [1], bands: {flat: [00:00-24:00]}}\n    - bands",
            ["18: 'months' and 'dates' are both said; keep one of them"],
        ),
        ("a month that does not exist", "months: [7, 8]", "months: [7, 13]", ["47: item 2 of 'months' is 13; write "]),
        (
            "a negative price",
            "valley: 0.3}]",
            "valley: -0.3}]",
            ["38: 'valley' is -0.3; write a number from 0 to 100000"],
        ),
        (
            "a negative charge",
            "capacity: 22.6",
            "capacity: -22.6",
            ["39: 'capacity' is -22.6; write a number from 0 to"],
        ),
        (
            "a band without a price",
            "prices: [{peak: 1.2, flat: 0.8, valley: 0.3}]",
            "prices: [{flat: 0.8, valley: 0.3}]",
            ["38: peak has no price (16 May to 30 June); add its price"],
        ),
        (
            "a band without a ratio",
            "{peak: 1.5, flat: 1, valley: 0.5}",
            "{peak: 1.5, flat: 1}",
            ["29: valley has no ratio (all year); add its ratio"],
        ),
        (
            "two prices of a band",
            "{dates: [10-16 to 05-15], flat: 0.7",
            "{dates: [10-01 to 05-15], flat: 0.7",
            [
                "46: flat has a second price here (1 October to 15 October); keep one of them",
                "46: valley has a second price here (1 October to 15 October); keep one of them",
            ],
        ),
        (
            "neither prices nor ratios",
            "        ratios: [{peak: 1.5, flat: 1, valley: 0.5}]\n",
            "",
            ["27: neither 'prices' nor 'ratios' is said; give prices per kWh, or ratios to the flat price of the site"],
        ),
        (
            "a single part with a charge",
            "ratios: [{peak: 1.5, flat: 1, valley: 0.5}]",
            "ratios: [{peak: 1.5, flat: 1, valley: 0.5}]\n        charges: {capacity: 20}",
            ["30: single-part prices stand beside a charge for demand or capacity; remove 'charges', or say two_part"],
        ),
        (
            "two parts without a charge",
            "        charges: {demand: [{price: 36.1}], capacity: 22.6}\n",
            "",
            [
                "35: two-part prices stand without a charge for demand or capacity; "
                "add 'charges' (or 'charges: given_by_site'), or say single_part"
            ],
        ),
        (
            "charges that are none",
            "charges: {demand: [{price: 36.1}], capacity: 22.6}",
            "charges: {}",
            ["39: 'charges' names none; give 'demand' or 'capacity'"],
        ),
        (
            "a gap between versions",
            "from: 2026-07-01",
            "from: 2026-07-03",
            [
                "41: no version is in force from 2026-07-01 to 2026-07-02; leave out 'until: 2026-06-30' above, "
                "or mend one of the two dates"
            ],
        ),
        (
            "two versions at once",
            "from: 2026-07-01",
            "from: 2026-06-30",
            [
                "41: two versions are in force from 2026-06-30 to 2026-06-30; leave out 'until: 2026-06-30' above, "
                "or mend one of the two dates"
            ],
        ),
        (
            "versions in the wrong order",
            "from: 2026-07-01",
            "from: 2025-07-01",
            [
                "41: this version begins on 2025-07-01, not after the one before it (2026-01-01); "
                "put the versions in the order of their dates"
            ],
        ),
        (
            "a version that ends before it begins",
            "until: 2026-12-31",
            "until: 2026-06-15",
            ["42: it ends on 2026-06-15, before it begins; write its last day"],
        ),
        (
            "no date",
            "until: 2026-12-31",
            "until: 2026-13-31",
            ["42: 'until' is the text '2026-13-31'; write a date like 2026-05-01"],
        ),
        (
            "a calendar that does not exist",
            "calendar: seasons\n        ratios",
            "calendar: season\n        ratios",
            ["28: there is no calendar 'season'; did you mean 'seasons'?"],
        ),
        (
            "a rate twice",
            "id: asking",
            "id: ratios",
            ["49: the rate 'ratios' is there already, on line 23; give one another id"],
        ),
        ("another name", "tariff: test", "tariff: other", ["1: the tariff calls itself 'other'; its file says 'test'"]),
        (
            "an unknown key",
            "currency: CNY",
            "curency: CNY",
            ["3: the key 'curency' is unknown; did you mean 'currency'?"],
        ),
        ("no currency", "currency: CNY", "currency: yuan", ["3: 'currency' is the text 'yuan'; write a currency of"]),
        (
            "no source",
            "        sources: [{document: Gazette 8, status: secondary}]\n",
            "",
            ["53: 'sources' is missing; add it: a list of at least 1"],
        ),
    ]
)


@pytest.mark.parametrize("case", BAD_FILES, ids=[case.name for case in BAD_FILES])
def test_a_bad_file(case: Case, with_tariff: Path, told: Told) -> None:
    name_it(with_tariff, "{file: test, rate: ratios, flat_price: 0.6}")
    assert case.instead_of in FILE
    text = FILE.replace(case.instead_of, case.write, 1)
    (with_tariff / "tariffs" / "test.yaml").write_text(text, encoding="utf-8")
    expected = [f"tariffs/test.yaml:{each}" for each in case.told]
    found = told()
    assert len(found) == len(expected), found
    assert all(each.startswith(start) for each, start in zip(found, expected, strict=True)), found


@pytest.mark.parametrize("said", ["5", "[test]", "{}", "{file: [1]}", "{file: test, prices: 3}", "true", "!env SECRET"])
def test_what_is_no_tariff_at_all_is_one_problem(said: str, with_tariff: Path, told: Told) -> None:
    name_it(with_tariff, said)
    assert len(told()) == 1


@pytest.mark.parametrize(
    "old, new",
    [
        ("calendars:\n", "calendars: 5\nx:\n"),
        ("rates:\n", "rates: {}\nx:\n"),
        ("      days: [weekday]\n", "      days: weekday\n"),
        ("until: 2026-06-30", "until: 9999-12-31"),
        ("from: 2026-01-01", "from: 0001-01-01"),
        ("tariff: test\n", ""),
    ],
)
def test_odd_files_are_told_and_break_nothing(old: str, new: str, with_tariff: Path, told: Told) -> None:
    name_it(with_tariff, "{file: test, rate: prices, basic_charge: demand}")
    assert old in FILE
    (with_tariff / "tariffs" / "test.yaml").write_text(FILE.replace(old, new, 1), encoding="utf-8")
    assert all(": " in each and "; " in each for each in told())


def test_everything_wrong_with_a_file_is_told_at_once(with_tariff: Path, told: Told) -> None:
    name_it(with_tariff, "{file: test, rate: ratios, flat_price: 0.6}")
    text = FILE.replace("peak: [12:00-14:00]", "peak: [12:00-13:00]").replace("valley: 0.3}]", "valley: -0.3}]")
    text = text.replace("currency: CNY", "curency: CNY").replace("until: 2026-12-31", "until: 2026-13-31")
    (with_tariff / "tariffs" / "test.yaml").write_text(text, encoding="utf-8")
    assert [each.split(": ")[0] for each in told()] == [f"tariffs/test.yaml:{line}" for line in (3, 11, 38, 42)]


# --- sites that name it badly -----------------------------------------------------------------------------------------

OWN = "prices: [{flat: 0.8, valley: 0.3}]"
BAD_SITES: list[tuple[str, str, list[str]]] = [
    ("no such tariff", "tset", ["there is no tariff 'tset'; did you mean 'test'?"]),
    (
        "no such file",
        "tariffs/tset.yaml",
        ["there is no tariff 'tariffs/tset.yaml'; its path begins at the site folder"],
    ),
    (
        "outside the folder",
        "../test.yaml",
        ["'../test.yaml' lies outside the site folder; name a file inside it"],
    ),
    (
        "no name",
        "Test File",
        [
            "'tariff' is the text 'Test File'; write a file of config/tariffs like guangdong, or one in the site "
            "folder like tariffs/ours.yaml or a mapping with file"
        ],
    ),
    ("no rate", "test", ["'rate' is missing; add it: one of asking, prices, ratios"]),
    ("no such rate", "{file: test, rate: ratio}", ["the tariff has no rate 'ratio'; did you mean 'ratios'?"]),
    (
        "no flat price",
        "{file: test, rate: ratios}",
        [
            "the rate 'ratios' is known as ratios to a flat price only; "
            "add flat_price: the price per kWh that the ratios multiply"
        ],
    ),
    (
        "a flat price to no ratios",
        "{file: test, rate: prices, basic_charge: demand, flat_price: 0.6, added_price: 0.1}",
        [
            "the rate 'prices' has prices, no ratios; remove 'added_price'",
            "the rate 'prices' has prices, no ratios; remove 'flat_price'",
        ],
    ),
    (
        "a negative price",
        "{file: test, rate: ratios, flat_price: -1}",
        ["'flat_price' is -1; write a number from 0 to 100000"],
    ),
    (
        "an unknown key",
        "{file: test, rate: ratios, flatprice: 1}",
        ["the key 'flatprice' is unknown; did you mean 'flat_price'?"],
    ),
    (
        "a single part with a charge",
        "{file: test, rate: ratios, flat_price: 0.6, demand_price: 40, basic_charge: demand}",
        [
            "the rate 'ratios' is single-part: it has no charge for demand or capacity; "
            "remove 'basic_charge', or name a two-part rate",
            "the rate 'ratios' is single-part: it has no charge for demand or capacity; "
            "remove 'demand_price', or name a two-part rate",
        ],
    ),
    (
        "two parts, nothing chosen",
        "{file: test, rate: prices}",
        ["the rate 'prices' is charged by demand or by capacity; say basic_charge: demand or basic_charge: capacity"],
    ),
    (
        "two parts, both given",
        "{file: test, rate: prices, demand_price: 1, capacity_price: 2}",
        ["the rate 'prices' is charged by demand or by capacity; say basic_charge: demand or basic_charge: capacity"],
    ),
    (
        "two parts, one chosen and the other given",
        "{file: test, rate: prices, basic_charge: demand, capacity_price: 2}",
        ["'capacity_price' is given and the basic charge is that for demand; keep one of them"],
    ),
    (
        "two parts, nothing given",
        f"{{file: test, rate: asking, {OWN}}}",
        [
            "the rate 'asking' is two-part and its charge is left to the site; "
            "add demand_price (per kW and month) or capacity_price (per kVA and month)"
        ],
    ),
    (
        "two parts, chosen and not given",
        f"{{file: test, rate: asking, basic_charge: capacity, {OWN}}}",
        ["the rate 'asking' leaves the price for capacity to the site; add capacity_price"],
    ),
    (
        "prices that are asked for",
        "{file: test, rate: asking, demand_price: 40, prices: [{flat: 0.8}, {months: [1], valley: 0.2}]}",
        ["the price of valley (February to December) is left to the site; add it under 'prices'"],
    ),
    (
        "prices that nobody asks for",
        "{file: test, rate: asking, demand_price: 40, prices: [{flat: 0.8, valley: 0.2, peak: 1}]}",
        ["the rate 'asking' does not ask for a price of peak on these days; remove it: the tariff has it"],
    ),
    (
        "two prices",
        "{file: test, rate: asking, demand_price: 40, prices: [{flat: 0.8, valley: 0.2}, {months: [1], flat: 1}]}",
        ["flat has a second price here (January); keep one of them"],
    ),
]


@pytest.mark.parametrize("said, expected", [row[1:] for row in BAD_SITES], ids=[row[0] for row in BAD_SITES])
def test_a_bad_site(said: str, expected: list[str], with_tariff: Path, told: Told) -> None:
    line = len((with_tariff / "site.yaml").read_text(encoding="utf-8").splitlines()) + 1
    name_it(with_tariff, said)
    assert sorted(told()) == [f"site.yaml:{line}: {each}" for each in expected]


def test_a_defective_site_hides_nothing_in_its_tariff(with_tariff: Path, edit: Edit, told: Told) -> None:
    edit("site.yaml", "Asia/Shanghai", "Asia/Shanghi")
    edit("site.yaml", "scan_every:", "scan_evry:")
    edit("tariffs/test.yaml", "peak: [12:00-14:00]", "peak: [12:00-13:00]")
    name_it(with_tariff, "{file: test, rate: ratios, flat_price: 0.6}")
    assert [each.split(": ")[0] for each in told()] == ["site.yaml:4", "site.yaml:5", "tariffs/test.yaml:11"]


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_example_of_the_page_is_a_tariff(site: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "tariffs.md").read_text(encoding="utf-8")
    name, content = re.findall(r"```yaml\n# file: (\S+)\n(.*?)```", page, re.DOTALL)[0]
    (site / "tariffs").mkdir()
    (site / name).write_text(content, encoding="utf-8")
    tariff = of(site, "{file: example, basic_charge: capacity}")
    assert tariff.price_at(at("2026-07-06T11:00")) == 1.3
    assert tariff.versions[1].capacity_charge == 24
    assert tariff.ends_on() == date(2026, 12, 31)
