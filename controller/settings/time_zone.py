"""The time zone of site.yaml."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from controller.settings.problems import Problems, nearest, shown
from controller.settings.reading import Reading
from controller.settings.schema.site import SiteFile

UTC = ZoneInfo("UTC")


def time_zone(site: Reading[SiteFile], problems: Problems) -> ZoneInfo:
    """UTC where the site names none that exists."""
    name = site.document.get(("time_zone",))
    if not isinstance(name, str) or not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        line = site.document.line(("time_zone",))
        wrong = f"the time zone '{shown(name)}' does not exist"
        problems.add(site.document.file, line, wrong, _nearest_zone(name))
    return UTC


def _nearest_zone(name: str) -> str:
    advice = nearest(name, available_timezones(), "zones")
    return advice if advice.startswith("did") else "write a name of the IANA time zone database, like Asia/Shanghai"
