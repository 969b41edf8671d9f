"""A text message written at the menu: from a template or a blank page, looked at, and sent."""

from typing import Any

from crm.commands.merge_fields import ProseWithFields
from crm.commands.outbox import refuse_unsendable
from crm.commands.templates import of_channel
from crm.commands.texting import LONGEST
from crm.model import Client, Template
from crm.terminal.keyboard import Back
from crm.terminal.messages import tell_tried
from crm.terminal.picking import pick_client, pick_listed
from crm.terminal.session import Session, flow

_TITLE = "Write an SMS"
_CHECK = ProseWithFields(LONGEST)
_HELP = "with fields like {first_name}"


@flow("sms send")
def write(session: Session, client: Client | None = None, to: str = "", **_: Any) -> None:
    """The client, what to begin with, and the text; then a look at it, and off it goes."""
    # Nobody writes what cannot be sent.
    refuse_unsendable(session.crm, "sms")
    if client is None:
        session.page(_TITLE)
        client = pick_client(session.crm, session.keyboard, "Client")
    if client is None:
        raise Back
    with session.crm.read() as snapshot:
        templates = of_channel(snapshot, "sms")
    first = 0 if templates else 1
    step, text, begun = first, "", None
    while True:
        try:
            session.page(client.name, _TITLE)
            if step == 0:
                chosen = _begun(session, templates)
                # Whoever comes back and chooses the same goes on with what is written already.
                text, begun = (chosen if chosen != begun else text), chosen
            elif step == 1:
                text = session.prompts.value("Text", _CHECK, help=_HELP, typed=text, required=True)
            else:
                tell_tried(session, session.call("sms send", client=client, text=text, to=to))
                return
            step += 1
        except Back:
            if step == first:
                raise
            step -= 1


def _begun(session: Session, templates: list[Template]) -> str:
    """The text to begin with."""
    listed = [("A blank page", ""), *((each.name, each.body) for each in templates)]
    begun: str = pick_listed(
        session.keyboard, "Begin with:", lambda limit, offset: listed[offset : offset + limit], nothing=""
    )
    return begun
