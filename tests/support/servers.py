"""Mail servers for tests to ask for; a `conftest` says which of them its folder knows."""

import os
from collections.abc import Iterator

import pytest
import trustme

from tests.support.dovecot import PROGRAM, Dovecot, dovecot
from tests.support.mail_server import Post


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who the servers of these tests are certified by."""
    return trustme.CA()


@pytest.fixture
def post() -> Post:
    """What the mail server takes; a test may tell it what to answer."""
    return Post()


@pytest.fixture(scope="module")
def dovecot_server(authority: trustme.CA) -> Iterator[Dovecot]:
    """An IMAP server; each test makes the folder that it works on."""
    if not PROGRAM.exists() and not os.environ.get("CI"):
        pytest.skip("there is no dovecot here (apt install dovecot-imapd)")
    with dovecot(authority) as started:
        yield started
