"""A site folder as the core's objects, or everything that is wrong with it at once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BaseModel

from controller.core.equipment_log import EquipmentLogging
from controller.core.ports import DriverKind
from controller.core.site import Alarming, Contact, Site
from controller.core.strategy import Position, StrategyKind
from controller.settings.ab_days import ABDaysCompiler
from controller.settings.alarms import AlarmsCompiler
from controller.settings.devices import Plant, PlantCompiler
from controller.settings.equipment_log import EquipmentLogCompiler
from controller.settings.fire import FireCompiler
from controller.settings.forecasts import ForecastsCompiler
from controller.settings.influx import influx_database
from controller.settings.mounts import MountsCompiler
from controller.settings.out_of_service import OutOfServiceCompiler
from controller.settings.problems import Problems, nearest, shown
from controller.settings.reading import Reading, read
from controller.settings.schema.alarms import AlarmsFile
from controller.settings.schema.devices import POINT_LIST, DevicesFile
from controller.settings.schema.site import SiteFile, SiteHead
from controller.settings.schema.strategies import StrategiesFile
from controller.settings.secrets import Secrets
from controller.settings.site_tariff import SiteTariffCompiler, tariff_file
from controller.settings.systems import SystemsCompiler
from controller.settings.validate import checker

SITE, DEVICES, STRATEGIES, ALARMS = "site.yaml", "devices.yaml", "strategies.yaml", "alarms.yaml"
LATER = ("users.yaml",)
"""Files that a later version will read: silently ignoring them would mislead."""

DIGEST_DIGITS = 16

_FALLBACK_SCAN = timedelta(seconds=1)
_UTC = ZoneInfo("UTC")
ModelT = TypeVar("ModelT", bound=BaseModel)


def compile_site(
    folder: Path,
    template_folder: Path,
    driver_kind: Callable[[str], DriverKind],
    strategy_kind: Callable[[str], StrategyKind],
    *,
    environment: Mapping[str, str] | None = None,
    tariff_folder: Path | None = None,
) -> Site:
    """The site of a folder. Raises ConfigError with every problem.

    driver_kind and strategy_kind raise LookupError for a name that they do not know. environment: what `!env`
    references are looked up in, by default this process's own. tariff_folder: by default `tariffs` beside the
    templates.
    """
    problems = Problems()
    present = _present(folder, problems)
    site = read(folder / SITE, SiteFile, problems)
    names = _names(folder, present, None if site is None else tariff_file(site), problems)
    devices = read(folder / DEVICES, DevicesFile, problems)
    if devices is not None and POINT_LIST in present:
        _refuse_unread_list(folder, devices, problems)
    strategies = read(folder / STRATEGIES, StrategiesFile, problems) if STRATEGIES in names else None
    alarms = read(folder / ALARMS, AlarmsFile, problems) if ALARMS in names else None

    head = None if site is None else site.piece((), SiteHead)
    scan_every = _FALLBACK_SCAN if head is None else head.scan_every
    zone = _UTC if site is None else _zone(site, problems)
    secrets = Secrets(folder, os.environ if environment is None else environment, problems)
    plant = (
        Plant(whole=False)
        if devices is None
        else PlantCompiler(devices, folder, template_folder, cache(driver_kind), secrets, problems).compiled()
    )
    systems = () if site is None else SystemsCompiler(site, plant, scan_every, problems).compiled()
    fire = () if site is None else FireCompiler(site, plant, systems, scan_every, problems).compiled()
    forecasts = () if site is None else ForecastsCompiler(site, plant, problems).compiled()
    logging = EquipmentLogging() if site is None else EquipmentLogCompiler(site, plant, problems).compiled()
    out_of_service = None if site is None else OutOfServiceCompiler(site, plant, problems).compiled()
    mounts = None if strategies is None else MountsCompiler(strategies, plant, scan_every, strategy_kind, problems)
    mounted = () if mounts is None else mounts.compiled()
    is_read = STRATEGIES not in names or (mounts is not None and len(mounted) == len(_strategy_ids(strategies)))
    ab_days = (
        None
        if site is None
        else ABDaysCompiler(site, plant, systems, mounted if is_read else None, problems).compiled()
    )
    tariffs = template_folder.parent / "tariffs" if tariff_folder is None else tariff_folder
    tariff = None if site is None else SiteTariffCompiler(site, folder, tariffs, zone, problems).compiled()
    influx = None if site is None else influx_database(site, secrets, problems)
    ids = _strategy_ids(strategies)
    alarming = Alarming() if alarms is None else AlarmsCompiler(alarms, plant, ids, secrets, problems).compiled()
    problems.raise_if_any()

    assert head is not None  # whatever leaves it None is a problem
    return Site(
        folder=folder,
        name=head.name,
        position=Position(head.position.latitude, head.position.longitude, head.position.elevation),
        zone=zone,
        scan_every=scan_every,
        systems=systems,
        links=tuple(plant.links),
        points=plant.points,
        equipment=plant.equipment,
        mounts=mounted,
        digest=_digest(
            {
                SITE: _plain(site),
                DEVICES: _plain(devices),
                STRATEGIES: _plain(strategies),
                "parameters": {} if mounts is None else mounts.parameters,
                "templates": {name: _plain(template.reading) for name, template in plant.templates.items()},
                "listed": {device: _plain(template.reading) for device, template in plant.listed.items()},
                "tariff": None if tariff is None else _plain(tariff.draft.reading),
                **({} if alarms is None else {ALARMS: _plain(alarms)}),
            }
        ),
        first_authority=head.authority_at_first_start,
        tariff=None if tariff is None else tariff.tariff,
        influx=influx,
        forecasts=forecasts,
        alarms=alarming,
        contacts=tuple(Contact(each.who.text(), each.phone) for each in head.contacts),
        equipment_log=logging,
        fire=fire,
        out_of_service=out_of_service or {},
        authority_files=head.authority_files,
        start_gap=head.start_gap,
        ab_days=ab_days,
        has_free_running_clock=head.wall_clock == "free_running",
    )


def _present(folder: Path, problems: Problems) -> set[str]:
    """What is in the folder."""
    try:
        return {path.name for path in folder.iterdir()}
    except OSError as error:
        wrong = f"the site folder cannot be read ({error.strerror})"
        problems.add(folder, 1, wrong, f"name a folder that holds {SITE} and {DEVICES}")
        problems.raise_if_any()
        raise


def _names(folder: Path, names: set[str], tariff: str | None, problems: Problems) -> set[str]:
    """The names that may be there; files that look like ours and are not read are problems."""
    known = {SITE, DEVICES, STRATEGIES, ALARMS, *([tariff] if tariff else [])}
    for name in sorted(names - known):
        if name in LATER:
            problems.add(folder / name, 1, "is not supported yet", "remove it, or keep it outside the site folder")
        elif Path(name).suffix in (".yaml", ".yml"):
            problems.add(folder / name, 1, "no file of this name is read", nearest(name, known, "files"))
    return names


def _refuse_unread_list(folder: Path, devices: Reading[DevicesFile], problems: Problems) -> None:
    """A point list that no device names would be ignored in silence."""
    places = [place for link in devices.items(("links",)) for place in devices.items((*link, "devices"))]
    if not any(devices.document.get((*place, "points")) == POINT_LIST for place in places):
        right = f"write 'points: {POINT_LIST}' at the devices whose points it lists, or remove it"
        problems.add(folder / POINT_LIST, 1, "no device takes its points from this file", right)


def _strategy_ids(strategies: Reading[StrategiesFile] | None) -> list[str]:
    """The ids that stand in strategies.yaml, whatever else is wrong there."""
    if strategies is None:
        return []
    document = strategies.document
    return [str(document.get((*where, "id"))) for where in strategies.items(("strategies",))]


def _zone(site: Reading[SiteFile], problems: Problems) -> ZoneInfo:
    name = site.document.get(("time_zone",))
    if not isinstance(name, str) or not name:
        return _UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        line = site.document.line(("time_zone",))
        wrong = f"the time zone '{shown(name)}' does not exist"
        problems.add(site.document.file, line, wrong, _nearest_zone(name))
    return _UTC


def _nearest_zone(name: str) -> str:
    advice = nearest(name, available_timezones(), "zones")
    return advice if advice.startswith("did") else "write a name of the IANA time zone database, like Asia/Shanghai"


# --- the digest ---------------------------------------------------------------------------------------------------


def _plain(reading: Reading[ModelT] | None) -> Any:
    """The file as plain data, defaults included; references to secrets stay references."""
    if reading is None or reading.model is None:
        return None
    return checker(type(reading.model)).plain(reading.model)


def _digest(configuration: Mapping[str, Any]) -> str:
    """Equal for equal configurations on every machine: no path and no secret is part of it."""
    canonical = json.dumps(configuration, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()[:DIGEST_DIGITS]
