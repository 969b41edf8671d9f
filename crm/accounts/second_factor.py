"""Second factors: codes of an app (TOTP), codes by SMS, and recovery codes for a lost telephone."""

import hmac
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from crm.accounts import TotpOffer
from crm.accounts.keys import Secret
from crm.accounts.passwords import generated

# Each has 120 bits, enough to do without a slow hash.
RECOVERY_CODES, _GROUPS = 10, 6
DIGITS = 6
_STEP = 30
# The number of steps by which a clock may be off.
_TOLERANCE = 1


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A second factor: `method` is 'totp' or 'sms', `secret` the app's key or the number that codes go to. `last_step`
    is the one whose code was used last; `recovery` holds digests of the recovery codes that are left."""

    method: str
    secret: str = field(repr=False)
    last_step: int = 0
    recovery: tuple[str, ...] = ()

    @property
    def hint(self) -> str:
        """The phone number that a code was sent to, mostly hidden."""
        return f"…{self.secret[-2:]}" if self.method == "sms" else ""


class SecondFactors:
    """The second factors of users, read and written encrypted."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def written(self, factor: SecondFactor) -> str:
        """A second factor as it is kept."""
        return self._secret.box("second factor").encrypt(json.dumps(asdict(factor)).encode()).decode()

    def read(self, kept: str) -> SecondFactor | None:
        """The second factor that is kept so; None for '' and for one that another secret has encrypted."""
        from cryptography.fernet import InvalidToken

        if not kept:
            return None
        try:
            fields = json.loads(self._secret.box("second factor").decrypt(kept.encode()))
            return SecondFactor(fields["method"], fields["secret"], fields["last_step"], tuple(fields["recovery"]))
        except (InvalidToken, ValueError, KeyError, TypeError):
            return None

    def recovery_codes(self) -> tuple[list[str], tuple[str, ...]]:
        """New recovery codes as they are shown once, and as they are kept."""
        codes = [generated(_GROUPS) for _ in range(RECOVERY_CODES)]
        return codes, tuple(self._digest(_bare(code)) for code in codes)

    def after_recovery(self, factor: SecondFactor, code: str) -> SecondFactor | None:
        """The second factor once a recovery code is used up; None where it is none of those left."""
        digest = self._digest(_bare(code))
        left = tuple(kept for kept in factor.recovery if not hmac.compare_digest(kept, digest))
        return replace(factor, recovery=left) if len(left) < len(factor.recovery) else None

    def sms_code(self, token: str) -> str:
        """The code derived from a token, so that it need not be stored and a second text message has the same."""
        return f"{int(self._secret.mac('codes by SMS', token), 16) % 10**DIGITS:0{DIGITS}}"

    def is_sms_code(self, token: str, code: str) -> bool:
        """Return whether a code is the one that belongs to a token."""
        return hmac.compare_digest(self.sms_code(token).encode(), digits(code).encode())

    def _digest(self, code: str) -> str:
        return self._secret.mac("recovery codes", code)


def after_totp(factor: SecondFactor, code: str, now: datetime) -> SecondFactor | None:
    """The second factor once an app's code is used; None where it is not the code of now, or was used before."""
    from pyotp import TOTP

    app, step = TOTP(factor.secret), int(now.timestamp()) // _STEP
    typed = digits(code)
    last = 0
    for number in range(step - _TOLERANCE, step + _TOLERANCE + 1):
        if hmac.compare_digest(app.generate_otp(number).encode(), typed.encode()):
            last = max(last, number)
    return replace(factor, last_step=last) if last > factor.last_step else None


def offer(account: str, issuer: str) -> TotpOffer:
    """A new key for an app, shown there under these names."""
    from pyotp import TOTP, random_base32

    secret = random_base32()
    return TotpOffer(secret, TOTP(secret).provisioning_uri(name=account, issuer_name=issuer))


def digits(code: str) -> str:
    """A code as it was meant, without the blanks and dashes that are shown in it."""
    return "".join(char for char in code if char.isascii() and char.isalnum())[:64]


def is_recovery(code: str) -> bool:
    """Return whether something that was typed can only be a recovery code."""
    return len(_bare(code)) > DIGITS


def _bare(code: str) -> str:
    return digits(code).lower()
