"""The command line, made from the register of commands: the same use cases for scripts and cron."""

from crm.shell.program import run

__all__ = ["run"]
