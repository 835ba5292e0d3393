"""What a daemon finds around it and can do without."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from controller.core.forecast import Forecaster
from controller.core.ports import RemoteHistorian
from controller.runtime.clock_watch import Asks
from controller.runtime.outbox import Messenger
from controller.runtime.quarter_hours import QuarterHours
from controller.runtime.reload import Load
from controller.runtime.workers import Workers


@dataclass(frozen=True, slots=True)
class Surroundings:
    """remote: gets a copy of history, as well as that can be done. messenger: carries the messages of alarms.

    forecaster: makes the site's forecasts. workers: where plans are made; a process of its own where nothing is given.
    simulated: devices that have proved to be simulators. load: reads the site's files anew. synchronization: what the
    machine says of the wall clock; None where the clock is right by definition. quarter_hours: what has been read of
    this daemon's history already; read anew where nothing is given.
    """

    remote: RemoteHistorian | None = None
    messenger: Messenger | None = None
    forecaster: Forecaster | None = None
    workers: Workers | None = None
    simulated: Collection[str] = ()
    load: Load | None = None
    synchronization: Asks | None = None
    quarter_hours: QuarterHours | None = None


NOTHING_AROUND = Surroundings()
