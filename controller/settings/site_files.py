"""The files of a site folder, each read as far as it can be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from controller.settings.problems import Problems, nearest
from controller.settings.reading import Reading, read
from controller.settings.schema.alarms import AlarmsFile
from controller.settings.schema.devices import POINT_LIST, DevicesFile
from controller.settings.schema.site import SiteFile
from controller.settings.schema.strategies import StrategiesFile
from controller.settings.schema.sunclock import SunclockFile
from controller.settings.site_tariff import tariff_file
from controller.settings.text_file import look_at

SITE, DEVICES, STRATEGIES, ALARMS = "site.yaml", "devices.yaml", "strategies.yaml", "alarms.yaml"
SUNCLOCK = "sunclock.yaml"
LATER = ("users.yaml",)
"""Files that a later version will read: silently ignoring them would mislead."""


@dataclass(frozen=True, slots=True)
class SiteFiles:
    """None is what cannot be read, which is a problem; and strategies, alarms or sun clock that are not there, which is
    none."""

    folder: Path
    names: frozenset[str]
    site: Reading[SiteFile] | None
    devices: Reading[DevicesFile] | None
    strategies: Reading[StrategiesFile] | None
    alarms: Reading[AlarmsFile] | None
    sunclock: Reading[SunclockFile] | None

    def strategy_ids(self) -> list[str]:
        """The ids that stand in strategies.yaml, whatever else is wrong there."""
        if self.strategies is None:
            return []
        document = self.strategies.document
        return [str(document.get((*where, "id"))) for where in self.strategies.items(("strategies",))]


def read_site_files(folder: Path, problems: Problems, strategies_file: Path | None = None) -> SiteFiles:
    """strategies_file: read in place of the folder's own. Raises ConfigError where there is no folder to be read."""
    for name in (SITE, DEVICES, STRATEGIES, ALARMS, SUNCLOCK, POINT_LIST, *LATER):
        look_at(folder / name, problems)
    names = _names(folder, problems)
    site = read(folder / SITE, SiteFile, problems)
    _refuse_others(folder, names, None if site is None else tariff_file(site), problems)
    devices = read(folder / DEVICES, DevicesFile, problems)
    if devices is not None and POINT_LIST in names:
        _refuse_unread_list(folder, devices, problems)
    own = folder / STRATEGIES if STRATEGIES in names else None
    chosen = strategies_file or own
    strategies = None if chosen is None else read(chosen, StrategiesFile, problems)
    alarms = read(folder / ALARMS, AlarmsFile, problems) if ALARMS in names else None
    sunclock = read(folder / SUNCLOCK, SunclockFile, problems) if SUNCLOCK in names else None
    return SiteFiles(folder, names, site, devices, strategies, alarms, sunclock)


def _names(folder: Path, problems: Problems) -> frozenset[str]:
    """What is in the folder. What is hidden belongs to editors and to who copies files."""
    try:
        return frozenset(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        wrong = f"the site folder cannot be read ({error.strerror})"
        problems.add(folder, 1, wrong, f"name a folder that holds {SITE} and {DEVICES}")
        problems.raise_if_any()
        raise


def _refuse_others(folder: Path, names: frozenset[str], tariff: str | None, problems: Problems) -> None:
    """Files that look like ours and are not read are problems."""
    known = {SITE, DEVICES, STRATEGIES, ALARMS, SUNCLOCK, *([tariff] if tariff else [])}
    for name in sorted(names - known):
        if name in LATER:
            problems.add(folder / name, 1, "is not supported yet", "remove it, or keep it outside the site folder")
        elif Path(name).suffix in (".yaml", ".yml"):
            look_at(folder / name, problems)
            problems.add(folder / name, 1, "no file of this name is read", nearest(name, known, "files"))


def _refuse_unread_list(folder: Path, devices: Reading[DevicesFile], problems: Problems) -> None:
    """A point list that no device names would be ignored in silence."""
    places = [place for link in devices.items(("links",)) for place in devices.items((*link, "devices"))]
    if not any(devices.document.get((*place, "points")) == POINT_LIST for place in places):
        right = f"write 'points: {POINT_LIST}' at the devices whose points it lists, or remove it"
        problems.add(folder / POINT_LIST, 1, "no device takes its points from this file", right)
