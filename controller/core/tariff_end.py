"""What to say when a tariff ends and nothing follows, in time for somebody to see to the next one."""

from __future__ import annotations

from datetime import date, timedelta

from controller.core.tariff import Tariff
from controller.core.text import Text

TOLD_BEFORE = timedelta(days=31)


def end_words(tariff: Tariff, today: date) -> Text | None:
    """None while the end is further away than TOLD_BEFORE, or where no end is."""
    last = tariff.ends_on()
    if last is None or not tariff.ends_within(today, TOLD_BEFORE):
        return None
    rate = f"{tariff.name}, {tariff.rate}"
    if last < today:
        return Text(
            f"the tariff {rate} ended on {last} and nothing follows: energy has no price; add its next version",
            f"电价 {rate} 已于 {last} 到期且无后续版本：电能无价格；请添加新版本",
        )
    return Text(
        f"the tariff {rate} ends on {last} and nothing follows; add its next version",
        f"电价 {rate} 将于 {last} 到期且无后续版本；请添加新版本",
    )
