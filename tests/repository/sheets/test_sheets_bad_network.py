"""Programs on two machines, a network on which all goes wrong, kill -9, and a person in the sheet."""

import pytest

from tests.support.torture import far_away, run

pytestmark = pytest.mark.slow


def test_nothing_is_lost_doubled_or_wrongly_told() -> None:
    with far_away() as google:
        for seed in (1, 2):
            run(google, seed)
