"""strategies.yaml as it may be written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from controller.core.strategy import Mode
from controller.settings.schema.words import Entry, EquipmentId, Id, Label, Span


class StrategyEntry(Entry):
    id: Id
    strategy: Label
    mode: Mode
    bind: Mapping[str, EquipmentId | Annotated[tuple[EquipmentId, ...], Field(min_length=1)]]
    priority: Literal["demand_response", "optimisation", "strategy", "schedule"] = "strategy"
    lease: Span = timedelta(seconds=60)
    parameters: Mapping[str, Any] = Field(default_factory=dict[str, Any])


class StrategiesFile(Entry):
    strategies: tuple[StrategyEntry, ...]
