"""The tariff of a site: which file and rate it names, and the prices that it brings along."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from controller.core.tariff import DemandCharge, Form, SeasonPrices, Tariff, Version, missing_prices
from controller.core.tariff_words import season_words
from controller.settings.document import Where
from controller.settings.problems import Problems, nearest, shown
from controller.settings.reading import Reading
from controller.settings.schema.scenarios import ScenarioFile
from controller.settings.schema.site import SiteFile
from controller.settings.schema.tariffs import TARIFF_NAME, SiteTariffEntry
from controller.settings.tariffs import (
    RateDraft,
    SeasonDraft,
    TariffDraft,
    VersionDraft,
    days_of,
    prices_of,
    read_tariff,
    source_of,
    twice,
)
from controller.settings.text_file import look_at
from controller.settings.validate import checker

_TARIFF = ("tariff",)
Kind: TypeAlias = Literal["demand", "capacity"]


class SiteTariff(NamedTuple):
    tariff: Tariff
    draft: TariffDraft


class _Charges(NamedTuple):
    demand: tuple[DemandCharge, ...] = ()
    capacity: float | None = None


def tariff_file(site: Reading[SiteFile]) -> str | None:
    """What the site calls its tariff: a name, or a path from the site folder; None where it has none or a wrong one."""
    said = site.document.get(_TARIFF)
    if isinstance(said, dict):
        said = said.get("file")
    return said if isinstance(said, str) else None


@dataclass(frozen=True, slots=True)
class SiteTariffCompiler:
    """site: the file that says `tariff`, a site's own or a scenario's. folder: where its paths begin."""

    site: Reading[SiteFile] | Reading[ScenarioFile]
    folder: Path
    tariff_folder: Path
    zone: ZoneInfo
    problems: Problems

    def compiled(self) -> SiteTariff | None:
        """None where the site has none, or one with problems."""
        entry = self._entry()
        file = None if entry is None else self._file(entry.file)
        draft = None if file is None else read_tariff(file, self.problems)
        if entry is None or draft is None or self.site.has_unknown(_TARIFF):
            return None
        rate = self._rate(entry, draft)
        if rate is None or draft.head is None:
            return None
        given = _Given(self, entry, rate)
        versions = given.versions()
        if versions is None:
            return None
        head = draft.head
        tariff = Tariff(
            name=head.tariff,
            title=head.title.text(),
            rate=rate.id,
            form=rate.form,
            currency=head.currency,
            zone=self.zone,
            versions=versions,
            holidays=frozenset(head.holidays),
            names=draft.band_names,
            carbon_factor=None if head.carbon_factor is None else head.carbon_factor.kg_per_kwh,
            carbon_source=None if head.carbon_factor is None else source_of(head.carbon_factor.source),
        )
        return SiteTariff(tariff, draft)

    def tell(self, key: Where, wrong: str, right: str) -> None:
        document = self.site.document
        self.problems.add(document.file, document.line((*_TARIFF, *key)), wrong, right)

    def _entry(self) -> SiteTariffEntry | None:
        said = self.site.document.get(_TARIFF)
        if isinstance(said, dict):
            return self.site.piece(_TARIFF, SiteTariffEntry)
        return checker(SiteTariffEntry).check({"file": said})[0] if isinstance(said, str) else None

    def _file(self, said: str) -> Path | None:
        if not _is_name(said):
            path = PurePosixPath(said)
            if path.is_absolute() or ".." in path.parts:
                self.tell(("file",), f"'{shown(said)}' lies outside the site folder", "name a file inside it")
                return None
            file, right = self.folder / path, "its path begins at the site folder"
        else:
            file = self.tariff_folder / f"{said}.yaml"
            right = nearest(said, [each.stem for each in self.tariff_folder.glob("*.yaml")], "tariffs")
        if not file.is_file():
            look_at(file, self.problems)
            self.tell(("file",), f"there is no tariff '{shown(said)}'", right)
            return None
        return file

    def _rate(self, entry: SiteTariffEntry, draft: TariffDraft) -> RateDraft | None:
        if entry.rate is None:
            if len(draft.declared) == 1:
                return next(iter(draft.rates.values()), None)
            self.tell((), "'rate' is missing", f"add it: one of {', '.join(sorted(draft.declared))}")
            return None
        if entry.rate not in draft.declared:
            right = nearest(entry.rate, draft.declared, "rates")
            self.tell(("rate",), f"the tariff has no rate '{shown(entry.rate)}'", right)
        return draft.rates.get(entry.rate)


def _is_name(said: str) -> bool:
    return TARIFF_NAME.fullmatch(said) is not None


class _Given:
    """What a site gives to one rate: nothing that is needed may be missing, nothing may be without effect."""

    def __init__(self, compiler: SiteTariffCompiler, entry: SiteTariffEntry, rate: RateDraft) -> None:
        self._place = compiler.tell
        self._entry = entry
        self._rate = rate
        self._sound = True

    def versions(self) -> tuple[Version, ...] | None:
        self._check_flat_price()
        own = self._own_prices()
        kind = self._kind()
        drafts = self._rate.versions
        prices = [self._prices(draft, own) for draft in drafts]
        charges = [_Charges() if kind is None else self._charges(draft, kind) for draft in drafts]
        if not self._sound:
            return None
        return tuple(
            draft.version(priced, charged.demand, charged.capacity)
            for draft, priced, charged in zip(drafts, prices, charges, strict=True)
        )

    def _tell(self, key: Where, wrong: str, right: str) -> None:
        self._place(key, wrong, right)
        self._sound = False

    # --- energy ---

    def _check_flat_price(self) -> None:
        entry, rate = self._entry, self._rate
        has_ratios = any(draft.is_ratios for draft in rate.versions)
        if has_ratios and entry.flat_price is None:
            self._tell(
                (),
                f"the rate '{rate.id}' is known as ratios to a flat price only",
                "add flat_price: the price per kWh that the ratios multiply",
            )
        for key, given in (("flat_price", entry.flat_price), ("added_price", entry.added_price or None)):
            if not has_ratios and given is not None:
                self._tell((key,), f"the rate '{rate.id}' has prices, no ratios", f"remove '{key}'")

    def _own_prices(self) -> list[SeasonPrices]:
        """What the site says under `prices`, each band once a day and only where it is asked for."""
        own: list[SeasonPrices] = []
        for index, entry in enumerate(self._entry.prices):
            prices = {band: price for band, price in prices_of(entry).items() if not isinstance(price, str)}
            try:
                own.append(SeasonPrices(days_of(entry), prices))
            except ValueError as error:
                wrong, _, right = str(error).partition("; ")
                self._tell(("prices", index), wrong, right)
                return []
        for index, band, days in twice((each.days, each.prices) for each in own):
            wrong = f"{band.value} has a second price here ({season_words(days).en})"
            self._tell(("prices", index, band.value), wrong, "keep one of them")
        asked = [season for draft in self._rate.versions for season in draft.seasons if season.asked]
        for index, each in enumerate(own):
            for band in each.prices:
                if not any(band in season.asked and season.days & each.days for season in asked):
                    wrong = f"the rate '{self._rate.id}' does not ask for a price of {band.value} on these days"
                    self._tell(("prices", index, band.value), wrong, "remove it: the tariff has it")
        return own

    def _prices(self, draft: VersionDraft, own: list[SeasonPrices]) -> tuple[SeasonPrices, ...]:
        flat, added = (self._entry.flat_price or 0.0, self._entry.added_price) if draft.is_ratios else (1.0, 0.0)
        found: list[SeasonPrices] = []
        for season in draft.seasons:
            found.append(SeasonPrices(season.days, {band: flat * x + added for band, x in season.known.items()}))
            found += self._asked_prices(season, own)
        missing = missing_prices(draft.calendar, found, draft.entry.first, draft.entry.until)
        for band, days in missing.items():
            wrong = f"the price of {band.value} ({season_words(days).en}) is left to the site"
            self._tell(("prices",), wrong, "add it under 'prices'")
        return tuple(found)

    def _asked_prices(self, season: SeasonDraft, own: list[SeasonPrices]) -> list[SeasonPrices]:
        shared = [(season.days & each.days, each.prices) for each in own]
        chosen = [
            (days, {band: price for band, price in prices.items() if band in season.asked}) for days, prices in shared
        ]
        return [SeasonPrices(days, prices) for days, prices in chosen if days and prices]

    # --- demand or capacity ---

    def _kind(self) -> Kind | None:
        """By what the basic charge is counted; None for a single part, or where it cannot be told."""
        entry, rate = self._entry, self._rate
        given: dict[Kind, float | None] = {"demand": entry.demand_price, "capacity": entry.capacity_price}
        said: list[Kind] = [kind for kind, price in given.items() if price is not None]
        if rate.form is Form.SINGLE_PART:
            for key in ("basic_charge", "demand_price", "capacity_price"):
                if getattr(entry, key) is not None:
                    wrong = f"the rate '{rate.id}' is single-part: it has no charge for demand or capacity"
                    self._tell((key,), wrong, f"remove '{key}', or name a two-part rate")
            return None
        if entry.basic_charge is not None:
            for kind in said:
                if kind != entry.basic_charge:
                    wrong = f"'{kind}_price' is given and the basic charge is that for {entry.basic_charge}"
                    self._tell((f"{kind}_price",), wrong, "keep one of them")
            return entry.basic_charge
        if len(said) == 1:
            return said[0]
        return self._only_kind(both_given=len(said) > 1)

    def _only_kind(self, *, both_given: bool) -> Kind | None:
        """The kind that the file leaves no choice about."""
        kinds: set[Kind] = set()
        for draft in self._rate.versions:
            if draft.demand_charges or draft.charges_asked:
                kinds.add("demand")
            if draft.capacity_charge is not None or draft.charges_asked:
                kinds.add("capacity")
        if len(kinds) == 1 and not both_given:
            return kinds.pop()
        if not both_given and all(draft.charges_asked for draft in self._rate.versions):
            wrong = f"the rate '{self._rate.id}' is two-part and its charge is left to the site"
            self._tell((), wrong, "add demand_price (per kW and month) or capacity_price (per kVA and month)")
        else:
            wrong = f"the rate '{self._rate.id}' is charged by demand or by capacity"
            self._tell((), wrong, "say basic_charge: demand or basic_charge: capacity")
        return None

    def _charges(self, draft: VersionDraft, kind: Kind) -> _Charges:
        entry, asked = self._entry, draft.charges_asked
        if kind == "capacity":
            capacity = draft.capacity_charge if entry.capacity_price is None else entry.capacity_price
            if capacity is None:
                self._tell_no_charge("capacity", asked=asked)
            return _Charges(capacity=capacity)
        if entry.demand_price is None:
            if not draft.demand_charges:
                self._tell_no_charge("demand", asked=asked)
            return _Charges(demand=draft.demand_charges)
        if len(draft.demand_charges) > 1:
            wrong = f"the rate '{self._rate.id}' has several demand charges"
            self._tell(("demand_price",), wrong, "remove 'demand_price', or copy the file and change them there")
            return _Charges()
        base = draft.demand_charges[0] if draft.demand_charges else DemandCharge(entry.demand_price)
        return _Charges(demand=(replace(base, price=entry.demand_price),))

    def _tell_no_charge(self, kind: Kind, *, asked: bool) -> None:
        wrong = f"the rate '{self._rate.id}' has no price for {kind}"
        if asked:
            wrong = f"the rate '{self._rate.id}' leaves the price for {kind} to the site"
        self._tell(("basic_charge",), wrong, f"add {kind}_price")
