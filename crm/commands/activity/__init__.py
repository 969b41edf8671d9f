"""Commands: interactions, follow-ups, the agenda and the timeline."""
