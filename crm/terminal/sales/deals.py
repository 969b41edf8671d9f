"""One deal at the menu: its page, and adding, editing, moving, winning and losing one."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from crm.commands.registry import named
from crm.commands.sales.deals import DealCard
from crm.commands.sales.outcomes import lost_reasons, sales_of, same_sale_question
from crm.commands.sales.pipeline import stages
from crm.model import Client, Deal, Field, Stage
from crm.terminal.console.keyboard import Choice
from crm.terminal.sales.foreseen import foresee_sale
from crm.terminal.sales.picking import stage_line
from crm.terminal.sales.rendering import draw_heading, draw_history
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.forms import RecordForm, form_order
from crm.terminal.toolkit.latest import latest_with
from crm.terminal.toolkit.pages import Pieces, draw_side_card, record_flow
from crm.terminal.toolkit.record_actions import deletes, edits
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import Answers, Step, in_steps

# Commands set the client and the stage of a deal; the reason is given when it is lost.
_NOT_IN_FORM = frozenset(("client", "stage", "lost_reason"))
_ANOTHER = object()


class DealForm(RecordForm):
    """The form of a deal; of one that was lost the reason can be changed."""

    needed = frozenset(("title",))

    def fields(self) -> Sequence[Field]:
        hidden = _NOT_IN_FORM - {"lost_reason"} if self.original.get("lost_reason") else _NOT_IN_FORM
        return [field for field in form_order(self.kind) if field.name not in hidden]


@record_page(Deal)
class DealPage(RecordPage[Deal, DealCard]):
    """A deal with its history, and what can be done with it."""

    command = "deals show"

    def current(self) -> Deal:
        return self.card.item.deal

    def draw(self) -> None:
        screen, by = self.session.screen, self.session.conventions
        draw_heading(screen, self.card, by)
        # Below stand the actions, the way back and the hint.
        entries = len(self.entries())
        draw_history(screen, self.card, by, screen.left - entries - 6)
        latest_with(self.session, self.card.client, entries)

    def beside(self) -> Pieces:
        return draw_side_card(self.session, Client, self.record.client)

    def keys(self) -> Sequence[Choice]:
        ends = {"deals win": letters.WON, "deals lose": letters.LOST} if self.record.closed_on is None else {}
        acts = {**ends, "deals edit": letters.EDIT, "deals delete": letters.DELETE}
        return [letter(self.starts(words)) for words, letter in acts.items()]

    def entries(self) -> Sequence[Choice]:
        client = self.card.client
        ways = [("deals move", "Move to another stage"), ("deals win", "Mark as won"), ("deals lose", "Mark as lost")]
        if self.record.closed_on is not None:
            ways = [("deals reopen", "Reopen")]
        entries = [Choice(title, self.starts(words), instant=words == "deals reopen") for words, title in ways]
        if self.card.item.stage.outcome == "won":
            entries.insert(0, Choice("Draft an invoice", self._starts_for_client("invoices add")))
        return [
            *entries,
            Choice("Edit", self.starts("deals edit")),
            Choice("Add a follow-up", self._starts_for_client("follow-ups add")),
            Choice("Open the client", lambda: self.session.open(client)),
            Choice("Delete", self.starts("deals delete")),
        ]

    def _starts_for_client(self, words: str) -> Callable[[], None]:
        deal, client = self.record, self.card.client
        return lambda: self.session.start(named(words), client=client, deal=deal)


@record_flow("deals add")
def add(session: Session, client: Client) -> None:
    """Ask for the title and the value of a deal of a client; then save or fill in more."""
    form = DealForm(session, Deal, {}, {"owner": session.crm.me})
    form.client_number = client.id
    crumbs = session.path_to("Add a deal", "deals", client.name)

    def fill() -> Any:
        return form.fill(crumbs, lambda: session.call("deals add", client=client, **form.changes))

    added: Deal = in_steps(session, [*form.steps(["title", "value"], *crumbs), fill], form.is_written)
    session.done(f"Added {added.title} (no. {added.id})")
    session.open(added)


edits("deals edit", DealForm, lambda deal: deal.title,
      lambda session, _, deal: session.done(f"Saved: {deal.title} (no. {deal.id})"))  # fmt: skip
deletes(DealPage, "deals delete", lambda deal: deal.title)


def _as_it_is(session: Session, deal: Deal) -> Deal:
    """A deal as it is now: others may have ended it since it was listed."""
    return session.crm.get(Deal, deal.id)


@record_flow("deals move")
def move(session: Session, deal: Deal, to: Stage | None = None) -> None:
    """A stage from those there are; what ends the deal is asked for."""
    original = _as_it_is(session, deal)
    answers = Answers(session, deal=original, **({"to": to} if to else {}))

    def ask_stage() -> None:
        purpose = "Choose the stage that the deal is in now."
        session.page("Deals", original.title, "Move", client=original.client, purpose=purpose)
        with session.crm.read() as snapshot:
            known = [stage for stage in stages(snapshot) if stage.id != original.stage]
        entries = [Choice(stage_line(stage), stage) for stage in known]
        answers.values["to"] = session.keyboard.choose(
            f"Move {original.title} to:", entries, at=answers.values.get("to")
        )

    def ending() -> Mapping[str, Step]:
        """The questions where a stage ends the deal, by parameter."""
        outcome = answers.values["to"].outcome if "to" in answers.values else ""
        if outcome == "won" and original.closed_on is None:
            return _sale_steps(answers, original)
        if outcome == "lost" and not original.lost_reason:
            return {"reason": lambda: _ask_reason(answers, original)}
        return {}

    def done() -> Any:
        arguments = {name: answers.values[name] for name in ("deal", "to", *ending())}
        if arguments["to"].outcome == "lost" and original.lost_reason:
            arguments["reason"] = original.lost_reason
        return session.call("deals move", **arguments)

    def steps() -> list[Step]:
        return [*([] if to else [ask_stage]), *ending().values(), done]

    # A stage is chosen by one key, and no loss.
    session.tell(
        in_steps(session, steps, lambda: answers.is_begun() or bool({"amount", "reason"} & answers.values.keys()))
    )


@record_flow("deals win")
def win(session: Session, deal: Deal) -> None:
    """Ask for the amount and the day; then show the sale and the status that it brought."""
    original = _as_it_is(session, deal)
    answers = Answers(session, deal=original)
    done = partial(_called, answers, "deals win")
    session.tell(in_steps(session, lambda: [*_sale_steps(answers, original).values(), done], answers.is_written))


def _called(answers: Answers[Session], words: str) -> Any:
    return answers.session.call(words, **answers.values)


def _sale_steps(answers: Answers[Session], deal: Deal) -> Mapping[str, Step]:
    """The questions about the sale, by parameter: of a deal that has one whether it is that one, else its amount and
    day, for which the value and today are there to be taken. None where the deal is won already, which is refused."""
    session, parameters = answers.session, named("deals win").parameters
    with session.crm.read() as snapshot:
        sold, stage = sales_of(snapshot, deal), snapshot.find(Stage, deal.stage)
    if stage is not None and stage.outcome == "won":
        return {}

    def page() -> None:
        session.page("Deals", deal.title, "Mark as won", client=deal.client)

    def ask_same() -> None:
        page()
        answers.values["same_sale"] = session.prompts.answer(same_sale_question(session.crm, sold)) == "yes"

    first = {"same_sale": ask_same} if sold else {}
    if answers.values.get("same_sale"):
        return first
    amount = dataclasses.replace(parameters["amount"], label="Amount of the sale", help="", required=True)
    typed = amount.value_check.edit(deal.value, session.crm.conventions) if deal.value else ""

    def foresee(known: Mapping[str, Any]) -> None:
        if "amount" in known:
            foresee_sale(session, deal.client, known["amount"], known.get("on"))

    asked, begun = [amount, parameters["on"]], {"amount": typed}
    steps = answers.steps(asked, page, begun, foresee)
    return {**first, **dict(zip(("amount", "on"), steps, strict=True))}


@record_flow("deals lose")
def lose(session: Session, deal: Deal) -> None:
    """Ask for the reason: one that was given before, or another one."""
    original = _as_it_is(session, deal)
    answers = Answers(session, deal=original)
    done = partial(_called, answers, "deals lose")
    session.tell(in_steps(session, [lambda: _ask_reason(answers, original), done], answers.is_begun))


def _ask_reason(answers: Answers[Session], deal: Deal) -> None:
    """Ask for a known reason, or one that is typed. Raises Back."""
    session = answers.session
    with session.crm.read() as snapshot:
        known = lost_reasons(snapshot)
    parameter = dataclasses.replace(named("deals lose").parameters["reason"], required=True)
    another = False

    def choose() -> None:
        nonlocal another
        purpose = "Say why the deal was lost. The report of lost deals counts the reasons."
        session.page("Deals", deal.title, "Mark as lost", client=deal.client, purpose=purpose)
        entries = [*(Choice(reason, reason) for reason in known), Choice("Another reason", _ANOTHER)]
        chosen = session.keyboard.choose("Why was it lost?", entries, at=answers.values.get("reason"))
        another = chosen is _ANOTHER
        if not another:
            answers.values["reason"] = chosen

    in_steps(session, [choose, lambda: answers.ask(parameter) if another else None])


@record_flow("deals reopen")
def reopen(session: Session, deal: Deal) -> None:
    """Reopen a deal in the stage that it was in; its sale is asked about."""
    session.tell(session.call("deals reopen", deal=deal))
