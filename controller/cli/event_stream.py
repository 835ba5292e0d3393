"""What is decided with no daemon running, in the event stream all the same."""

from __future__ import annotations

from collections.abc import Sequence

from controller.cli.output import complain
from controller.core.errors import HistorianError
from controller.core.event import Event
from controller.core.ports import Clock
from controller.core.site import Site
from controller.historian.sqlite import SqliteHistorian


async def note_without_daemon(site: Site, clock: Clock, events: Sequence[Event]) -> None:
    """In the event stream, as the daemon would; what was decided holds without it, too."""
    if not events:
        return
    historian = SqliteHistorian(site.folder / "state" / "history.db", clock)
    try:
        digest = {"configuration": site.digest}
        await historian.append_events([event._replace(body={**event.body, **digest}) for event in events])
    except HistorianError as error:
        complain(f"history did not take who decided it: {error}")
    finally:
        await historian.close()
