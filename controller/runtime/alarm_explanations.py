"""What makes an alarm mean nothing now: another one that explains it, equipment put aside, a condition of its rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from controller.core.alarm import AlarmId
from controller.core.availability import PUT_ASIDE, Standing
from controller.core.text import NO_TEXT, Text
from controller.runtime.image import Image
from controller.runtime.listed_alarm import Alarm


class Explanations:
    """alarms: all that are known. unavailable: the equipment that is not in auto."""

    def __init__(
        self, alarms: Mapping[AlarmId, Alarm], image: Image, unavailable: Callable[[], Mapping[str, Standing]]
    ) -> None:
        self._alarms = alarms
        self._image = image
        self._unavailable = unavailable

    def explain(self, alarm: Alarm) -> bool:
        """Whether something else is the reason of the alarm, or it means nothing now; the alarm then says what."""
        alarm.suppressed_by = self._explanation(alarm)
        return alarm.suppressed_by != NO_TEXT

    def _explanation(self, alarm: Alarm) -> Text:
        for parent in alarm.parents:
            if parent in self._alarms and self._alarms[parent].explains:
                return Text(str(parent), str(parent))
        if alarm.needs_auto:
            standing = self._unavailable().get(alarm.equipment)
            if standing is not None and standing.availability in PUT_ASIDE:
                en, zh = standing.reason
                return Text(f"{alarm.equipment} is {en}", f"{alarm.equipment}：{zh}")
        rule = alarm.rule
        if rule is None or rule.only_while is None or rule.is_meant(self._image.present[rule.only_while.point]):
            return NO_TEXT
        point, value = rule.only_while.point, str(rule.only_while.value).lower()
        return Text(f"{point} is not {value}", f"{point} 不为 {value}")
