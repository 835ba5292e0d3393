"""A site folder as the core's objects, or everything that is wrong with it at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from controller.core.file_state import FileState
from controller.core.lamp_messages import LampMessages
from controller.core.ports import DriverKind
from controller.core.site import Alarming, Contact, Mount, Site
from controller.core.strategy import Position, StrategyKind
from controller.settings.alarms import AlarmsCompiler
from controller.settings.devices import Plant, PlantCompiler
from controller.settings.digest import configuration_digest
from controller.settings.lamp_messages import LampMessagesCompiler
from controller.settings.mounts import MountsCompiler
from controller.settings.problems import Problems
from controller.settings.schema.site import SiteHead
from controller.settings.secrets import Secrets
from controller.settings.site_files import STRATEGIES, SiteFiles, read_site_files
from controller.settings.site_parts import SiteParts, SitePartsCompiler

_FALLBACK_SCAN = timedelta(seconds=1)


def compile_site(
    folder: Path,
    template_folder: Path,
    driver_kind: Callable[[str], DriverKind],
    strategy_kind: Callable[[str], StrategyKind],
    *,
    environment: Mapping[str, str] | None = None,
    tariff_folder: Path | None = None,
    strategies_file: Path | None = None,
) -> Site:
    """The site of a folder. Raises ConfigError with every problem.

    driver_kind and strategy_kind raise LookupError for a name that they do not know. environment: what `!env`
    references are looked up in, by default this process's own. tariff_folder: by default `tariffs` beside the
    templates. strategies_file: read in place of the folder's own.
    """
    problems = Problems()
    files = read_site_files(folder, problems, strategies_file)
    secrets = Secrets(folder, os.environ if environment is None else environment, problems)
    head = None if files.site is None else files.site.piece((), SiteHead)
    scan_every = _FALLBACK_SCAN if head is None else head.scan_every
    plant = Plant(whole=False)
    if files.devices is not None:
        compiler = PlantCompiler(files.devices, folder, template_folder, cache(driver_kind), secrets, problems)
        plant = compiler.compiled()
    mounted = _mounted(files, plant, scan_every, strategy_kind, problems)
    parts = SiteParts()
    if files.site is not None:
        mounts = mounted.mounts if mounted.is_whole else None
        tariffs = template_folder.parent / "tariffs" if tariff_folder is None else tariff_folder
        parts = SitePartsCompiler(files.site, plant, scan_every, mounts, folder, tariffs, secrets, problems).compiled()
    alarms = Alarming()
    if files.alarms is not None:
        alarms = AlarmsCompiler(files.alarms, plant, problems, files.strategy_ids(), secrets).compiled()
    lamp_messages = None
    if files.sunclock is not None:
        lamp_messages = LampMessagesCompiler(files.sunclock, folder, secrets, problems).compiled()
    problems.raise_if_any()

    assert head is not None  # whatever leaves it None is a problem
    digest = configuration_digest(files, plant, mounted.parameters, parts.tariff, parts.terrain)
    return _site(folder, head, plant, mounted.mounts, parts, alarms, lamp_messages, digest, problems.files)


@dataclass(frozen=True, slots=True)
class _Mounted:
    """is_whole: nothing of strategies.yaml is defective, so that what is not here is lacking."""

    mounts: tuple[Mount, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    is_whole: bool = True


def _mounted(
    files: SiteFiles,
    plant: Plant,
    scan_every: timedelta,
    strategy_kind: Callable[[str], StrategyKind],
    problems: Problems,
) -> _Mounted:
    if files.strategies is None:
        return _Mounted(is_whole=STRATEGIES not in files.names)
    compiler = MountsCompiler(files.strategies, plant, problems, scan_every, strategy_kind)
    mounts = compiler.compiled()
    return _Mounted(mounts, compiler.parameters, is_whole=len(mounts) == len(files.strategy_ids()))


def _site(
    folder: Path,
    head: SiteHead,
    plant: Plant,
    mounts: tuple[Mount, ...],
    parts: SiteParts,
    alarms: Alarming,
    lamp_messages: LampMessages | None,
    digest: str,
    looked_at: Mapping[Path, FileState],
) -> Site:
    """Where nothing is wrong."""
    return Site(
        folder=folder,
        name=head.name,
        position=Position(head.position.latitude, head.position.longitude, head.position.elevation),
        zone=parts.zone,
        scan_every=head.scan_every,
        systems=parts.systems,
        links=tuple(plant.links),
        points=plant.points,
        equipment=plant.equipment,
        mounts=mounts,
        digest=digest,
        first_authority=head.authority_at_first_start,
        tariff=None if parts.tariff is None else parts.tariff.tariff,
        gas=parts.gas,
        water=parts.water,
        influx=parts.influx,
        forecasts=parts.forecasts,
        alarms=alarms,
        contacts=tuple(Contact(each.who.text(), each.phone) for each in head.contacts),
        equipment_log=parts.equipment_log,
        fire=parts.fire,
        terrain=parts.terrain,
        lamp_messages=lamp_messages,
        out_of_service=parts.out_of_service,
        authority_files=head.authority_files,
        start_gap=head.start_gap,
        ab_days=parts.ab_days,
        has_free_running_clock=head.wall_clock == "free_running",
        reload=head.reload,
        files=looked_at,
    )
