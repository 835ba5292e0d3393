"""tidewatt release while a daemon runs."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from controller.app import main
from controller.cli.arguments import Exit
from controller.cli.run import TellProgress
from controller.core.point import PointId
from controller.runtime.letting_go import Releasing


def test_a_daemon_is_asked_to_let_go_whatever_has_become_of_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "zh")
    (tmp_path / "site.yaml").write_text("systems: [ : {\n")
    (tmp_path / "state").mkdir()
    handed_back: list[str] = []
    systems: list[dict[str, object]] = [
        {"id": name, "held": [], "release_within_s": 5.0} for name in ("plant", "garage")
    ]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "state" / "control.sock"))
        listener.listen()

        def answer() -> None:
            for _ in range(4):  # status, a system each, status
                connection, _ = listener.accept()
                with connection, connection.makefile("rwb") as stream:
                    request = json.loads(stream.readline())
                    if request["command"] == "authority":
                        assert request["authority"] == "original"
                        handed_back.append(request["system"])
                    stream.write(json.dumps({"ok": True, "answer": {"systems": systems}}).encode() + b"\n")

        daemon = threading.Thread(target=answer)
        daemon.start()
        assert main(["release", str(tmp_path)]) == Exit.OK
        daemon.join()
    assert handed_back == ["plant", "garage"]
    assert "已全部释放" in capsys.readouterr().out


@pytest.mark.parametrize(
    "language, told",
    [
        ("en", ["letting go of 1 point (within 600 s): plant.pump_1.remote", "everything let go after 3 s"]),
        ("zh", ["正在释放 1 点（600 秒内）：plant.pump_1.remote", "3 秒后已全部释放"]),
    ],
)
def test_progress_is_told_once_for_each_change(
    language: str, told: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", language)
    tell = TellProgress()
    for held, elapsed in ((1, 1.0), (1, 2.0), (0, 3.0)):
        tell(Releasing((PointId("plant.pump_1.remote"),) * held, elapsed, 600.0))
    assert capsys.readouterr().err.splitlines() == told
