"""Commands: accounts, keys, people and one's own profile."""

from crm.commands.subject import Menu, Module

PLACE = 8
MENUS = {
    "team": Menu("Team", 12),
    "profile": Menu("My account", 13),
}
GROUPS = {
    "users": "Accounts: who may sign in, and as what.",
    "keys": "Keys by which commands run unattended where there are accounts.",
    "people": "The people of the team, and what each has to do.",
    "profile": "One's own account.",
}
MODULES = {
    "users": Module("users", menu="team"),
    "keys": Module("keys"),
    "people": Module("people", menu="follow-ups"),
    "profile": Module("profile", menu="profile"),
    "recovery": Module("users", outside=True),
}
