"""Commands: accounts, keys, people and one's own profile."""

from crm.commands.subject import Menu, Module

PLACE = 8
MENUS = {
    "team": Menu("Team", 9, page=("users list", "users add")),
    "profile": Menu("My account", 6, under="data", page=("profile show",)),
}
GROUPS = {
    "users": "Accounts: who may sign in, and as what.",
    "keys": "Keys by which commands run unattended where there are accounts.",
    "people": "The people of the team, and what each has to do.",
    "profile": "One's own account.",
}
MODULES = {
    "users": Module("users", menu="team"),
    "keys": Module("keys", menu="team"),
    "people": Module("people", menu="team"),
    "profile": Module("profile", menu="profile"),
    "recovery": Module("users", outside=True),
}
