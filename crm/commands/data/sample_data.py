"""The desk of the made-up company of the sample data: contacts, talks, deals on their way, and what is to be done."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from crm.model import FIRST_STAGES, Client, Contact, Deal, FollowUp, Interaction, Message, Sale, Stage, Template
from crm.repository import Transaction

_COLLEAGUE = "Nell"
_ROLES = ("Director", "Purchasing", "Owner", "Office")
_TALKS = (
    ("call", "asked about delivery times"), ("call", "wants a second quote"), ("meeting", "looked at samples of oak"),
    ("meeting", "measured the rooms"), ("email", "sent the catalogue"), ("email", "confirmed the order"),
    ("sms", "the van comes at nine"), ("note", "prefers calls before noon"), ("note", "moving house in spring"),
)  # fmt: skip
_TO_DO = (
    "send the quote", "ask whether the table arrived well", "call about the fair", "send samples of linen",
    "agree on a day for delivery", "thank for the recommendation", "ask about the second room", "check the measures",
)  # fmt: skip
_DEALS = (
    "dining room for twelve", "library shelves", "bedroom in walnut", "reception desk", "kitchen bench",
    "two wardrobes", "garden chairs", "restoration of a bureau", "tables for the terrace", "shop counter",
    "cradle and chest",
)  # fmt: skip
_LOST_BECAUSE = ("too expensive", "bought elsewhere", "not now", "no answer")
_TEMPLATES = (
    ("Thank you", "Thank you, {first_name|dear friend}", "Thank you for your order. We begin on Monday.\n\n{my_name}"),
    ("Birthday", "Happy birthday, {first_name|dear friend}!", "All the best from **{company_name}**.\n\n{my_name}"),
    ("Long time no see", "New in our workshop", "Dear {first_name|friend},\n\nthe spring pieces are here. Do come by."),
)
# The latest e-mails: how many days ago and when, the direction, the state, the subject and the text. None waits to be
# sent, so that nothing goes out from sample data by itself, and none has failed: that would be due before all else.
_MESSAGES = (
    (9, "09:20", "out", "sent", "Your quote", "Here is the quote we spoke about. It holds until the end of the month."),
    (8, "16:05", "in", "received", "Re: Your quote", "Thank you. Could you do it in oak as well?"),
    (6, "11:40", "out", "sent", "Samples of oak", "Three samples are on their way to you."),
    (3, "08:15", "out", "sent", "Delivery next week", "We deliver on Tuesday between nine and eleven."),
    (2, "14:30", "in", "received", "Two more chairs", "We would like two more of the chairs. When can they be here?"),
    (1, "10:10", "out", "sent", "Re: Two more chairs", "They can be with you in three weeks."),
)  # fmt: skip
# The stages that each deal has been in, counted from the first; the last two are won and lost.
_PATHS = (
    (0,), (0, 1), (0, 1, 2), (0, 1, 2, 4), (0, 1), (0, 1, 2, 3), (0, 1, 5), (0, 2, 4), (0,), (0, 1, 2, 3, 4), (0, 5),
)  # fmt: skip


def add_activity(tx: Transaction, chance: random.Random, clients: Sequence[Client], today: date, me: str) -> None:
    """Add contacts, interactions, deals, follow-ups and templates for the clients, the latest of today."""
    people = (me, me, _COLLEAGUE)
    tx.add_all([contact for client in clients if client.kind == "company" for contact in _contacts(chance, client)])
    talks = [talk for client in clients for talk in _talks(chance, client, today, people)]
    talks.sort(key=lambda talk: talk.on)
    tx.add_all(talks)
    tx.add_all(FIRST_STAGES)
    stages = tx.find_all(Stage)
    for number, client in enumerate(chance.sample(clients, 2 * len(_DEALS))):
        _deal(tx, chance, number, client, stages, today, chance.choice(people))
    tx.add_all([_follow_up(chance, number, client, today, people) for number, client in enumerate(clients[:30:2])])
    tx.add_all([Template(name=name, channel="email", subject=subject, body=body) for name, subject, body in _TEMPLATES])
    tx.add_all(_messages(clients, today, me))


def _messages(clients: Sequence[Client], today: date, me: str) -> list[Message]:
    """The latest e-mails with some clients, an answer with the client who was written to before."""
    written = [client for client in clients if client.email]
    made = []
    for number, (days, time, direction, state, subject, body) in enumerate(_MESSAGES):
        client = written[7 * (number - subject.startswith("Re: "))]
        made.append(
            Message(
                client=client.id,
                channel="email",
                direction=direction,
                state=state,
                on=today - timedelta(days=days),
                time=time,
                sender=client.email if direction == "in" else "",
                to=client.email if direction == "out" else "",
                subject=subject,
                body=body,
                user=me if direction == "out" else "",
            )
        )
    return made


def _contacts(chance: random.Random, client: Client) -> list[Contact]:
    names = chance.sample(("Agnes Holm", "Basil Ferro", "Clara Voss", "Dario Lenz", "Esther Moll", "Felix Brand"), 2)
    return [
        Contact(
            client=client.id,
            name=name,
            role=chance.choice(_ROLES),
            email=f"{name.partition(' ')[0].lower()}@{client.email.partition('@')[2]}",
            is_primary=not at,
        )
        for at, name in enumerate(names)
    ]


def _talks(chance: random.Random, client: Client, today: date, people: Sequence[str]) -> list[Interaction]:
    made = []
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        kind, subject = chance.choice(_TALKS)
        on = today - timedelta(days=chance.randrange(150))
        time = f"{chance.randrange(8, 18):02}:{chance.choice((0, 15, 30)):02}" if kind in ("call", "meeting") else ""
        made.append(
            Interaction(client=client.id, kind=kind, on=on, time=time, subject=subject, user=chance.choice(people))
        )
    return made


def _deal(
    tx: Transaction,
    chance: random.Random,
    number: int,
    client: Client,
    stages: Sequence[Stage],
    today: date,
    owner: str,
) -> None:
    """A deal on its way through some stages, some weeks in each; one that is won with its sale."""
    path = _PATHS[number % len(_PATHS)]
    waits = [chance.randrange(4, 26) for _ in path]
    entered = [today - timedelta(days=sum(waits[at:])) for at in range(len(path))]
    value = Decimal(chance.randrange(8, 90) * 100)
    deal = tx.add(
        Deal(
            client=client.id,
            title=_DEALS[number % len(_DEALS)],
            stage=stages[path[0]].id,
            stage_since=entered[0],
            value=value,
            expected_close_on=today + timedelta(days=chance.randrange(-6, 75)),
            owner=owner,
        )
    )
    for at, on in list(zip(path, entered, strict=True))[1:]:
        changes: dict[str, Any] = {"stage": stages[at].id, "stage_since": on}
        if stages[at].outcome == "lost":
            changes["lost_reason"] = chance.choice(_LOST_BECAUSE)
        deal = tx.change(deal, **changes)
    if deal.closed_on and not deal.lost_reason:
        tx.add(Sale(client=client.id, on=deal.closed_on, amount=value, note=deal.title, deal=deal.id, user=owner))


def _follow_up(chance: random.Random, number: int, client: Client, today: date, people: Sequence[str]) -> FollowUp:
    """Something to do: a few things are overdue, some are for today, one comes again every month."""
    due = today + timedelta(days=(-5, -1, 0, 0, 1, 2, 3, 5, 6, 9, 12, 16, 21, 30, 44)[number % 15])
    return FollowUp(
        client=client.id,
        user=chance.choice(people),
        due_on=due,
        due_time="10:00" if number % 4 == 2 else "",
        what=chance.choice(_TO_DO),
        every=30 if number == 10 else 0,
    )
