"""What a scenario holds: how many calls, and where a change of their number goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.scenario import Group, Scenario

COUNTS = st.lists(st.integers(0, 20), min_size=1, max_size=4)


def scenario(counts: list[int]) -> Scenario:
    """Return a scenario with groups of so many calls."""
    return Scenario(name="test", groups=tuple(Group(name=f"g{i}", calls=count) for i, count in enumerate(counts)))


@given(COUNTS, st.integers(0, 80))
def test_the_first_group_takes_the_change(counts: list[int], calls: int) -> None:
    """The others keep theirs; fewer in all than they have is refused."""
    before = scenario(counts)
    if calls < sum(counts[1:]):
        with pytest.raises(ValueError, match=f"^{calls} calls: the groups but the first have {sum(counts[1:])}$"):
            before.with_calls(calls)
        return
    after = before.with_calls(calls)
    assert after.calls == calls
    assert after.groups[1:] == before.groups[1:]


def test_the_defaults_are_what_every_scenario_begins_with() -> None:
    """Four calls, one hour, fast, ideal, over the wire; and the program knows the provider's limits."""
    default = Scenario(name="test")
    assert (default.calls, default.hours, default.profile) == (4, 1.0, "fast")
    assert (default.lifelike, default.wire, default.policy) == (False, True, "deadline")
    provider, server = default.settings.provider, default.server
    assert (provider.slots, provider.links) == (server.slots, server.links)
