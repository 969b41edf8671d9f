"""The client that something is about: whoever is named, or one that is chosen first."""

from crm.model import Client
from crm.terminal.console.keyboard import Back
from crm.terminal.toolkit.picking import pick_client
from crm.terminal.toolkit.session import Session


def chosen_client(session: Session, client: Client | None, *crumbs: str) -> Client:
    """A client that is named, or else one that the person chooses on a page named by the crumbs. Raises Back."""
    if client is None:
        session.page(*crumbs)
        client = pick_client(session.crm, session.keyboard, "Client")
    if client is None:
        raise Back
    return client
