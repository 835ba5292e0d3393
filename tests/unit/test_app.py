"""The list of commands, which is told without loading them."""

from __future__ import annotations

import pytest

from controller.app import COMMANDS, main, parser


def told(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        parser(command).parse_args(["--help"])
    return capsys.readouterr().out


def test_each_command_is_listed_as_it_describes_itself(capsys: pytest.CaptureFixture[str]) -> None:
    unloaded = told("", capsys)
    assert unloaded.count("\n") > len(COMMANDS)
    for command in COMMANDS:
        assert told(command, capsys) == unloaded, command


def test_a_command_that_does_not_exist_is_told_with_those_that_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sunclok"])
    assert ended.value.code == 2
    assert "invalid choice: 'sunclok' (choose from 'demo', " in capsys.readouterr().err
