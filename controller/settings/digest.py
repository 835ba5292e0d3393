"""The hash of a site's configuration, which every event carries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from controller.core.terrain import Terrain
from controller.settings.devices import Plant
from controller.settings.reading import Reading
from controller.settings.site_files import ALARMS, DEVICES, SITE, STRATEGIES, SUNCLOCK, SiteFiles
from controller.settings.site_tariff import SiteTariff
from controller.settings.validate import checker

DIGEST_DIGITS = 16
ModelT = TypeVar("ModelT", bound=BaseModel)


def configuration_digest(
    files: SiteFiles,
    plant: Plant,
    parameters: Mapping[str, Any],
    tariff: SiteTariff | None,
    terrain: Terrain | None = None,
) -> str:
    """Equal for equal configurations on every machine: no path and no secret is part of it.

    parameters: of the strategies, as plain data, defaults included.
    """
    configuration = {
        SITE: _plain(files.site),
        DEVICES: _plain(files.devices),
        STRATEGIES: _plain(files.strategies),
        "parameters": parameters,
        "templates": {name: _plain(template.reading) for name, template in plant.templates.items()},
        "listed": {device: _plain(template.reading) for device, template in plant.listed.items()},
        "tariff": None if tariff is None else _plain(tariff.draft.reading),
        **({} if files.alarms is None else {ALARMS: _plain(files.alarms)}),
        **({} if files.sunclock is None else {SUNCLOCK: _plain(files.sunclock)}),
        **({} if terrain is None else {"terrain": terrain.angles}),
    }
    canonical = json.dumps(configuration, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()[:DIGEST_DIGITS]


def _plain(reading: Reading[ModelT] | None) -> Any:
    """The file as plain data, defaults included; references to secrets stay references."""
    if reading is None or reading.model is None:
        return None
    return checker(type(reading.model)).plain(reading.model)
