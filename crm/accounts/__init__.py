"""Accounts: passwords, second factors, sessions, keys for unattended commands."""

from dataclasses import field

from crm.lean_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that holds; `session` is the id of its SignIn record, `token` what its bearer shows, known only right
    after the sign-in.

    While `must_change`, a new password has to be chosen before anything else; while `needs_second_factor`, one has to
    be set up, because the team requires it.
    """

    session: int
    user: int
    email: str
    name: str
    role: str
    client: int
    must_change: bool
    needs_second_factor: bool
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The holder of a valid key, who runs commands by it; `key` is the id of its record, `may` what it may do there."""

    key: int
    name: str
    may: str


@dataclass(frozen=True, slots=True)
class SecondFactorAsked:
    """The answer to a right password where a code is still missing: by `method` ('totp' or 'sms'), of which `hint`
    tells where it was sent ('…42'). The token is good for one sign-in, for five minutes."""

    token: str = field(repr=False)
    method: str = "totp"
    hint: str = ""


@dataclass(frozen=True, slots=True)
class TotpOffer:
    """A second factor to be set up: the secret as a person types it, and the address that a QR code holds."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
