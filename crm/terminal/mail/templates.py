"""Templates at the menu: listed, read as a client would, written and changed."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from crm.commands.mail.merge_fields import LineWithFields, ProseWithFields
from crm.commands.mail.templates import TemplatePreview
from crm.commands.registry import named
from crm.model import CHANNELS, Client, Field, Template, typed_fields
from crm.terminal.console.keyboard import Choice
from crm.terminal.drawing import render
from crm.terminal.mail.rendering import TEMPLATES, draw_template, draw_text
from crm.terminal.toolkit import letters
from crm.terminal.toolkit.forms import RecordForm
from crm.terminal.toolkit.lists import ListPage, list_page
from crm.terminal.toolkit.pages import flow, record_flow
from crm.terminal.toolkit.picking import pick
from crm.terminal.toolkit.record_actions import deletes, edits
from crm.terminal.toolkit.record_page import RecordPage, record_page
from crm.terminal.toolkit.session import Session
from crm.terminal.toolkit.steps import in_steps

# Below a template stand a blank line, its entries, the way back and the hint.
_BELOW = 9


@list_page
class TemplatesPage(ListPage):
    """The templates by name."""

    title = "Templates"
    purpose = "A template is a text that you use again in e-mails, mailings and greetings."
    lettered: Mapping[str, letters.Letter] = {"templates edit": letters.EDIT, "templates delete": letters.DELETE}
    columns = TEMPLATES[1:]
    is_by_name = True
    command = "templates list"

    def keys(self) -> Sequence[Choice]:
        return [letters.NEW(lambda: add(self.session), "template")]


@record_page(Template)
class TemplatePage(RecordPage[Template, Template]):
    """A template as it was written, and what can be done with it."""

    command = "templates show"
    lettered: Mapping[str, letters.Letter] = {"templates edit": letters.EDIT, "templates delete": letters.DELETE}
    _is_whole = True

    def draw(self) -> None:
        screen = self.session.screen
        self._is_whole = draw_template(screen, self.card, screen.left - _BELOW)

    def entries(self) -> Sequence[Choice]:
        return [
            *([] if self._is_whole else [Choice("Show full text", lambda: _read(self.session, self.record))]),
            Choice("Preview as a client sees it", self.starts("templates preview")),
            Choice("Edit", self.starts("templates edit")),
            Choice("Delete", self.starts("templates delete")),
        ]


def _read(session: Session, template: Template) -> None:
    session.read(["Templates", template.name], lambda: draw_text(session.screen, template.body))


@record_flow("templates preview")
def preview(session: Session, template: Template) -> None:
    """Show what the first client would read, and then any other one."""
    client = None
    while True:
        report: TemplatePreview = session.call("templates preview", template=template, client=client)
        session.page("Templates", template.name, report.client.name)
        render.show(session.screen, report, session.crm.conventions)
        session.screen.print()
        session.keyboard.choose("", [Choice("Preview for another client", True)])
        client = pick(session.crm, session.keyboard, Client, "Client")


class TemplateForm(RecordForm):
    """A template on its way; a text message has no subject."""

    def fields(self) -> Sequence[Field]:
        known = {name: _with_fields(field) for name, field in typed_fields(Template).items()}
        names = (
            ("name", "body", "channel") if self.value("channel") == "sms" else ("name", "subject", "body", "channel")
        )
        return [known[name] for name in names]

    def ask(self, field: Field, *, required: bool = False) -> None:
        super().ask(field, required=required or field.name in ("name", "channel"))
        if self.value("channel") == "sms" and self.value("subject"):
            self.changes["subject"] = ""


def _with_fields(field: Field) -> Field:
    """A field of the form that refuses at once what is no field of a client."""
    check = {"subject": LineWithFields(300), "body": ProseWithFields()}.get(field.name, field.check)
    return dataclasses.replace(field, check=check)


@flow("templates add")
def add(session: Session, **_: Any) -> None:
    """Ask for the channel, the name, and then the texts."""
    form = TemplateForm(session, Template, {}, {})
    crumbs = ("Templates", "Add a template")

    def ask_channel() -> None:
        session.page(*crumbs)
        entries = [Choice(words[:1].upper() + words[1:], channel) for channel, words in CHANNELS.items()]
        form.changes["channel"] = session.keyboard.choose("Type:", entries, at=form.value("channel"))

    def fill() -> Any:
        return form.fill(lambda: ["Templates", form.value("name")], lambda: _saved(session, form.changes))

    steps = [ask_channel, *form.steps(["name"], *crumbs), fill]
    _confirm_done("Added", session, in_steps(session, steps, form.is_written))


def _saved(session: Session, changes: Mapping[str, Any]) -> Template:
    """Add a template; errors are shown above the form, which keeps all of it."""
    added: Template = named("templates add")(session.crm, **changes)
    return added


edits("templates edit", TemplateForm, lambda template: template.name,
      lambda session, _, saved: _confirm_done("Saved", session, saved))  # fmt: skip
deletes(TemplatePage, "templates delete")


def _confirm_done(done: str, session: Session, template: Template) -> None:
    session.done(f"{done}: {template.name} (no. {template.id})")
