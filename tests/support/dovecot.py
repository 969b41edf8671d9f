"""A Dovecot IMAP server on loopback, run without root, with one mailbox in a folder of its own."""

import grp
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

PROGRAM = Path("/usr/sbin/dovecot")
USER, PASSWORD = "crm@example.com", "p@ss:w/rd?"
LOGIN = "crm%40example.com:p%40ss%3Aw%2Frd%3F"
_CONFIGURATION = """\
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_internal_user = {name}
default_internal_group = {group}
default_login_user = {name}
first_valid_uid = 0
first_valid_gid = 0
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:{folder}/mail
passdb {{
  driver = static
  args = user={login} password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group_number} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {safe_port}
  }}
}}
service anvil {{
  chroot =
  # Whoever fails is answered at once.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    """The server, and a client of the standard library that knows nothing of ours."""

    def __init__(self, home: Path, port: int, safe_port: int) -> None:
        self.home = home
        self.port = port
        self.safe_port = safe_port

    def url(self, folder: str) -> str:
        """The URL of a folder, without encryption."""
        return f"imap://{LOGIN}@127.0.0.1:{self.port}/{quote(folder, safe='')}"

    @contextmanager
    def signed_in(self) -> Iterator[imaplib.IMAP4]:
        """A client that may do everything."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as client:
            client.login(USER, PASSWORD)
            yield client

    def make(self, folder: str) -> None:
        """An empty folder, renumbered if there was one of that name."""
        with self.signed_in() as client:
            client.delete(folder)
            assert client.create(folder)[0] == "OK"

    def put(self, folder: str, *messages: bytes, arrived: float | None = None) -> None:
        """Deliver messages; `arrived` is when, in seconds since 1970."""
        when = imaplib.Time2Internaldate(arrived or time.time())
        with self.signed_in() as client:
            for message in messages:
                status, output = client.append(folder, "", when, message)
                assert status == "OK", output

    def remove(self, folder: str, uid: int) -> None:
        """Take a message away for good."""
        with self.signed_in() as client:
            client.select(folder)
            client.uid("STORE", str(uid), "+FLAGS", "\\Deleted")
            client.expunge()

    def flags(self, folder: str) -> list[str]:
        """The flags of each message."""
        with self.signed_in() as client:
            client.select(folder, readonly=True)
            _, found = client.fetch("1:*", "(FLAGS)")
            return [line.decode().partition("FLAGS ")[2] for line in found if isinstance(line, bytes)]


@contextmanager
def dovecot(authority: trustme.CA) -> Iterator[Dovecot]:
    """A server for a while."""
    # Not the folder of pytest, which other users may not enter; short, since sockets stand in it.
    home = Path(tempfile.mkdtemp(prefix="dovecot-", dir="/tmp"))
    owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    server = Dovecot(home, *_free_ports())
    process = None
    try:
        _furnish(server, authority, owner)
        given = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        process = subprocess.Popen(
            [PROGRAM, "-F", "-c", home / "dovecot.conf"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **given
        )
        _wait_for(server, process)
        yield server
    finally:
        if process is not None:
            process.terminate()
            process.communicate(timeout=20)
        shutil.rmtree(home, ignore_errors=True)


def _furnish(server: Dovecot, authority: trustme.CA, owner: pwd.struct_passwd) -> None:
    home = server.home
    certificate = authority.issue_cert("localhost")
    (home / "certificate.pem").write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    (home / "key.pem").write_bytes(certificate.private_key_pem.bytes())
    for name in ("run", "state", "mail"):
        (home / name).mkdir()
    (home / "dovecot.conf").write_text(
        _CONFIGURATION.format(
            folder=home,
            login=USER,
            password=PASSWORD,
            name=owner.pw_name,
            group=grp.getgrgid(owner.pw_gid).gr_name,
            user=owner.pw_uid,
            group_number=owner.pw_gid,
            port=server.port,
            safe_port=server.safe_port,
        )
    )
    for path in (home, *home.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _wait_for(server: Dovecot, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 20
    while not _answers(server):
        if process.poll() is not None or time.monotonic() > until:
            log = server.home / "log"
            pytest.fail(f"dovecot does not start: {log.read_text() if log.exists() else process.poll()}")
        time.sleep(0.05)


def _answers(server: Dovecot) -> bool:
    try:
        with server.signed_in():
            return True
    except (OSError, imaplib.IMAP4.error):
        return False


def _free_ports() -> tuple[int, int]:
    with closing(socket.socket()) as one, closing(socket.socket()) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])
