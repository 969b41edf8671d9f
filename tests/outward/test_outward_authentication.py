"""Forged senders: SPF, DKIM and DMARC results of the last mail server, and the warning they lead to."""

from datetime import UTC, datetime

import pytest

from crm.outward.incoming import received

ARRIVED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def forgery(*headers: str) -> str:
    lines = [*headers, "From: anna@example.com", "Subject: Hello", "", "Text"]
    return received("\r\n".join(lines).encode(), ARRIVED).forgery


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), ""),
        (("Authentication-Results: mx.us; dmarc=pass header.from=example.com",), ""),
        (("Authentication-Results: mx.us; dkim=pass; DMARC=Fail (p=NONE) header.from=x.com",), "dmarc=fail"),
        # Only the server that received it last is believed: what stands below anybody can write.
        (("Authentication-Results: mx.us; dmarc=pass", "Authentication-Results: else; dmarc=fail"), ""),
        (("Authentication-Results: mx.us; dmarc=fail", "Authentication-Results: else; dmarc=pass"), "dmarc=fail"),
        # One that writes a header for each check.
        (("Authentication-Results: mx.us; spf=pass", "Authentication-Results: mx.us; dmarc=fail"), "dmarc=fail"),
        # No policy, but neither check holds; one that holds is enough.
        (("Authentication-Results: mx.us; spf=fail; dkim=none; dmarc=none",), "spf=fail"),
        (("Authentication-Results: mx.us; spf=softfail; dkim=fail",), "spf=softfail"),
        (("Authentication-Results: mx.us; spf=fail; dkim=pass",), ""),
        (("Authentication-Results: mx.us; spf=pass (dmarc=fail is what a comment says)",), ""),
        (("Authentication-Results: mx.us; none",), ""),
        (("Received-SPF: Fail (mx.us: domain does not designate)",), "spf=fail"),
        (("Received-SPF: pass",), ""),
        (("Authentication-Results: mx.us; compauth=fail reason=001",), "compauth=fail"),
    ],
)  # fmt: skip
def test_a_sender_that_may_be_forged_gets_a_warning(headers: tuple[str, ...], expected: str) -> None:
    assert forgery(*headers) == expected
