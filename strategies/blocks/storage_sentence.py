"""What a plant with a tank does now and why, as one sentence."""

from __future__ import annotations

from datetime import tzinfo
from functools import lru_cache

from controller.core.text import Text
from strategies.blocks.storage_steps import CHARGE, DISCHARGE, PROOFS, STEPS
from strategies.blocks.storage_wanted import Wanted

_MODES = {CHARGE: Text("charge", "充冷"), DISCHARGE: Text("discharge", "放冷")}


# A pure function of few different arguments, asked again every scan: remembering its answers changes nothing but time.
@lru_cache(maxsize=256)
def storage_sentence(name: str, missed: str, wanted: Wanted, zone: tzinfo | None) -> Text:
    """name: of the step. missed: the proof that did not come, "" where none is missed. zone: of the hours told."""
    told = _told(name, wanted, zone)
    if not missed:
        return told
    proof = PROOFS[missed].words
    return Text(f"{told.en}; it was not proven that {proof.en}", f"{told.zh}；未能证实：{proof.zh}")


def _told(name: str, wanted: Wanted, zone: tzinfo | None) -> Text:
    step = STEPS.get(name)
    if step is None:
        en, zh = wanted.why
        return Text(f"direct, under the original controls: {en}", f"直供，由原控制运行：{zh}")
    mode = _MODES[step.mode]
    if step.awaits is not None:
        way, way_zh = ("to", "转入") if step.leave else ("back from", "退出")
        en, zh = step.awaits.words
        return Text(f"{way} {mode.en}: waits until {en}", f"{way_zh}{mode.zh}：等待{zh}")
    until = "" if wanted.until is None else wanted.until.astimezone(zone).strftime("%H:%M")
    if step.mode == DISCHARGE:
        return Text(f"discharge until {until} at the latest", f"放冷，最迟至 {until}")
    by, by_zh = ("as forecast", "按预测") if wanted.is_forecast else ("full, without a forecast", "无预测，充满")
    return Text(
        f"charge to {wanted.target:.0f} kWh ({by}), until {until} at the latest",
        f"充冷至 {wanted.target:.0f} kWh（{by_zh}），最迟至 {until}",
    )
