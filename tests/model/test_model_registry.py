"""Records: declarations that do not go together are refused before anything is stored."""

from dataclasses import replace

import pytest

from crm.model import RECORDS, Client, Sale
from crm.model.kind import Kind
from crm.model.registry import _refuse_wrong


@pytest.mark.parametrize(
    ("about", "message"),
    [
        (replace(Sale.about, name="client"), "client"),
        (replace(Sale.about, tab=Client.about.tab), str(Client.about.tab.number)),
        (replace(Sale.about, sums=(*Sale.about.sums, Sale.about.sums[0])), Sale.about.sums[0].name),
    ],
)
def test_what_is_declared_twice_is_refused(about: Kind, message: str) -> None:
    wrong = type("Wrong", (Sale,), {"about": about})
    with pytest.raises(ValueError, match=message):
        _refuse_wrong([*(kind for kind in RECORDS if kind is not Sale), wrong])


def test_a_client_feeds_no_sum() -> None:
    wrong = type("Wrong", (Client,), {"about": replace(Client.about, sums=Sale.about.sums)})
    with pytest.raises(ValueError, match="feeds no sum"):
        _refuse_wrong([wrong])
