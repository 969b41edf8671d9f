"""Fixtures of mail servers; each `conftest` chooses the ones for its folder."""

import os
from collections.abc import Iterator

import pytest
import trustme

from tests.support.dovecot import PROGRAM, Dovecot, dovecot
from tests.support.mail_server import Post


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The certificate authority of the test servers."""
    return trustme.CA()


@pytest.fixture
def post() -> Post:
    """The mail that the server received; a test may set its replies."""
    return Post()


@pytest.fixture(scope="module")
def dovecot_server(authority: trustme.CA) -> Iterator[Dovecot]:
    """An IMAP server; each test makes the folder that it works on."""
    if not PROGRAM.exists() and not os.environ.get("CI"):
        pytest.skip("there is no dovecot here (apt install dovecot-imapd)")
    with dovecot(authority) as started:
        yield started
