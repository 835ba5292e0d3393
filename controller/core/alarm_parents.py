"""Which alarm explains which: what stands behind a lost link or device is told once."""

from __future__ import annotations

from collections.abc import Mapping

from controller.core.alarm import AlarmId
from controller.core.alarm_catalogue import DEVICE_LOST, LINK_LOST, LINK_REFUSED
from controller.core.site import Site


def parents_by_subject(site: Site) -> Mapping[str, tuple[AlarmId, ...]]:
    """What explains the alarms of a point, device or link: its device is lost, its link is, it is refused."""
    parents: dict[str, tuple[AlarmId, ...]] = {}
    for link in site.links:
        of_link = (AlarmId(link.id, LINK_LOST), AlarmId(link.id, LINK_REFUSED))
        parents[link.id] = of_link
        for device in link.devices:
            parents[device.id] = of_link
            parents.update({point: (AlarmId(device.id, DEVICE_LOST), *of_link) for point in device.points})
    return parents
