"""What needs doing, page by page."""

from datetime import timedelta
from decimal import Decimal

from crm.commands.agenda import SOURCES, AgendaItem
from crm.model import Deal, FollowUp, Message
from tests.commands.conftest import TODAY, Office


def key(item: AgendaItem) -> tuple[str, int]:
    return item.record.kind_name, item.record.id


def test_pages_are_the_whole_list_in_pieces(office: Office) -> None:
    client = office.add()
    long_ago = office.open(today=TODAY - timedelta(days=1200))
    long_ago.transact(
        lambda tx: [tx.add(Deal(client=client.id, title="Quiet", owner="Bo")) for _ in range(4)], "made by a test"
    )

    def change(tx: object) -> None:
        for number in range(5):
            day = TODAY - timedelta(days=number * 300)
            tx.add(FollowUp(client=client.id, user="anna", due_on=day, what="call"))  # type: ignore[attr-defined]
            closes = TODAY - timedelta(days=1 + number)
            tx.add(Deal(client=client.id, title="Late", value=Decimal(1), expected_close_on=closes))  # type: ignore[attr-defined]
            failed = Message(client=client.id, channel="email", direction="out", state="failed", on=TODAY)
            tx.add(failed)  # type: ignore[attr-defined]

    office.crm.transact(change, "made by a test")
    whole = office("agenda", limit=100)
    assert whole.count == len(whole.items) == 19
    assert len({each.record.kind_name for each in whole.items}) == 3 == len(SOURCES) - 1
    ranks = [each.rank for each in whole.items]
    assert ranks == sorted(ranks, reverse=True)
    for size in (1, 3, 7):
        pages = [office("agenda", limit=size, offset=offset) for offset in range(0, 22, size)]
        assert [key(each) for page in pages for each in page.items] == [key(each) for each in whole.items]
        assert {page.count for page in pages} == {19}
    assert office("agenda", mine=True, limit=2, offset=4).items[0].record.user == "anna"  # type: ignore[attr-defined]
    assert office("agenda", mine=True).others == 19 - office("agenda", mine=True).count
