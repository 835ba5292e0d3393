"""A week of the demo site, backtested: how long it takes, and what it says.

All sides run as `tidewatt backtest` runs them, each in its process.

    .venv/bin/python benchmarks/backtest.py
    .venv/bin/python benchmarks/backtest.py --days 2 --rounds 1
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from controller.cli.backtest import SCAN_EVERY
from controller.cli.backtest_cases import Backtest, Case, run_backtest
from controller.cli.backtest_sides import COMPETENT, ORIGINAL, SIDES, TIDEWATT
from controller.cli.site_folder import load_site
from controller.cli.virtual_days import Period

DEMO = Path(__file__).resolve().parent.parent / "config" / "sites" / "demo"
MONDAY = date(2026, 7, 6)


def main() -> int:
    parser = argparse.ArgumentParser(description="a week of the demo site, backtested")
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    site = load_site(DEMO)
    period = Period(MONDAY, MONDAY + timedelta(days=given.days), SCAN_EVERY)
    backtest = Backtest(site, period, SIDES, [Case(0)], {})
    times: list[float] = []
    answers = set[str]()
    for number in range(given.rounds):
        began = time.perf_counter()
        result = run_backtest(backtest, None, lambda _: None, lambda: False)
        times.append(time.perf_counter() - began)
        assert result is not None
        outcome = result.nominal
        answers.add(repr(outcome.totals))
        bills = " -> ".join(f"{outcome.totals[side.name].money:,.2f}" for side in SIDES)
        against = [outcome.saved_against[each.name][TIDEWATT.name].money for each in (ORIGINAL, COMPETENT)]
        saved = f"{against[0]:,.2f} against original, {against[1]:,.2f} against competent"
        print(f"round {number + 1}: {times[-1]:.1f} s; {bills}; saved at equal cooling {saved}")
    spread = f"{min(times):.1f} to {max(times):.1f}"
    print(
        f"median {statistics.median(times):.1f} s [{spread}] for {given.days} days, {len(answers)} different answer(s)"
    )
    return 0 if len(answers) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
