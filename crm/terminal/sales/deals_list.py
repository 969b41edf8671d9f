"""The list of deals at the menu: by stage, filtered, mine or everyone's, with what they add up to."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.registry import named
from crm.commands.sales.deals import DealList
from crm.commands.sales.pipeline import DealShown
from crm.terminal.console.keyboard import Choice
from crm.terminal.sales.rendering import DEALS, WHAT_A_DEAL_IS, added_up, deal_side
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import draw_above_client

_FILTERS: Mapping[str, str] = {
    "client": "Client",
    "stage": "Stage",
    "owner": "Owned by",
    "since": "Expected close from",
    "until": "Expected close to",
    "text": "Text",
    "won": "Won only",
    "lost": "Lost only",
    "all_": "Open, won and lost",
}
# With these, too, the open deals alone are listed.
_OPEN_ALONE = frozenset(("client", "mine", "owner", "since", "until", "text"))


@list_page
class DealsPage(ListPage):
    """Deals, the open ones by default."""

    title = "Deals"
    purpose = WHAT_A_DEAL_IS
    lettered: Mapping[str, letters.Letter] = {
        "deals edit": letters.EDIT,
        "deals delete": letters.DELETE,
        "deals win": letters.WON,
        "deals lose": letters.LOST,
    }
    columns = DEALS
    command = "deals list"
    holds = "deal"
    sorts: Mapping[str, str] = {
        "Stage": "stage",
        "Value": "value",
        "Expected close": "expected_close_on",
        "Title": "title",
        "Client": "client",
        "In stage since": "stage_since",
        "Date added": "created_at",
    }
    downwards = frozenset(("value", "created_at"))
    filter_by = _FILTERS
    plural = "open deals"
    left_out = ("all_", "won or lost")
    rivals = (frozenset(("mine", "owner")), frozenset(("won", "lost", "all_")))
    show_all = "Show open deals again"
    result: DealList | None

    def listed(self) -> Sequence[Any]:
        return self.result.deals if self.result else ()

    def count(self) -> int | None:
        return self.result.count if self.result else None

    def narrowed(self) -> str:
        is_open = bool(self.result and self.result.count) and _OPEN_ALONE.issuperset(self.filters)
        listed = [super().narrowed(), "open" if is_open else ""]
        sums = [added_up(self.result, self.session.crm.conventions)] if self.result and self.result.count else []
        return ", ".join([*filter(None, listed), *sums])

    def filter_text(self, name: str, value: Any) -> str:
        if name == "all_":
            return "open, won and lost"
        return f"{'closing ' if name in ('since', 'until') else ''}{super().filter_text(name, value)}"

    def card(self, row: DealShown) -> Sequence[tuple[str, str]]:
        deal = deal_side(self.session.screen, row, self.session.conventions)
        return draw_above_client(self.session, deal, row.deal.client)

    def keys(self) -> Sequence[Choice]:
        keys = [letters.NEW(self.starts("deals add"), "deal"), self.filter_key(), self.mine_key()]
        if not self.session.screen.plain:
            keys.append(letters.BOARD(lambda: self.session.start(named("deals board"))))
        return [*keys, *self.session.more("deals board")]
