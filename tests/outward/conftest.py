"""The certificate authority of the test servers."""

import ssl

import pytest
import trustme

from tests.support import servers

authority, dovecot_server = servers.authority, servers.dovecot_server


@pytest.fixture(scope="session")
def ours(authority: trustme.CA) -> ssl.SSLContext:
    """The context of whoever trusts the authority of these tests."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
