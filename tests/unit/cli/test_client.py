"""A command's side of the control socket."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from controller.cli.client import DaemonNotRunning, ask
from controller.core.errors import EnvironmentProblem


def test_a_daemon_whose_site_file_is_gone_is_reached(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "state" / "control.sock"))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb") as stream:
                stream.readline()
                stream.write(b'{"ok": true, "answer": "here"}\n')

        daemon = threading.Thread(target=answer)
        daemon.start()
        assert ask(tmp_path, "status") == "here"
        daemon.join()


def test_a_folder_with_nothing_in_it_is_no_site(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="is no site") as told:
        ask(tmp_path, "status")
    assert not isinstance(told.value, DaemonNotRunning)
