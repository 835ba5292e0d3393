"""A load series out of a site's own history, in the shape in which one comes out of a CSV file."""

from __future__ import annotations

from datetime import date

from controller.cli.load_csv import LoadFile
from controller.core.errors import HistorianError
from controller.core.forecast import LEARNED_FROM, STEP, History, Readings, UnusableHistory, quarter_hour_means
from controller.core.point import PointId
from controller.core.ports import HistoryInterval
from controller.core.site import ForecastTarget, Site
from controller.historian.reading import SqliteHistoryReader


def read_site_load(site: Site, target: ForecastTarget) -> LoadFile:
    """What the daemon would train on now, also while it runs. Raises UnusableHistory."""
    path = site.folder / "state" / "history.db"
    reader = SqliteHistoryReader(path)
    try:
        span = reader.span(target.point)
    except HistorianError as error:
        raise UnusableHistory(str(error), "run the site first; history begins with it") from None
    if span is None:
        raise UnusableHistory("nothing of it is recorded yet", "a forecast needs at least 8 days")
    end = span[1] + STEP

    def read(point: PointId) -> Readings:
        return quarter_hour_means(*reader.read_means(point, end - LEARNED_FROM, end, HistoryInterval.MINUTE))

    temperature = quarter_hour_means((), ()) if target.temperature is None else read(target.temperature)
    holidays: frozenset[date] = frozenset() if site.tariff is None else site.tariff.holidays
    history = History(read(target.point), temperature, site.zone, dict.fromkeys(sorted(holidays), False))
    return LoadFile(path, target.point, target.temperature, history)
