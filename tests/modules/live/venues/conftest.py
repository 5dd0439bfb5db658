"""What the tests of one broker share. A module says whose they are: `UNDER_TEST`, its peer with the adapter for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from modules.live.venues.port import Venue
from tests.modules.live.venues.peers.under_test import AccountUnderTest
from tests.modules.live.venues.undertest import Heard


@pytest.fixture
def peer(request: pytest.FixtureRequest) -> Iterator[AccountUnderTest]:
    """The broker, running."""
    found: AccountUnderTest = request.module.UNDER_TEST()
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def heard() -> Heard:
    """Where the venue is heard."""
    return Heard()


@pytest.fixture
def hurried(peer: AccountUnderTest) -> None:
    """For a venue that soon takes an order for lost."""
    peer.answer_s = 0.5


@pytest.fixture
def venue(peer: AccountUnderTest, heard: Heard) -> Iterator[Venue]:
    """An open venue before it."""
    found = peer.adapter()
    found.open(heard)
    try:
        yield found
    finally:
        found.close()
