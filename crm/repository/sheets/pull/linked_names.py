"""The record that a cell means which holds a name in the place of an ID: in the tab of sales, the client's."""

from collections.abc import Iterable

from crm.errors import FieldError
from crm.model import BY_NAME, Client, Record, links
from crm.model.folding import fold
from crm.repository import Query
from crm.repository.transaction import SqlTransaction

_MOST = 200
_LISTED = 5


def linked_id(tx: SqlTransaction, kind: type[Record], name: str, text: str) -> int:
    """The ID of the one record that the field `name` names so. Raises FieldError where there is none, or several."""
    linked = BY_NAME[links(kind)[name].record]
    text = " ".join(text.split())
    meant = _clients(tx, text) if linked is Client else _others(tx, linked, text)
    if len(meant) == 1:
        return meant[0]
    if meant:
        listed = ", ".join(map(str, meant[:_LISTED])) + (", …" if len(meant) > _LISTED else "")
        raise FieldError(f"{len(meant)} {linked.plural} are called “{text}” ({listed}); write the ID of one of them")
    raise FieldError(f"no {linked.noun} “{text}”; write the {linked.noun}'s ID or its name")


def _clients(tx: SqlTransaction, text: str) -> list[int]:
    alike = list(tx.search(text, _MOST))
    folded, words = fold(text), set(_words(text))
    exact = [client.id for client in alike if folded in map(fold, _names(client))]
    # A search also finds beginnings and what is misspelt: that may be somebody else.
    return exact or [client.id for client in alike if words and words <= set(_words(" ".join(_names(client))))]


def _names(client: Client) -> Iterable[str]:
    person = f"{client.first_name} {client.last_name}".strip()
    listed = f"{client.last_name}, {client.first_name}" if client.first_name and client.last_name else ""
    return filter(None, (person, listed, client.company, client.email, client.reference))


def _others(tx: SqlTransaction, kind: type[Record], text: str) -> list[int]:
    called = kind.about.called
    if not called:
        return []
    return [
        record.id for record in tx.find_all(kind, Query(sort="id")) if fold(str(getattr(record, called))) == fold(text)
    ]


def _words(text: str) -> list[str]:
    return fold(text).replace(",", " ").split()
