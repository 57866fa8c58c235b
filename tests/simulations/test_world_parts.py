"""What a scenario means for the parts of its world."""

from __future__ import annotations

from simulations.scenario_file import load_scenario
from simulations.world_parts import server_options


def test_chunks_are_few_unless_the_scenario_says_how_long_they_are() -> None:
    """They grow up to a second, which a world simulates fast; a length that was asked for is kept."""
    assert server_options(load_scenario("reference")).chunk_ms is None
    assert server_options(load_scenario("reference", server=["chunk_ms=20"])).chunk_ms == 20


def test_life_adds_only_what_the_scenario_leaves_open() -> None:
    """An uneven time to first byte and transport, at their usual measure or as they were set."""
    usual = server_options(load_scenario("reference", assignments=["lifelike=true"]))
    assert (usual.ttfb_cv, usual.transport) == (0.3, 0.01)
    own = server_options(load_scenario("reference", assignments=["lifelike=true"], server=["ttfb_cv=0.5"]))
    assert (own.ttfb_cv, own.transport) == (0.5, 0.01)
    ideal = server_options(load_scenario("reference"))
    assert (ideal.ttfb_cv, ideal.transport) == (0.0, 0.0)
