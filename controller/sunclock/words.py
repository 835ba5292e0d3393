"""What table, picture, page and message say, in English and Chinese."""

from __future__ import annotations

from datetime import date, timedelta

from controller.core.text import Text
from controller.sunclock.sun_times import Day, Event, Season

EVENTS = {
    Event.DAWN: Text("dawn", "晨光始"),
    Event.LAMPS_OFF: Text("lamps off", "关灯"),
    Event.SUNRISE: Text("sunrise", "日出"),
    Event.SUNSET: Text("sunset", "日落"),
    Event.LAMPS_ON: Text("lamps on", "开灯"),
    Event.DUSK: Text("dusk", "昏影终"),
}
OFF, ON = Text("OFF", "关灯"), Text("ON", "开灯")
PLACE = Text("place", "地点")
COLOURS = (Text("day", "昼"), Text("twilight", "曙暮"), Text("night", "夜"), Text("lit", "亮灯"))
TOMORROW = Text("tomorrow", "明天")
TITLE = Text("Outdoor lamps: when they go on and off", "室外灯开关时刻")
MADE = Text(
    "Local time. Lamps are on while a clear sky gives the ground less than {illuminance:g} lx.",
    "当地时间。晴空地面照度低于 {illuminance:g} lx 时亮灯。",
)
_SEASONS = {
    Season.NORMAL: Text("", ""),
    Season.POLAR_DAY: Text("polar day", "极昼"),
    Season.POLAR_NIGHT: Text("polar night", "极夜"),
}
_ALWAYS, _NEVER = Text("on all day", "全天亮灯"), Text("off all day", "全天不亮")
_STAYS = Text("keeps its state", "不变")
_EARLIER, _LATER = Text("{} earlier", "早 {}"), Text("{} later", "晚 {}")
_SAME = Text("the same", "不变")
_SECONDS, _MINUTES = Text("{} s", "{} 秒"), Text("{} min", "{} 分钟")
_WEEKDAYS = (
    Text("Monday", "星期一"),
    Text("Tuesday", "星期二"),
    Text("Wednesday", "星期三"),
    Text("Thursday", "星期四"),
    Text("Friday", "星期五"),
    Text("Saturday", "星期六"),
    Text("Sunday", "星期日"),
)


def weekday(day: date) -> Text:
    return _WEEKDAYS[day.weekday()]


def season(day: Day) -> Text:
    return _SEASONS[day.season]


def clock(day: Day, event: Event, form: str = "%H:%M") -> str:
    """Local times of the event, "" where there is none. Whoever switches to the minute switches off after it."""
    later = timedelta(seconds=59) if event is Event.LAMPS_OFF and form == "%H:%M" else timedelta(0)
    return " ".join(f"{day.local(moment + later):{form}}" for moment in day.times[event])


def switching(day: Day, event: Event) -> Text:
    """The time at which lamps go on or off; without one, why there is none."""
    if times := clock(day, event):
        return Text(times, times)
    if not day.lit:
        return _NEVER
    return _ALWAYS if day.lit == ((day.start, day.end),) else _STAYS


def shift(seconds: int | None) -> Text:
    """How a time moves until tomorrow; nothing where it has none."""
    if seconds is None:
        return Text("", "")
    if seconds == 0:
        return _SAME
    length = abs(seconds)
    number, unit = (length, _SECONDS) if length < 60 else (round(length / 60), _MINUTES)
    words = _LATER if seconds > 0 else _EARLIER
    return Text(words.en.format(unit.en.format(number)), words.zh.format(unit.zh.format(number)))
