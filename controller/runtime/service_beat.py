"""What the service manager hears of the daemon: ready, alive while the *scan* goes on, letting go, how much longer."""

from __future__ import annotations

import asyncio

from controller.core.system import Authority
from controller.core.text import Language, Text
from controller.runtime.alarm_rows import counts
from controller.runtime.daemon import Daemon
from controller.runtime.letting_go import Releasing
from controller.runtime.notify_socket import NotifySocket

# A scan may be late; without one for this many periods nothing is told, and the service manager restarts us.
SILENT_AFTER_PERIODS = 5.0
# Within the time that the service manager gives us; one message may be lost.
BEATS_WITHIN_WATCHDOG = 3.0
LONGEST_PAUSE_S = 10.0
LOOK_FOR_FIRST_SCAN_EVERY_S = 0.1
# After the last point is let go: states, history, files.
CLOSING_S = 30.0

_AT_WORK = Text(
    "{ours} of {systems} systems ours, {held} points held, {alarms} active alarms",
    "{systems} 个系统中 {ours} 个由本控控制，持有 {held} 点，激活报警 {alarms} 个",
)
_LETTING_GO = Text("letting go: {held} points held", "正在释放：持有 {held} 点")


class ServiceBeat:
    """`run` lives beside the daemon; `letting_go` hears its progress."""

    def __init__(self, socket: NotifySocket, daemon: Daemon, language: Language) -> None:
        self._socket = socket
        self._daemon = daemon
        self._language: Language = language
        self._count = -1
        self._counted_at = 0.0
        self._is_ready = False
        self._status = ""

    async def run(self) -> None:
        pause = LONGEST_PAUSE_S
        if self._socket.watchdog is not None:
            pause = min(pause, self._socket.watchdog / BEATS_WITHIN_WATCHDOG)
        try:
            while True:
                if self._daemon.scan.count:
                    self._beat()
                await asyncio.sleep(pause if self._is_ready else LOOK_FOR_FIRST_SCAN_EVERY_S)
        finally:
            self._socket.tell("STOPPING=1", *self._alive())

    def letting_go(self, releasing: Releasing) -> None:
        """It may take as long as the site declares, and is not to be killed before."""
        left = max(0.0, releasing.within - releasing.elapsed) + CLOSING_S
        status = _LETTING_GO.in_language(self._language).format(held=len(releasing.held))
        self._socket.tell(
            "STOPPING=1", f"EXTEND_TIMEOUT_USEC={left * 1e6:.0f}", *self._alive(), *self._status_of(status)
        )

    def _beat(self) -> None:
        ready = () if self._is_ready else ("READY=1",)
        self._is_ready = True
        if told := (*ready, *self._alive(), *self._status_of(self._at_work())):
            self._socket.tell(*told)

    def _alive(self) -> tuple[str, ...]:
        """That this task runs proves nothing; that scans are counted does."""
        count, wire = self._daemon.scan.count, self._daemon.clock.wire_time()
        if count != self._count:
            self._count, self._counted_at = count, wire
        may_take = SILENT_AFTER_PERIODS * self._daemon.site.scan_every.total_seconds()
        return ("WATCHDOG=1",) if wire - self._counted_at <= may_take else ()

    def _at_work(self) -> str:
        daemon = self._daemon
        return _AT_WORK.in_language(self._language).format(
            ours=sum(each is not Authority.ORIGINAL for each in daemon.authority.values()),
            systems=len(daemon.authority),
            held=len(daemon.writer.holdings),
            alarms=counts(daemon.alarms.all)["active"],
        )

    def _status_of(self, words: str) -> tuple[str, ...]:
        if words == self._status:
            return ()
        self._status = words
        return (f"STATUS={words}",)
