"""A server with BOPTEST's REST API on loopback, in threads of its own.

Requests, envelope and wording of errors after the project's documentation and its restapi.py; the plant is ours.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.boptest_case import DAY, HOUR, Case, Listed


class Refusal(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


Oddity = Callable[[], "tuple[int, bytes] | None"]


class BoptestServer:
    """A hand on it: `hang`, `stop`, `odd` (what a request is answered instead). has_many: whether a test id follows
    each request, as where the project's web service runs. asked: is called when a request meets a hung server."""

    def __init__(self, case: Case, *, has_many: bool = False) -> None:
        self.case = case
        self.has_many = has_many
        self.test_id = ""
        self.time = 0.0
        self.end = math.inf
        self.communication_step = HOUR
        self.told: dict[str, float] = {}
        self.stored: list[dict[str, float]] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.odd: dict[str, Oddity] = {}
        self.asked: Callable[[], None] = lambda: None
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self._answers = threading.Event()
        self._answers.set()
        self._turn = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                given = ours.serve(self.command, self.path.strip("/"), body)
                if given is None:
                    return
                status, content = given
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = answer

            def log_message(self, format: str, *args: object) -> None: ...

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    return

        class Server(ThreadingHTTPServer):
            daemon_threads = False

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))
        self._thread.start()

    def stop(self) -> None:
        """What hangs is hung up on."""
        server, self._server = self._server, None
        if server is None:
            return
        self._answers.set()
        server.shutdown()
        server.server_close()
        if self._thread is not None:
            self._thread.join()

    def hang(self) -> None:
        self._answers.clear()

    def resume(self) -> None:
        self._answers.set()

    def wait(self) -> None:
        """Until it hangs no longer."""
        self._answers.wait()

    # --- requests

    def serve(self, method: str, path: str, body: bytes) -> tuple[int, bytes] | None:
        """Status and content; None to hang up without an answer."""
        if not self._answers.is_set():
            self.asked()
            self._answers.wait()
            if self._server is None:
                return None
        request, _, test_id = path.partition("/")
        with self._turn:
            given: Any = json.loads(body) if body else {}
            self.requests.append((method, path, given))
            if request in self.odd:
                return self.odd[request]()
            if request in ("testcases", "stop"):
                return self._service(path)
            if request == "version":
                return _enveloped({"version": "0.9.0"})
            if self.has_many and (not test_id or test_id != self.test_id):
                return 400, b'{"errors":[{"msg":"Invalid testid"}]}'
            return self.answered(f"{method} {request}", given)

    def answered(self, request: str, given: dict[str, Any]) -> tuple[int, bytes]:
        """What a proper server answers."""
        try:
            return _enveloped(self._answer(request, given))
        except Refusal as refusal:
            return _enveloped(None, refusal.status, str(refusal))

    def _service(self, path: str) -> tuple[int, bytes]:
        if not self.has_many:
            return 404, b'{"message": "The requested URL was not found on the server."}'
        if path == "testcases":
            return 200, json.dumps([{"testcaseid": self.case.name}]).encode()
        if path == f"testcases/{self.case.name}/select":
            self.test_id = "6f0c-test"
            return 200, json.dumps({"testid": self.test_id}).encode()
        if path == f"stop/{self.test_id}":
            self.test_id = ""
            return 200, b"OK"
        return 404, b"Not Found"

    def _answer(self, request: str, given: dict[str, Any]) -> Any:
        answers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "GET name": lambda _: {"name": self.case.name},
            "GET inputs": lambda _: {
                **_listed(self.case.inputs),
                **{_activation(name): _said(Listed(None)) for name in self.case.inputs},
            },
            "GET measurements": lambda _: _listed(self.case.measurements),
            "GET forecast_points": lambda _: _listed(self.case.forecasts),
            "GET kpi": lambda _: self.case.kpis(),
            "PUT step": self._set_step,
            "PUT initialize": lambda said: self._begin(
                float(said["start_time"]), float(said["warmup_period"]), math.inf
            ),
            "PUT scenario": self._scenario,
            "PUT results": self._results,
            "PUT forecast": self._forecast,
            "POST advance": self._advance,
        }
        if request not in answers:
            raise Refusal(404, "The requested URL was not found on the server.")
        return answers[request](given)

    def _set_step(self, given: dict[str, Any]) -> dict[str, float]:
        self.communication_step = float(given["step"])
        return {"step": self.communication_step}

    def _begin(self, start: float, warmup: float, end: float) -> dict[str, float]:
        self.case.begin()
        self.told.clear()
        self.time, self.end = max(start - warmup, 0.0), end
        while self.time < start:
            self._live(min(HOUR, start - self.time))
        self.case.begin()
        self.stored = [self._state()]
        return self._state()

    def _results(self, given: dict[str, Any]) -> dict[str, list[float]]:
        rows = [row for row in self.stored if given["start_time"] <= row["time"] <= given["final_time"]]
        return {name: [row[name] for row in rows] for name in ("time", *given["point_names"])}

    def _scenario(self, given: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {"electricity_price": given.get("electricity_price"), "time_period": None}
        if (period := given.get("time_period")) is not None:
            if period != "peak_heat_day":
                raise Refusal(400, f"Scenario parameter time_period is {period}, but should be one of: peak_heat_day.")
            answer["time_period"] = self._begin(14.0 * DAY, 7.0 * DAY, 28.0 * DAY)
        return answer

    def _advance(self, given: dict[str, Any]) -> dict[str, float]:
        known = {*self.case.inputs, *map(_activation, self.case.inputs)}
        for name in given:
            if name not in known:
                raise Refusal(400, f"Unexpected input variable: {name}.")
        if self.time >= self.end:
            return {}
        # As with a real case: an input that is not named keeps what it was told last.
        self.told.update({name: float(value) for name, value in given.items()})
        self._live(min(self.communication_step, self.end - self.time))
        return self._state()

    def _live(self, seconds: float) -> None:
        told = {
            name: min(max(self.told[name], listed.low or -math.inf), listed.high or math.inf)
            for name, listed in self.case.inputs.items()
            if self.told.get(_activation(name)) == 1.0 and name in self.told
        }
        self.case.step(self.time, seconds, told)
        self.time += seconds
        self.stored.append(self._state())

    def _state(self) -> dict[str, float]:
        names = [*self.case.measurements, *self.case.inputs]
        return {"time": self.time, **{name: self.case.value(name) for name in names}}

    def _forecast(self, given: dict[str, Any]) -> dict[str, list[float]]:
        count = int(given["horizon"] // given["interval"]) + 1
        times = [self.time + number * given["interval"] for number in range(count)]
        series = {name: [self.case.forecast(name, time) for time in times] for name in given["point_names"]}
        return {"time": times, **series}


def _activation(name: str) -> str:
    return name.removesuffix("_u") + "_activate"


def _said(listed: Listed) -> dict[str, Any]:
    return {"Unit": listed.unit, "Description": "a signal", "Minimum": listed.low, "Maximum": listed.high}


def _listed(signals: Mapping[str, Listed]) -> dict[str, Any]:
    return {name: _said(listed) for name, listed in signals.items()}


def _enveloped(payload: Any, status: int = 200, message: str = "") -> tuple[int, bytes]:
    return status, json.dumps({"status": status, "message": message, "payload": payload}).encode()
