"""Commands: accounts, keys, people and the user's own profile."""

from crm.commands.subject import Menu, Module

PLACE = 8
MENUS = {
    "team": Menu("Team", 6, hint="Accounts and roles; workload", under="data", page=("users list", "users add")),
    "profile": Menu("My account", 7, hint="Your name, password and sessions", under="data", page=("profile show",)),
}
GROUPS = {
    "users": "Accounts: who may sign in, and with which role.",
    "keys": "Keys for unattended commands, in a store with accounts.",
    "people": "The people of the team and their workload.",
    "profile": "Your own account.",
}
MODULES = {
    "users": Module("users", menu="team"),
    "keys": Module("keys", menu="team"),
    "people": Module("people", menu="team"),
    "profile": Module("profile", menu="profile"),
    "recovery": Module("users", outside=True),
}
