"""A decision that is said to stand, stands: asked again before its time is over, a strategy says the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.virtual_demo import Run, live

DAWN = datetime(2026, 7, 5, 20, 30, tzinfo=UTC)  # half past four in Shenzhen
LOOKS = 24


@pytest.mark.slow
def test_what_is_steady_is_decided_again() -> None:
    steady: dict[str, int] = {}

    async def life(this: Run) -> None:
        await this.wait(90)
        for _ in range(LOOKS):
            await this.wait(317)
            for mounted in this.daemon.strategies:
                assert this.daemon.scan.frozen is not None
                seen = replace(mounted.observe(this.daemon.scan.frozen), elapsed=1.0)
                first = mounted.mount.strategy.decide(seen, mounted.state)
                if first.steady_until is None:
                    continue
                steady[mounted.mount.id] = steady.get(mounted.mount.id, 0) + 1
                span = first.steady_until - seen.now
                assert span > timedelta(0)
                for share in (0.001, 0.37, 0.999):
                    later = seen.now + share * span
                    again = mounted.mount.strategy.decide(
                        replace(
                            seen,
                            now=later,
                            local=later.astimezone(this.site.zone),
                            elapsed=max(0.1, (later - seen.now).total_seconds()),
                        ),
                        first.state,
                    )
                    assert (again.state, again.requests, again.reason) == (first.state, first.requests, first.reason)

    run = live(DAWN, life)
    assert set(steady) == {mounted.mount.id for mounted in run.daemon.strategies}, "each of them is steady at times"
