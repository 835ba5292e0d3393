"""npm's node-opcua as a server on a loopback port, with certificates of its own; to be stopped and started again."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from drivers.opcua.certificates import self_signed
from tests.site_processes import free_ports

_NODE: Final = Path(__file__).parent / "node"
# Starting Node and its address space on a busy machine.
_PATIENCE_S: Final = 60.0


@dataclass(frozen=True)
class Papers:
    """A certificate and its key in PEM files."""

    certificate: Path
    private_key: Path


def papers(folder: Path, name: str, uri: str, *, days: float = 1.0) -> Papers:
    """A pair that is valid for that many days from now, or was until that many days ago."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = datetime.now(UTC)
    made = Papers(folder / f"{name}.pem", folder / f"{name}.key.pem")
    certificate = self_signed(key, uri, "localhost", now, now + timedelta(days=days))
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.private_key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    return made


@dataclass
class NodeServer:
    folder: Path
    own: Papers
    trusted: list[Path]
    port: int = field(default_factory=free_ports)
    _process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/"

    def start(self) -> None:
        program = shutil.which("node")
        if program is None or not (_NODE / "node_modules" / "node-opcua-server").is_dir():
            pytest.skip("node or its node-opcua-server is not installed; npm ci --prefix tests/wire/node")
        options = {
            "port": self.port,
            "folder": str(self.folder),
            "certificate": str(self.own.certificate),
            "privateKey": str(self.own.private_key),
            "trusted": [str(path) for path in self.trusted],
        }
        with (self.folder / "node.err").open("a") as errors:
            self._process = subprocess.Popen(
                [program, str(_NODE / "opcua_server.js"), json.dumps(options)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=_NODE,
                env={"HOME": str(self.folder), "PATH": str(Path(program).parent)},
            )
        self._until("ready")

    def set(self, name: str, value: object, status: str = "Good", source: datetime | None = None) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        line = {"node": name, "value": value, "status": status, "source": source and source.isoformat()}
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        self._until("done")

    def kill(self) -> None:
        """As a power cut does it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            for stream in (self._process.stdin, self._process.stdout):
                assert stream is not None
                stream.close()
            self._process = None

    def _until(self, word: str) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        timer = threading.Timer(_PATIENCE_S, process.kill)
        timer.start()
        try:
            for line in process.stdout:
                if line.strip() == word:
                    return
        finally:
            timer.cancel()
            timer.join()
        raise AssertionError(f"no {word!r} from node-opcua:\n{(self.folder / 'node.err').read_text()[-3000:]}")
