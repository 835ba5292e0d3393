"""The demo building is one building, whatever its trades are wired by."""

from __future__ import annotations

from pathlib import Path

from controller.cli.site_folder import load_site

SITES = Path(__file__).resolve().parents[3] / "config" / "sites"


def test_the_demo_on_four_protocols_differs_from_the_demo_in_its_wires_only() -> None:
    one, other = SITES / "demo", SITES / "demo_protocols"
    assert (one / "strategies.yaml").read_bytes() == (other / "strategies.yaml").read_bytes()
    lines, same = ((each / "site.yaml").read_text(encoding="utf-8").splitlines() for each in (one, other))
    assert [pair for pair in zip(lines, same, strict=True) if pair[0] != pair[1]] == [
        ("name: Demo tower, Shenzhen", "name: Demo tower on four protocols, Shenzhen")
    ]
    # Behind a priority array a circuit needs no remote bit.
    assert load_site(one).points.keys() - load_site(other).points.keys() == {"outdoor.lighting_1.remote"}
