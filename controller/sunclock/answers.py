"""The small web server behind the link of a message: shows what was asked, and takes "done".

A link is only looked at by GET, for chat programs and virus scanners open every link; the answer is the button's POST.
No list, no login: a page shows one task to whoever holds its word. Meant for behind a proxy that speaks TLS.
"""

from __future__ import annotations

import asyncio
from html import escape
from typing import Any

from aiohttp import web

from controller.core.errors import EnvironmentProblem
from controller.core.ports import Clock
from controller.core.text import Text
from controller.reports.page import document
from controller.sunclock.tasks import ANSWER_PATH, Task, Tasks

LONGEST_WHO = 40
_LARGEST_FORM = 4096  # bytes

_TITLE = Text("Outdoor lamps", "室外灯")
_DONE = Text("Done", "完成")
_THANKS = Text("Thank you, it is noted as done.", "谢谢，已登记完成。")
_WAS_DONE = Text("It is noted as done.", "已登记完成。")
_NAME = Text("your name (may stay empty)", "姓名（可不填）")
_UNKNOWN = Text("This link belongs to no task.", "此链接无对应任务。")
_STYLE = """
body { font-size: 14pt; margin: 6mm; } input, button { font-size: 16pt; padding: 3mm; margin: 2mm 0; width: 100%; }
button { background: #f5a300; border: 0; font-weight: bold; } pre { white-space: pre-wrap; font: inherit; }
"""


async def serve(tasks: Tasks, clock: Clock, host: str, port: int, stop: asyncio.Event, told: Any) -> None:
    """Until `stop` is set. told: called with the port once it listens. Raises EnvironmentProblem where it cannot."""
    application = web.Application(client_max_size=_LARGEST_FORM)
    answers = _Answers(tasks, clock)
    application.router.add_get(ANSWER_PATH + "{word}", answers.show)
    application.router.add_post(ANSWER_PATH + "{word}", answers.take)
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=5.0, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise EnvironmentProblem(f"{host}:{port} cannot be listened at: {error.strerror}") from error
        told(runner.addresses[0][1])
        await stop.wait()
    finally:
        await runner.cleanup()


class _Answers:
    def __init__(self, tasks: Tasks, clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock

    async def show(self, request: web.Request) -> web.Response:
        task = self._tasks.find(request.match_info["word"])
        if task is None:
            return _page(_paragraph(_UNKNOWN), 404)
        return _page(_request(task) + (_form() if task.done is None else _paragraph(_WAS_DONE)))

    async def take(self, request: web.Request) -> web.Response:
        form = await request.post()
        who = form.get("who", "")
        name = " ".join(who.split())[:LONGEST_WHO] if isinstance(who, str) else ""
        task = self._tasks.answer(request.match_info["word"], self._clock.now(), name)
        if task is None:
            return _page(_paragraph(_UNKNOWN), 404)
        return _page(_request(task) + _paragraph(_THANKS))


def _request(task: Task) -> str:
    return f"<h1>{escape(task.place)} {task.day:%Y-%m-%d}</h1><pre>{escape(task.request)}</pre>"


def _form() -> str:
    return (
        f'<form method="post"><label>{_both(_NAME)}<input name="who" maxlength="{LONGEST_WHO}"></label>'
        f"<button>{_both(_DONE)}</button></form>"
    )


def _paragraph(text: Text) -> str:
    return f"<p>{_both(text)}</p>"


def _both(text: Text) -> str:
    return f"{escape(text.en)} · {escape(text.zh)}"


def _page(body: str, status: int = 200) -> web.Response:
    page = document(_TITLE.en, "en", _STYLE, body)
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
    return web.Response(text=page, status=status, content_type="text/html", headers=headers)
