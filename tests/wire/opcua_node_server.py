"""npm's node-opcua as a server on a loopback port, with certificates of its own; to be stopped and started again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from drivers.opcua.certificates import self_signed
from tests.site_processes import free_ports
from tests.wire.node_program import FOLDER, NodeProgram, node_with


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
    _program: NodeProgram | None = None

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/"

    def start(self) -> None:
        node = node_with("node-opcua-server")
        options = {
            "port": self.port,
            "folder": str(self.folder),
            "certificate": str(self.own.certificate),
            "privateKey": str(self.own.private_key),
            "trusted": [str(path) for path in self.trusted],
        }
        self._program = NodeProgram(
            [node, str(FOLDER / "opcua_server.js"), json.dumps(options)],
            _ignored,
            self.folder / "node.err",
            {"HOME": str(self.folder), "PATH": str(Path(node).parent)},
        )
        self._program.until("ready")

    def set(self, name: str, value: object, status: str = "Good", source: datetime | None = None) -> None:
        assert self._program is not None
        self._program.say({"node": name, "value": value, "status": status, "source": source and source.isoformat()})

    def kill(self) -> None:
        """As a power cut does it."""
        program, self._program = self._program, None
        if program is not None:
            program.kill()


def _ignored(line: str) -> None:
    """What the server says of itself."""
