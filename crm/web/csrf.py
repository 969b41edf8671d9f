"""Tokens that show that a form is one of ours, given to the browser that sends it."""

import hashlib
import hmac
import secrets


class FormTokens:
    """The tokens in forms, made and checked. A token is bound to a cookie that no other site can set or read, and to
    the session, so that none outlives a sign-in or a sign-out."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @staticmethod
    def new_cookie() -> str:
        """A new cookie for a browser before its first form."""
        return secrets.token_urlsafe(24)

    def token(self, cookie: str, session: str) -> str:
        """The token for a form; `session` is what the browser shows of its session, '' for none."""
        bound = hashlib.sha256(session.encode("utf-8", "replace")).hexdigest()
        return hmac.new(self._key, f"{cookie} {bound}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def is_ours(self, token: str, cookie: str, session: str) -> bool:
        """Return whether a form came from a page of ours in this browser."""
        if not cookie or not token.isascii():
            return False
        return hmac.compare_digest(self.token(cookie, session), token)
