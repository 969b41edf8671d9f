"""The lines that stand for templates and messages."""

from crm.model import STATES, Conventions, Message, Template
from crm.terminal.toolkit.picking import joined, line_for


@line_for(Template)
def template_line(template: Template, _: Conventions, __: str = "") -> str:
    """A template on one line."""
    return joined(template.name, template.subject)


@line_for(Message)
def message_line(message: Message, by: Conventions, _: str = "") -> str:
    """A message on one line."""
    return joined(by.day(message.on), STATES.get(message.state, ""), message.to, message.subject)
