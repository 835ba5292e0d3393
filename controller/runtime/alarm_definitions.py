"""The alarms that a site can have, as they stand before anything is known of them: built in, or by the site's rules."""

from __future__ import annotations

from dataclasses import replace

from controller.core.alarm import AlarmId, Wording
from controller.core.alarm_catalogue import DEVICE_LOST, LINK_LOST, NEVER_EXPLAINED, STRATEGY_FAULT, built_in
from controller.core.alarm_parents import parents_by_subject
from controller.core.alarm_rule import PointRule
from controller.core.site import Site
from controller.runtime.listed_alarm import Alarm


class AlarmDefinitions:
    """parents: by subject, the alarms that explain others about it."""

    def __init__(self, site: Site) -> None:
        self._adjustments = site.alarms.adjustments
        self.parents = parents_by_subject(site)

    def of_rule(self, rule: PointRule) -> Alarm:
        parents = self.parents.get(rule.point, ())
        return Alarm(rule.alarm, rule.behaviour, rule.wording, parents, rule, is_heard=False)

    def built_in(self, id_: AlarmId) -> Alarm:
        """As the site judges and words it."""
        parents = self.parents.get(id_.subject, ())
        definition = built_in(id_.name)
        alarm = Alarm(
            id_,
            definition.behaviour,
            definition.wording,
            () if id_.name in NEVER_EXPLAINED else tuple(parent for parent in parents if parent != id_),
            is_heard=id_.name not in (LINK_LOST, DEVICE_LOST, STRATEGY_FAULT),
        )
        for adjustment in self._adjustments:
            if adjustment.fits(id_):
                alarm.behaviour = adjustment.behaviour
                alarm.wording = _reworded(alarm.wording, adjustment.wording)
        return alarm


def _reworded(wording: Wording, other: Wording) -> Wording:
    wording = replace(wording, wrong=other.wrong) if other.wrong.en else wording
    return replace(wording, advice=other.advice) if other.advice.en else wording
