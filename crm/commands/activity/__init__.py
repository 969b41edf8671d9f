"""Commands: interactions, follow-ups, the agenda and the timeline."""

from crm.commands.subject import Menu, Module

PLACE = 2
MENUS = {
    "follow-ups": Menu("Follow-ups", 5, page=("follow-ups list", "follow-ups add", "follow-ups export")),
}
GROUPS = {
    "interactions": "Calls, meetings, messages and notes.",
    "follow-ups": "What to do, by when and for which client.",
}
MODULES = {
    "interactions": Module("interactions", menu="clients"),
    "timeline": Module("timeline"),
    "follow_ups": Module("follow-ups", menu="follow-ups"),
    "agenda": Module("agenda"),
    "capture": Module("capture"),
}
