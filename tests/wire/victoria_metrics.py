"""Debian's VictoriaMetrics on a loopback port and in a folder of its own, to be stopped and started again."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.site_processes import free_ports, wait_until


@dataclass
class VictoriaMetrics:
    folder: Path
    port: int = field(default_factory=free_ports)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        program = shutil.which("victoria-metrics")
        if program is None:
            pytest.skip("victoria-metrics is not installed")
        options = (
            f"-httpListenAddr=127.0.0.1:{self.port}",
            f"-storageDataPath={self.folder / 'victoria-metrics'}",
            "-retentionPeriod=100y",
            "-search.latencyOffset=0s",
            "-loggerLevel=ERROR",
        )
        self._process = subprocess.Popen([program, *options], stderr=subprocess.DEVNULL)
        wait_until(self._is_up, "VictoriaMetrics answers")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def stored(self, name: str, **tags: str) -> list[tuple[int, float]]:
        """(milliseconds since 1970, value) of every series of that name, in order of time."""
        self._ask("/internal/force_flush")
        labels = ",".join(f"{tag}={json.dumps(value)}" for tag, value in tags.items())
        told = self._ask("/api/v1/export?" + urlencode({"match[]": f"{name}{{{labels}}}", "start": "0"}))
        series: list[dict[str, Any]] = [json.loads(line) for line in told.splitlines()]
        return sorted(pair for each in series for pair in zip(each["timestamps"], each["values"], strict=True))

    def _ask(self, path: str) -> str:
        with urlopen(self.url + path, timeout=10) as answer:
            return answer.read().decode()

    def _is_up(self) -> bool:
        try:
            return self._ask("/health") == "OK"
        except URLError:
            return False
