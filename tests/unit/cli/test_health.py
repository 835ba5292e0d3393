"""tidewatt health where nothing runs, as a person or a monitoring system types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.app import main
from controller.cli.arguments import Exit


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "en")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = str(tmp_path / "nowhere")
    assert main(["health", nowhere]) == Exit.ENVIRONMENT
    told = capsys.readouterr().out
    assert f"{nowhere} is no site" in told
    assert "name the site's folder" in told
    assert main(["health", nowhere, "--nagios"]) == 2
    assert capsys.readouterr().out.startswith("TIDEWATT CRITICAL - ")
