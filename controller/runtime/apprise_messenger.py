"""Messages through Apprise: WeCom, DingTalk, Feishu, e-mail, web hooks, MQTT and whatever else it knows.

Apprise blocks, so each message has a thread of its own for a short time; one that hangs is left to itself, and there
are never more than a few.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import Any

from controller.runtime.message_words import Message
from controller.runtime.outbox import NotDelivered

# Fewer than the threads that Apprise shares among all messages (five on one core): none waits for one that hangs.
MOST_AT_ONCE = 4


class AppriseMessenger:
    """The library is imported by the first message, on that message's thread."""

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)
        # It logs every failure; ours are logged once, and without the address.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)

    async def deliver(self, address: str, message: Message) -> None:
        if not self._free.acquire(blocking=False):
            raise NotDelivered(f"{MOST_AT_ONCE} earlier messages still hang")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str] = loop.create_future()

        def answer(trouble: str) -> None:
            if not done.done():
                done.set_result(trouble)

        def send() -> None:
            trouble = "it failed in a way that nobody expected"
            try:
                trouble = _notify(address, message)
            finally:
                self._free.release()
                # Nobody waits any more where the loop is closed.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(answer, trouble)

        threading.Thread(target=send, name="message", daemon=True).start()
        trouble = await done
        if trouble:
            raise NotDelivered(trouble)


def _notify(address: str, message: Message) -> str:
    """Blocks. Answers what is wrong, "" where the messenger took it."""
    import apprise  # 0.5 s and 25 MiB: only sites that tell somebody pay

    messengers: Any = apprise.Apprise()
    if not messengers.add(address):
        return "this is no address that Apprise knows"
    if messengers.notify(body=message.body, title=message.title, body_format=apprise.NotifyFormat.TEXT):
        return ""
    return f"{address.partition('://')[0]} refused it or did not answer"
