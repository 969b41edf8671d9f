"""Cheap password hashes, for tests that do not measure their cost."""

from argon2 import PasswordHasher

from crm.accounts.passwords import Passwords

# How the program itself hashes.
AS_THE_PROGRAM = vars(Passwords)["_hasher"].func


def hash_quickly() -> None:
    """Let this process hash passwords with as little work as Argon2 takes."""
    Passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)  # type: ignore[assignment]
