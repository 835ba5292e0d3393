"""A scenario's file: read, checked as a whole with all that it names, and turned into a backtest and its bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from controller.cli.backtest_cases import Backtest, Case
from controller.cli.backtest_sides import ORIGINAL, SIDES, Side, against
from controller.cli.fault_file import FaultsCompiler, read_faults
from controller.cli.records_check import own_loads, refuse_missing_hours
from controller.cli.scenario_bounds import Bound
from controller.cli.site_folder import config_folder, load_site
from controller.cli.virtual_days import Period, midnight
from controller.core.errors import ConfigError
from controller.core.site import Site
from controller.core.strategy import Position
from controller.core.tariff import Tariff
from controller.core.text import Text
from controller.settings.document import Where
from controller.settings.problems import Problems, nearest, shown
from controller.settings.reading import Reading, read
from controller.settings.schema.scenarios import BoundEntry, PumpEntry, ScenarioFile, ScenarioHead
from controller.settings.site_tariff import SiteTariffCompiler
from controller.settings.text_file import look_at
from simulator.demand_charge import has_demand_charge
from simulator.design_day import DesignDay
from simulator.faults.fault import Fault
from simulator.sizes import PUMPS, Pump, PumpSize, Sizes
from simulator.variation import Variation

FoundT = TypeVar("FoundT")


@dataclass(frozen=True, slots=True)
class Scenario:
    """name: what files of its results are called."""

    name: str
    title: Text
    file: Path
    backtest: Backtest
    bounds: tuple[Bound, ...]


def read_scenarios(files: Sequence[Path]) -> list[Scenario]:
    """Raises ConfigError with every problem of every file."""
    problems = Problems()
    found = [_scenario(file, problems) for file in files]
    scenarios = [each for each in found if each is not None]
    names: dict[str, Path] = {}
    for each in scenarios:
        first = names.setdefault(each.name, each.file)
        if first != each.file:
            wrong = f"the scenario '{each.name}' is there already, in {first.name}"
            problems.add(each.file, 1, wrong, "give one another name")
    problems.raise_if_any()
    return scenarios


def _scenario(file: Path, problems: Problems) -> Scenario | None:
    reading = read(file, ScenarioFile, problems)
    head = None if reading is None else reading.piece((), ScenarioHead)
    if reading is None or head is None:
        return None
    site = _Named(reading, file, problems).site(head)
    if site is None:
        return None
    faults = FaultsCompiler(reading, site, midnight(site, head.first), True, problems).compiled()
    if reading.model is None:
        return None
    return _Compiler(reading, file, problems, reading.model, site, faults).compiled()


@dataclass
class _Named:
    """What a scenario names: files and folders beside it."""

    reading: Reading[ScenarioFile]
    file: Path
    problems: Problems

    def site(self, head: ScenarioHead) -> Site | None:
        strategies = None if head.strategies is None else self.path(head.strategies, ("strategies",))
        return self.read(head.site, ("site",), lambda folder: load_site(folder, strategies), is_folder=True)

    def path(self, said: str, where: Where, *, is_folder: bool = False) -> Path | None:
        path = self.file.parent / said
        if path.is_dir() if is_folder else path.is_file():
            return path
        look_at(path, self.problems)
        kind = "folder" if is_folder else "file"
        self.add(where, f"there is no {kind} '{shown(said)}'", "its path begins at the scenario's own folder")
        return None

    def read(
        self, said: str, where: Where, read_it: Callable[[Path], FoundT], *, is_folder: bool = False
    ) -> FoundT | None:
        """What is read there; its problems join ours."""
        path = self.path(said, where, is_folder=is_folder)
        if path is None:
            return None
        try:
            return read_it(path)
        except ConfigError as error:
            for each in error.problems:
                self.problems.add(*each)
        return None

    def add(self, where: Where, wrong: str, right: str) -> None:
        self.problems.add(self.file, self.reading.document.line(where), wrong, right)


@dataclass
class _Compiler(_Named):
    entry: ScenarioFile
    own_site: Site
    own_faults: list[Fault]
    _site_with: dict[Path, Site] = field(default_factory=dict[Path, Site])

    def compiled(self) -> Scenario | None:
        """None where something is wrong that the rest leans on."""
        entry = self.entry
        period = self._period()
        if period is None:
            return None
        site = self._changed(self.own_site)
        period = replace(period, faults=tuple(self._faults(site, period)))
        if isinstance(period.weather, Path) and period.weather.is_file():
            refuse_missing_hours(period.weather, site, period, self.problems)
        sides = [*SIDES, *self._against()]
        bounds = self._bounds(sides, site)
        loads = () if period.load is None else own_loads(period.load, period.variation, self.problems)
        cases = [Case(entry.seed + number, period.variation) for number in range(entry.seeds)]
        return Scenario(
            entry.scenario,
            entry.title.text(),
            self.file,
            Backtest(
                *(site, period, sides, cases, {path: self._changed(each) for path, each in self._site_with.items()}),
                loads=loads,
            ),
            bounds,
        )

    # --- the site, as it is here

    def _against(self) -> list[Side]:
        said = self.entry.against
        path = None if said is None else self.path(said, ("against",))
        if path is None:
            return []
        site = self.read(self.entry.site, ("site",), lambda folder: load_site(folder, path), is_folder=True)
        if site is None:
            return []
        self._site_with[path] = site
        return [against(path)]

    def _changed(self, site: Site) -> Site:
        position = self.entry.position
        if position is not None:
            place = Position(position.latitude, position.longitude, position.elevation)
            site = replace(site, position=place)
        tariff = self._tariff(site) if self.entry.tariff is not None else site.tariff
        if site.tariff is not None and tariff is not None and tariff.currency != site.tariff.currency:
            # The site's gas and water are in another money than these days'.
            return replace(site, tariff=tariff, gas=None, water=None)
        return replace(site, tariff=tariff)

    def _tariff(self, site: Site) -> Tariff | None:
        folder, tariffs = self.file.parent, config_folder() / "tariffs"
        found = SiteTariffCompiler(self.reading, folder, tariffs, site.zone, self.problems).compiled()
        return None if found is None else found.tariff

    def _sizes(self) -> Sizes | None:
        plant = self.entry.plant
        if plant is None:
            return None
        pumps: dict[Pump, PumpSize] = {}
        for name in PUMPS:
            entry: PumpEntry | None = getattr(plant, name)
            if entry is not None and self._has_sound_curve(entry, ("plant", name)):
                pumps[name] = PumpSize(entry.flow, entry.curve, entry.efficiency)
        tank = plant.tank
        return Sizes(None if tank is None else tank.volume, None if tank is None else tank.height, pumps)

    def _has_sound_curve(self, pump: PumpEntry, where: Where) -> bool:
        """Told where it has not."""
        flows, heads = [flow for flow, _ in pump.curve], [head for _, head in pump.curve]
        if any(later <= sooner for sooner, later in pairwise(flows)):
            self.add(
                (*where, "curve"), "the flows of a pump's curve do not rise", "list its points by rising flow [kg/s]"
            )
        elif any(later >= sooner for sooner, later in pairwise(heads)) or heads[-1] < 0:
            wrong = "the head of a pump's curve does not fall with the flow"
            self.add(
                (*where, "curve"), wrong, "write flow [kg/s] and head [kPa] at full speed, head falling, not below 0"
            )
        elif not flows[0] <= pump.flow <= flows[-1]:
            reach = f"{flows[0]:g} to {flows[-1]:g}"
            wrong = f"the flow of {pump.flow:g} kg/s is not on the pump's curve, which goes from {reach}"
            self.add((*where, "flow"), wrong, "write a flow that the curve reaches")
        else:
            return True
        return False

    # --- when, and what goes wrong

    def _period(self) -> Period | None:
        entry = self.entry
        if entry.end <= entry.first:
            self.add(("to",), f"'to' {entry.end} is not after 'from' {entry.first}", "it is the day after the last one")
            return None
        if entry.weather is not None and entry.design_day is not None:
            self.add(("design_day",), "'design_day' stands beside 'weather'", "remove one of the two")
        weather: Path | DesignDay | None = None
        if entry.design_day is not None:
            day = entry.design_day
            weather = DesignDay(day.highest, day.daily_range, day.relative_humidity, day.sky)
        elif entry.weather is not None:
            weather = self.path(entry.weather, ("weather",))
        load = None if entry.load is None else self.path(entry.load, ("load",))
        change = entry.variation
        return Period(
            entry.first,
            entry.end,
            entry.scan_every,
            entry.seed,
            weather,
            load,
            variation=Variation(change.load, change.traffic, change.tank),
            sizes=self._sizes(),
            holidays=entry.holidays,
            has_past=entry.past,
        )

    def _faults(self, site: Site, period: Period) -> list[Fault]:
        said = self.entry.faults_file
        if said is None:
            return self.own_faults
        beginning = midnight(site, period.first)
        in_file = self.read(
            said, ("faults_file",), lambda path: read_faults(path, site, beginning, has_time_on_wire=True)
        )
        return [*self.own_faults, *(in_file or ())]

    # --- what must come of it

    def _bounds(self, sides: Sequence[Side], site: Site) -> tuple[Bound, ...]:
        names = [side.name for side in sides]
        found: list[Bound] = []
        for number, entry in enumerate(self.entry.bounds):
            where = ("bounds", number)
            for key, name in (("side", entry.side), ("times", entry.times)):
                if name is not None and name not in names:
                    self.add((*where, key), f"there is no side '{shown(name)}'", nearest(name, names, "sides"))
            if (entry.at_most is None) == (entry.at_least is None):
                self.add(where, "a bound is either 'at_most' or 'at_least'", "write one of the two")
            if entry.hours is not None and entry.kpi != "peak":
                self.add(
                    (*where, "hours"), f"'{entry.kpi}' is not counted by the hour", "only a bound of peak has hours"
                )
            reference = entry.compared_with or ORIGINAL.name
            self._refuse_unsaved(entry, reference, names, where)
            self._refuse_uncounted(entry.kpi, site, (*where, "kpi"))
            self._refuse_uncharged(entry.kpi, site, (*where, "kpi"))
            found.append(
                Bound(entry.kpi, entry.side, entry.at_most, entry.at_least, entry.times, entry.hours, reference)
            )
        return tuple(found)

    def _refuse_unsaved(self, entry: BoundEntry, reference: str, names: Sequence[str], where: Where) -> None:
        """Only a side that comes after a baseline saves something against it."""
        if not entry.kpi.endswith("_saved"):
            if entry.compared_with is not None:
                wrong = f"'{entry.kpi}' is compared with nobody"
                self.add((*where, "compared_with"), wrong, "write times: competent, or a kpi that ends in _saved")
        elif entry.times is not None or entry.side in names[: names.index(reference) + 1]:
            wrong = f"'{entry.kpi}' is what a side saved against {reference}"
            self.add((*where, "kpi"), wrong, "give it a number, of another side")

    def _refuse_uncounted(self, kpi: str, site: Site, where: Where) -> None:
        """A tariff that is wrong is told already."""
        if site.tariff is None:
            if self.entry.tariff is None and ("money" in kpi or "carbon" in kpi):
                self.add(where, f"the site has no tariff: '{kpi}' is not counted", "add 'tariff'")
        elif site.tariff.carbon_factor is None and "carbon" in kpi:
            self.add(where, "the tariff has no carbon factor", "name a tariff that has one")

    def _refuse_uncharged(self, kpi: str, site: Site, where: Where) -> None:
        if kpi == "demand_charge" and not has_demand_charge(site.tariff, self.entry.first, self.entry.end):
            self.add(where, "no demand charge is in force on these days", "add a 'tariff' with basic_charge: demand")
