"""The lines that stand for calls, meetings and notes."""

from crm.model import INTERACTIONS, Conventions, Interaction
from crm.terminal.toolkit.picking import joined, line_for


@line_for(Interaction)
def interaction_line(interaction: Interaction, by: Conventions, client: str = "") -> str:
    """A call, a meeting or a note on one line."""
    return joined(by.day(interaction.on), INTERACTIONS[interaction.kind], client, interaction.subject)
