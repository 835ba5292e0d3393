"""Sounds the site's siren by commands like any other: with a lease, through arbitration and guard, by authority only.

Each alarm calls once: whoever silenced it, or the time that was up, is remembered with the alarm.
"""

from __future__ import annotations

from collections.abc import Mapping

from controller.core.alarm import AlarmId, AlarmState
from controller.core.command import Command, Priority
from controller.core.event import EventKind, JsonValue
from controller.core.ports import Clock
from controller.core.siren import Siren
from controller.core.system import Authority
from controller.core.text import Text
from controller.runtime.alarms import OURSELVES, Alarms
from controller.runtime.image import FrozenImage
from controller.runtime.journal import Journal
from controller.runtime.listed_alarm import Alarm
from controller.runtime.scan import Scan

# Silent by itself soon after nobody renews it.
LEASE_S = 15.0
SOURCE = "siren"


class SirenControl:
    """Looks at each frozen image, and hears every alarm that changes."""

    def __init__(
        self,
        siren: Siren,
        alarms: Alarms,
        scan: Scan,
        authority: Mapping[str, Authority],
        clock: Clock,
        journal: Journal,
    ) -> None:
        self.siren = siren
        self._alarms = alarms
        self._scan = scan
        self._control = scan.controls[siren.point]
        self._authority = authority
        self._clock = clock
        self._journal = journal
        self._calling: dict[AlarmId, Alarm] = {}
        self._called = 0.0
        self._is_pressed = False
        self.sounds = False
        alarms.listeners.append(self._changed)
        scan.onlookers.append(self.look)

    @property
    def calling(self) -> list[AlarmId]:
        """The alarms for which it sounds, or would if the system were ours."""
        return [*self._calling]

    def succeed(self, earlier: SirenControl) -> None:
        """Go on under another configuration; a point that is not the siren's any more ends with its lease."""
        for alarm in self._alarms.all:
            self._changed(alarm, alarm.state)
        if earlier.siren.point == self.siren.point:
            self.sounds = earlier.sounds
        self._called, self._is_pressed = earlier._called, earlier._is_pressed

    def silence(self, who: str, why: str = "") -> list[AlarmId]:
        """Until another alarm comes; acknowledges nothing. Answers which alarms had called."""
        silenced = self.calling
        for alarm in self._calling.values():
            alarm.is_silenced = True
        self._alarms.keeping.note(*silenced)
        self._calling.clear()
        if silenced:
            self._note("silenced", {"who": who, "why": why, "alarms": len(silenced)})
            self._scan.request_early()
        return silenced

    def _changed(self, alarm: Alarm, _: AlarmState) -> None:
        calls = self.siren.is_for(alarm.behaviour.priority, alarm.state) and not alarm.is_silenced
        if calls == (alarm.id in self._calling):
            return
        if calls:
            self._calling[alarm.id] = alarm
            self._called = self._clock.monotonic()
        else:
            del self._calling[alarm.id]
        self._scan.request_early()

    # --- in the scan; no waiting here ----------------------------------------------------------------------------

    def look(self, image: FrozenImage) -> None:
        self._look_at_button(image)
        if self._calling and image.monotonic - self._called >= self.siren.longest.total_seconds():
            self.silence(OURSELVES, f"it had sounded for {self.siren.longest.total_seconds():g} s")
        sounds = bool(self._calling) and self._authority[self._control.system.id] is Authority.TIDEWATT
        if sounds:
            self._sound(image.monotonic)
        elif self.sounds:
            self._control.array = self._control.array.without(Priority.CRITICAL_EQUIPMENT, SOURCE)
        if sounds != self.sounds:
            self.sounds = sounds
            self._note("sounding" if sounds else "silent", {})

    def _look_at_button(self, image: FrozenImage) -> None:
        button = self.siren.silence
        if button is None:
            return
        was_pressed, self._is_pressed = self._is_pressed, button.holds(image.samples[button.point])
        if self._is_pressed and not was_pressed:
            self.silence(str(button.point))

    def _sound(self, monotonic: float) -> None:
        held = self._control.array.held_at(Priority.CRITICAL_EQUIPMENT)
        if held is not None and held.source == SOURCE and held.ends - monotonic > LEASE_S / 2:
            return
        first = next(iter(self._calling))
        reason = Text(f"nobody has acknowledged {first}", f"{first} 未确认")
        self._control.array = self._control.array.with_command(
            Command(self.siren.point, True, Priority.CRITICAL_EQUIPMENT, SOURCE, monotonic + LEASE_S, reason)
        )

    def _note(self, state: str, said: Mapping[str, JsonValue]) -> None:
        priority = self.siren.priority.name.lower()
        self._journal.note(
            EventKind.ALARM, self.siren.point, {"alarm": SOURCE, "state": state, "priority": priority, **said}
        )
