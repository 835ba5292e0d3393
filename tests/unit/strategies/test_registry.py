"""The registry: every strategy is what its name says, and no two share a name."""

from __future__ import annotations

import ast
import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from controller.core.equipment import EQUIPMENT
from controller.core.point import PointKind
from controller.core.state_codec import decode, encode
from controller.core.strategy import Role, StrategyKind
from strategies import STRATEGIES, strategy_kind
from strategies._blueprint import KIND as BLUEPRINT

ROOT = Path(__file__).resolve().parents[3]
KINDS = [*map(strategy_kind, sorted(STRATEGIES)), BLUEPRINT]


def counts(kind: StrategyKind) -> dict[str, int]:
    return {name: max(1, member.least) for name, member in kind.members.items()}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
class TestEveryKind:
    def test_has_parameters_with_defaults_that_pass_their_own_bounds(self, kind: StrategyKind) -> None:
        adapter = TypeAdapter(kind.parameters)
        assert adapter.validate_python(adapter.dump_python(kind.parameters())) == kind.parameters()

    def test_refuses_an_unknown_parameter(self, kind: StrategyKind) -> None:
        with pytest.raises(ValueError, match="hold_tmie"):
            TypeAdapter(kind.parameters).validate_python({"hold_tmie": 3})

    def test_uses_quantities_that_its_equipment_has(self, kind: StrategyKind) -> None:
        strategy = kind.build(kind.parameters(), counts(kind))
        for role in [*strategy.inputs, *strategy.outputs]:
            quantities = EQUIPMENT[kind.members[role.member].equipment].quantities
            assert role.quantity in quantities
            written = quantities[role.quantity].kind in (PointKind.COMMAND, PointKind.SETPOINT)
            assert written is (role in strategy.outputs)

    def test_writes_to_every_equipment_bound_to_it(self, kind: StrategyKind) -> None:
        many = {name: member.most for name, member in kind.members.items()}
        outputs = kind.build(kind.parameters(), many).outputs
        members = {role.member for role in outputs}
        assert {Role(*role[:2], "") for role in outputs} == {
            Role(name, ordinal, "") for name in members for ordinal in range(many[name])
        }

    def test_has_a_state_that_can_be_stored(self, kind: StrategyKind) -> None:
        state = kind.build(kind.parameters(), counts(kind)).initial()
        assert isinstance(state, kind.state)
        assert decode(kind.state, encode(state)) == state

    def test_can_go_to_another_process(self, kind: StrategyKind) -> None:
        strategy = kind.build(kind.parameters(), counts(kind))
        assert pickle.loads(pickle.dumps(strategy)).outputs == strategy.outputs

    def test_is_described(self, kind: StrategyKind) -> None:
        assert kind.title.en
        assert kind.title.zh
        if kind.name in STRATEGIES:
            page = (ROOT / "docs" / "strategies" / f"{kind.name}.md").read_text()
            names = {field.name for field in dataclasses.fields(kind.parameters)}
            assert {name for name in names if f"`{name}`" not in page} == set()


def test_loading_them_is_light() -> None:
    """Numpy and pvlib belong to plans, which run in another process."""
    code = (
        "import sys, strategies\nfor name in strategies.STRATEGIES: strategies.strategy_kind(name)\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"numpy", "pandas", "pvlib", "pydantic", "scipy"} & set(done.stdout.split()) == set()


def test_no_strategy_imports_another_or_anything_of_ours_but_core() -> None:
    for path in (ROOT / "strategies").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                ours = node.module.split(".")[0] in {"controller", "drivers", "simulator", "strategies"}
                assert not ours or node.module.startswith(("controller.core.", "strategies.blocks.")), path


def test_every_quantity_has_its_term() -> None:
    """docs/nomenclature.md is the single list; a valve's status and position are there as `..._status`."""
    page = (ROOT / "docs" / "nomenclature.md").read_text()
    quantities = {name for each in EQUIPMENT.values() for name in each.quantities}
    missing = {name for name in quantities if f"`{name}`" not in page and "_valve_" not in name}
    assert missing == set()
