"""The lit times as an iCalendar file, to be subscribed to or imported by a telephone.

References
----------
[1] RFC 5545, "Internet calendaring and scheduling core object specification (iCalendar)", 2009: 3.1 (lines of at most
    75 octets), 3.3.11 (text), 3.6.1 (events), 3.6.6 (alarms).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from controller.core.text import Language, Text
from controller.sunclock.places import Place
from controller.sunclock.sun_times import Timeline

_LONGEST = 75  # octets, [1] 3.1
_SUMMARY = Text("Lamps lit: {name}", "亮灯：{name}")
_ON, _OFF = Text("Lamps on: {name}", "开灯：{name}"), Text("Lamps off: {name}", "关灯：{name}")
_SPECIAL = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def lines(timelines: Iterable[Timeline], now: datetime, language: Language) -> Iterator[str]:
    """An event for each lit time that begins within the days, with an alarm at both ends; [1]. Each with its end."""
    yield from map(
        _folded, ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tidewatt//sunclock//EN", "CALSCALE:GREGORIAN")
    )
    for timeline in timelines:
        yield from map(_folded, _events(timeline, now, language))
    yield _folded("END:VCALENDAR")


def _events(timeline: Timeline, now: datetime, language: Language) -> Iterator[str]:
    place = timeline.place
    name = place.name_zh if language == "zh" else place.name
    first, last = timeline.days.midnights[0], timeline.days.midnights[-1]
    for start, end in zip(timeline.lit.starts.tolist(), timeline.lit.ends.tolist(), strict=True):
        if not first <= start < last:
            continue
        yield "BEGIN:VEVENT"
        yield f"UID:{_identity(place, start)}"
        yield f"DTSTAMP:{_utc(now)}"
        yield f"DTSTART:{_utc(datetime.fromtimestamp(start, UTC))}"
        yield f"DTEND:{_utc(datetime.fromtimestamp(end, UTC))}"
        yield f"SUMMARY:{_text(_SUMMARY, name, language)}"
        yield f"GEO:{place.position.latitude:.6f};{place.position.longitude:.6f}"
        yield "TRANSP:TRANSPARENT"
        for related, text in (("START", _ON), ("END", _OFF)):
            yield "BEGIN:VALARM"
            yield "ACTION:DISPLAY"
            yield f"TRIGGER;RELATED={related}:PT0S"
            yield f"DESCRIPTION:{_text(text, name, language)}"
            yield "END:VALARM"
        yield "END:VEVENT"


def _identity(place: Place, start: float) -> str:
    """The same for the same night, though its time be worked out anew: a calendar then replaces the event.

    Nights are counted from 11 h to 11 h of the place's mean sun: lamps never go on around then.
    """
    night = math.floor((start + place.position.longitude * 240.0 - 11 * 3600.0) / 86_400.0)
    return f"{hashlib.sha256(place.name.encode()).hexdigest()[:16]}-{night}@sunclock.tidewatt"


def _text(text: Text, name: str, language: Language) -> str:
    return text.in_language(language).format(name=name).translate(_SPECIAL)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _folded(line: str) -> str:
    """[1] 3.1: continued after a line break and a blank, never within a character."""
    parts: list[str] = [""]
    octets = 0
    for character in line:
        size = len(character.encode())
        if octets + size > _LONGEST:
            parts.append(" ")
            octets = 1
        parts[-1] += character
        octets += size
    return "\r\n".join(parts) + "\r\n"
