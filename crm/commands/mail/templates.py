"""Templates: texts with fields such as {first_name}, added, listed, looked at, changed and deleted."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from crm.commands.context import CRM
from crm.commands.deletions import delete_record, deleted
from crm.commands.mail.merge_fields import LineWithFields, ProseWithFields, check, filled, missing, values
from crm.commands.registry import About, FieldsOf, Takes, command
from crm.errors import FieldError, NotFoundError, RefusedError
from crm.model import CHANNELS, Client, Template, typed_fields
from crm.model.fields import Choice, Line
from crm.outward.sms_parts import parts
from crm.repository import Query, Snapshot, Transaction

TheTemplate = Annotated[Template, About("Template", "its name or number", positional=True)]
TemplateChanges = Annotated[Mapping[str, Any], FieldsOf(Template, Takes.CHANGES)]
Channel = Annotated[str, Choice(CHANNELS), About("Channel", "email or sms")]


@dataclass(frozen=True, slots=True)
class TemplatePreview:
    """A template as `client` would read it. `missing` are its fields that the client has nothing for; an SMS takes
    `parts` messages, an e-mail none."""

    template: Template
    client: Client
    subject: str
    text: str
    missing: Sequence[str]
    parts: int


@command("templates add", title="Add a template")
def add(
    crm: CRM,
    name: Annotated[str, Line(60), About("Name", positional=True)],
    channel: Channel = "email",
    subject: Annotated[str, LineWithFields(300), About("Subject", "of an e-mail; it may contain fields too")] = "",
    body: Annotated[str, ProseWithFields(), About("Text", "with fields like {first_name} or {first_name|friend}")] = "",
) -> Template:
    """Add a template: a text with fields that are filled in for each client.

    The fields are {first_name}, {last_name}, {name}, {company}, {contact_name}, {email}, {city}, {status},
    {total_spend}, {last_sale_on}, {owner}, {my_name}, {company_name}, and your own like {extra.shoe size}. The text
    after a | is used if a client has no value: {first_name|friend}. An e-mail is written in Markdown.
    """
    record = _checked(Template(name=name, channel=channel or "email", subject=subject, body=body))

    def change(tx: Transaction) -> Template:
        _refuse_name(tx, record)
        return tx.add(record)

    return crm.transact(change, f"added the template {name}")


@command(
    "templates list", title="Templates", menu="email", hint="Texts to reuse in messages", nothing="No templates yet."
)
def list_all(crm: CRM, channel: Channel = "") -> list[Template]:
    """List the templates by name."""
    with crm.read() as snapshot:
        return of_channel(snapshot, channel)


def of_channel(snapshot: Snapshot, channel: str = "") -> list[Template]:
    """The templates for e-mails or for text messages, or all of them, by name."""
    return snapshot.find_all(Template, Query({"channel": channel} if channel else {}, sort="name"))


@command("templates show", title="Show a template")
def show(crm: CRM, template: TheTemplate) -> Template:
    """Show a template with its fields."""
    return crm.get(Template, template.id)


def sms_count(template: Template) -> int:
    """The number of SMS that a template takes as it was written, 0 for one of an e-mail."""
    return parts(template.body) if template.channel == "sms" else 0


@command("templates preview", title="Preview a template")
def preview(
    crm: CRM,
    template: TheTemplate,
    client: Annotated[Client | None, About("Client", "the first one by default")] = None,
) -> TemplatePreview:
    """Preview a template for a client: the fields filled in, and which of them are empty.

    For an SMS it says how many messages it takes.
    """
    with crm.read() as snapshot:
        current = snapshot.get(Template, template.id)
        reader = snapshot.get(Client, client.id) if client else _first(snapshot)
        fields = values(crm, snapshot, reader)
    subject, text = (filled(part, fields, markdown=False) for part in (current.subject, current.body))
    if current.channel == "email":
        from crm.outward.markdown import plain

        text = plain(filled(current.body, fields, markdown=True)).rstrip("\n")
    lacking = missing(f"{current.subject}\n{current.body}", fields)
    return TemplatePreview(current, reader, subject, text, lacking, parts(text) if current.channel == "sms" else 0)


@command("templates edit", title="Change a template")
def edit(crm: CRM, template: TheTemplate, changes: TemplateChanges) -> Template:
    """Change fields of a template; the other fields and messages already sent stay as they are."""
    if not changes:
        raise FieldError("name at least one field to change")
    after = _checked(dataclasses.replace(template, **changes))

    def change(tx: Transaction) -> Template:
        _refuse_name(tx, after)
        return tx.change(template, **changes)

    return crm.transact(change, f"edited the template {template.name}")


@command("templates delete", title="Delete a template", as_text=deleted)
def delete(crm: CRM, template: TheTemplate, yes: bool = False) -> Template:
    """Delete a template; messages sent with it stay. You can undo it."""
    name = f"the template {template.name}"
    return delete_record(crm, template, name, yes=yes, also=lambda _: "What was sent with it stays.")


def _checked(template: Template) -> Template:
    """The template, if it can be sent. Raises FieldError for what is missing, and for fields that there are not."""
    labels = {name: field.label for name, field in typed_fields(Template).items()}

    def refuse(name: str, reason: str) -> None:
        raise FieldError(reason, field=name, label=labels[name])

    if not template.name:
        refuse("name", "a template needs a name")
    if not template.channel:
        refuse("channel", f"that is not one of the choices; use {', '.join(CHANNELS)}")
    if template.channel == "sms" and template.subject:
        refuse("subject", "an SMS has no subject; leave it out")
    if template.channel == "email" and not template.subject:
        refuse("subject", "an e-mail needs a subject")
    if not template.body:
        refuse("body", "a template needs a text")
    for name in ("subject", "body"):
        try:
            check(getattr(template, name))
        except FieldError as error:
            raise error.at(name, labels[name]) from error
    return template


def _refuse_name(tx: Transaction, template: Template) -> None:
    if any(other.id != template.id for other in tx.find_all(Template, Query({"name": template.name}))):
        raise RefusedError(f"There is already a template called {template.name}. Nothing was changed.")


def _first(snapshot: Snapshot) -> Client:
    clients = snapshot.find_all(Client, Query(sort="id", limit=1))
    if not clients:
        raise NotFoundError("No client to preview it for yet. Add one first.")
    return clients[0]
