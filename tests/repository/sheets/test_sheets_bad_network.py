"""Torture: programs on two machines, a network that fails in every way, kill -9, and a person in the sheet."""

import pytest

from tests.support.torture import far_away, run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_doubled_or_wrongly_reported(seed: int) -> None:
    with far_away() as google:
        run(google, seed)
