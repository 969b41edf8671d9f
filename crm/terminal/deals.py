"""One deal at the menu: its page, and adding, editing, moving, winning and losing one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm.commands.closing import lost_reasons
from crm.commands.deals import DealCard
from crm.commands.pipeline import stages
from crm.commands.registry import named
from crm.model import Client, Deal, Field, Stage, typed_fields
from crm.terminal.deal_cards import draw_heading, draw_history
from crm.terminal.deal_picking import pick_deal, stage_line
from crm.terminal.forms import RecordForm, fill_changes, form_order
from crm.terminal.keyboard import Back, Choice
from crm.terminal.picking import pick_client
from crm.terminal.session import Session, flow

# A command says to whom a deal belongs and where it stands; the reason comes with losing it.
_NOT_IN_FORM = frozenset(("client", "stage", "lost_reason"))
_ANOTHER = object()


class DealForm(RecordForm):
    """The form of a deal; of one that was lost the reason can be changed."""

    def fields(self) -> Sequence[Field]:
        hidden = _NOT_IN_FORM - {"lost_reason"} if self.shown.get("lost_reason") else _NOT_IN_FORM
        return [each for each in form_order(self.kind) if each.name not in hidden]


def deal_page(session: Session, deal: Deal) -> None:
    """A deal with its history, and what can be done with it, until the person goes back."""
    seen: dict[str, DealCard] = {}

    def above() -> None:
        card: DealCard = named("deals show")(session.crm, deal=deal)
        seen["card"] = card
        by = session.crm.conventions
        draw_heading(session.screen, card, by)
        # Below stand the actions, the way back and the hint.
        draw_history(session.screen, card, by, session.screen.left - len(_actions(session, card)) - 6)
        session.screen.print()

    session.menu([deal.title], lambda: _actions(session, seen["card"]), above=above)


def _actions(session: Session, card: DealCard) -> list[Choice]:
    deal = card.shown.deal

    def acts(words: str, **given: Any) -> Callable[[], None]:
        return lambda: session.start(named(words), deal=deal, **given)

    ways = [("deals move", "Move to another stage"), ("deals win", "Win it"), ("deals lose", "Lose it")]
    if deal.closed_on is not None:
        ways = [("deals reopen", "Open it again")]
    entries = [Choice(title, acts(words)) for words, title in ways]
    entries.append(Choice("Edit", acts("deals edit")))
    follow_up = named("follow-ups add")
    entries.append(Choice("Add a follow-up", lambda: session.start(follow_up, client=card.client, deal=deal)))

    def open_client() -> None:
        from crm.terminal.clients import client_page

        client_page(session, card.client)

    return [*entries, Choice("Open the client", open_client), Choice("Delete", acts("deals delete"))]


def _chosen(session: Session, deal: Deal | None, title: str) -> Deal:
    """The deal that is meant, as it is now. Raises Back."""
    session.page("Deals", title)
    if deal is None:
        deal = pick_deal(session.crm, session.keyboard, "Deal")
        session.page("Deals", title)
    if deal is None:
        raise Back
    with session.crm.read() as snapshot:
        return snapshot.get(Deal, deal.id)


@flow("deals show")
def show(session: Session, deal: Deal | None = None, **_: Any) -> None:
    """The page of a deal."""
    deal_page(session, _chosen(session, deal, "Show a deal"))


@flow("deals add")
def add(session: Session, client: Client | None = None, **_: Any) -> None:
    """For whom, what, and for how much; then it is saved or filled in further."""
    command = named("deals add")
    prompts = session.prompts
    session.page("Deals", "Add a deal")
    client = client or pick_client(session.crm, session.keyboard, "Client")
    if client is None:
        raise Back
    form = DealForm(session, Deal, {}, {})
    for name in ("title", "value"):
        session.page("Deals", "Add a deal", client.name)
        form.changes[name] = prompts.ask(command.parameters[name])
    form.changes["owner"] = session.crm.me

    def save() -> Any:
        return session.call("deals add", client=client, **form.changes)

    added: Deal = form.fill(["Deals", "Add a deal", client.name], save)
    session.say(f"{session.screen.sign('✓', 'OK:')} Added {added.title} (no. {added.id})", "green")
    deal_page(session, added)


@flow("deals edit")
def edit(session: Session, deal: Deal | None = None, **_: Any) -> None:
    """The fields by number with the old values to change; a clash with somebody else's change is settled."""

    def save(shown: Deal, changes: Mapping[str, Any]) -> Deal:
        saved: Deal = session.call("deals edit", deal=shown, changes=changes)
        return saved

    chosen = _chosen(session, deal, "Edit a deal")
    if edited := fill_changes(session, DealForm, chosen, lambda shown: shown.title, save):
        saved = edited[1]
        session.say(f"{session.screen.sign('✓', 'OK:')} Saved: {saved.title} (no. {saved.id})", "green")


@flow("deals move")
def move(session: Session, deal: Deal | None = None, to: Stage | None = None, **_: Any) -> None:
    """A stage from those there are; what ends the deal is asked for."""
    shown = _chosen(session, deal, "Move a deal")
    if to is None:
        with session.crm.read() as snapshot:
            known = [each for each in stages(snapshot) if each.id != shown.stage]
        to = session.keyboard.choose(f"Move {shown.title} to:", [Choice(stage_line(each), each) for each in known])
    if to is None:
        raise Back
    given: dict[str, Any] = {"deal": shown, "to": to}
    if to.outcome == "won" and shown.closed_on is None:
        given |= _sale(session, shown)
    elif to.outcome == "lost":
        given["reason"] = shown.lost_reason or _reason(session)
    session.tell(session.call("deals move", **given))


@flow("deals win")
def win(session: Session, deal: Deal | None = None, **_: Any) -> None:
    """For how much and when; then the sale and the status that it brought are told."""
    shown = _chosen(session, deal, "Win a deal")
    session.tell(session.call("deals win", deal=shown, **_sale(session, shown)))


def _sale(session: Session, deal: Deal) -> dict[str, Any]:
    """Amount and day of the sale: the value and today are there to be taken. Raises Back."""
    parameters = named("deals win").parameters
    by = session.crm.conventions
    check = parameters["amount"].value_check
    typed = check.edit(deal.value, by) if deal.value else ""
    session.page(deal.title, "Win it")
    amount = session.prompts.value("Amount of the sale", check, typed=typed, required=True)
    return {"amount": amount, "on": session.prompts.ask(parameters["on"])}


@flow("deals lose")
def lose(session: Session, deal: Deal | None = None, **_: Any) -> None:
    """Why it was lost: a reason that was given before, or another one."""
    shown = _chosen(session, deal, "Lose a deal")
    session.tell(session.call("deals lose", deal=shown, reason=_reason(session)))


def _reason(session: Session) -> str:
    """A known reason, or one that is typed. Raises Back."""
    with session.crm.read() as snapshot:
        known = lost_reasons(snapshot)
    entries = [*(Choice(each, each) for each in known), Choice("Another reason", _ANOTHER)]
    chosen = session.keyboard.choose("Why was it lost?", entries)
    if chosen is not _ANOTHER:
        return str(chosen)
    typed: str = session.prompts.value("Reason", typed_fields(Deal)["lost_reason"].check, required=True)
    return typed


@flow("deals reopen")
def reopen(session: Session, deal: Deal | None = None, **_: Any) -> None:
    """Back into the stage that it was in; its sale is asked about."""
    session.tell(session.call("deals reopen", deal=_chosen(session, deal, "Open a deal again")))


@flow("deals delete")
def delete(session: Session, deal: Deal | None = None, **_: Any) -> None:
    """Says what goes and what stays, and asks."""
    gone = session.call("deals delete", deal=_chosen(session, deal, "Delete a deal"))
    session.say(f"{session.screen.sign('✓', 'OK:')} Deleted {gone.title}. Press u to take it back.", "green")
