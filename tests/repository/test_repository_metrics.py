"""The fields that metrics are made of."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crm.model import Client
from crm.repository import metrics
from crm.rules.metrics import METRICS
from tests.support.clocks import TODAY, standing_on


class _Noting:
    """A client that notes which of its fields are read."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.noted: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.noted.add(name)
        return getattr(self._client, name)


@pytest.mark.parametrize("name", METRICS)
def test_the_fields_that_a_metric_is_made_of_are_known(name: str) -> None:
    on = ("last_sale_on", "first_sale_on", "last_contact_on", "next_follow_up_on", "date_of_birth")
    client = Client(**dict.fromkeys(on, TODAY), created_at=datetime(2026, 1, 1, tzinfo=UTC), sales_count=2)
    noting: Any = _Noting(client)
    metrics.value(noting, name, None, standing_on())
    assert noting.noted <= set(metrics.fields_read([name]))
