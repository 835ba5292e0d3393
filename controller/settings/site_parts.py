"""The parts of site.yaml beside its head: each has its own compiler, and is compiled after what it leans on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from controller.core.ab_days import ABDays
from controller.core.equipment_log import EquipmentLogging
from controller.core.fire import FireInput
from controller.core.site import ForecastTarget, InfluxDatabase, Mount
from controller.core.system import System
from controller.core.terrain import Terrain
from controller.core.utilities import Gas, Water
from controller.settings.ab_days import ABDaysCompiler
from controller.settings.devices import Plant
from controller.settings.equipment_log import EquipmentLogCompiler
from controller.settings.fire import FireCompiler
from controller.settings.forecasts import ForecastsCompiler
from controller.settings.influx import influx_database
from controller.settings.out_of_service import OutOfServiceCompiler
from controller.settings.problems import Problems
from controller.settings.reading import Reading
from controller.settings.schema.site import SiteFile
from controller.settings.secrets import Secrets
from controller.settings.site_tariff import SiteTariff, SiteTariffCompiler
from controller.settings.site_terrain import site_terrain
from controller.settings.systems import SystemsCompiler
from controller.settings.time_zone import UTC, time_zone
from controller.settings.utilities import UtilitiesCompiler


@dataclass(frozen=True, slots=True)
class SiteParts:
    """By default those of a site that declares none."""

    zone: ZoneInfo = UTC
    systems: tuple[System, ...] = ()
    fire: tuple[FireInput, ...] = ()
    forecasts: tuple[ForecastTarget, ...] = ()
    equipment_log: EquipmentLogging = field(default_factory=EquipmentLogging)
    out_of_service: Mapping[str, str] = field(default_factory=dict[str, str])
    ab_days: ABDays | None = None
    tariff: SiteTariff | None = None
    gas: Gas | None = None
    water: Water | None = None
    influx: InfluxDatabase | None = None
    terrain: Terrain | None = None


@dataclass(frozen=True, slots=True)
class SitePartsCompiler:
    """mounts: None where strategies.yaml cannot be read. folder: the site's. tariff_folder: of the tariffs by name."""

    reading: Reading[SiteFile]
    plant: Plant
    scan_every: timedelta
    mounts: Sequence[Mount] | None
    folder: Path
    tariff_folder: Path
    secrets: Secrets
    problems: Problems

    def compiled(self) -> SiteParts:
        site, plant, problems = self.reading, self.plant, self.problems
        zone = time_zone(site, problems)
        systems = SystemsCompiler(site, plant, problems, self.scan_every).compiled()
        utilities = UtilitiesCompiler(site, problems)
        return SiteParts(
            zone=zone,
            systems=systems,
            fire=FireCompiler(site, plant, problems, systems, self.scan_every).compiled(),
            forecasts=ForecastsCompiler(site, plant, problems).compiled(),
            equipment_log=EquipmentLogCompiler(site, plant, problems).compiled(),
            out_of_service=OutOfServiceCompiler(site, plant, problems).compiled(),
            ab_days=ABDaysCompiler(site, plant, problems, systems, self.mounts).compiled(),
            tariff=SiteTariffCompiler(site, self.folder, self.tariff_folder, zone, problems).compiled(),
            gas=utilities.gas(),
            water=utilities.water(),
            influx=influx_database(site, self.secrets, problems),
            terrain=site_terrain(site, self.folder, problems),
        )
