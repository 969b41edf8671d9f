"""The day of a sale in statements over all of them, and the month of a day."""

from typing import Any

from sqlalchemy import ColumnElement, String, cast, func

from crm.repository.tables import sale

# Not the bare column: by an index of days the sales of a long period would have to be sorted by client, or each client
# looked up for each sale, while the index by client has them in order.
bought_on: ColumnElement[Any] = func.coalesce(sale.c.on, sale.c.on)


def month(day: ColumnElement[Any]) -> ColumnElement[str]:
    """The month of a date as text, 2026-11; a date as text is the same in all databases."""
    return func.substr(cast(day, String), 1, 7)
