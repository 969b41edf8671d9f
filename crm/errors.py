"""The whole tree of errors: each is a sentence for a person, a kind for a script, and an exit code.

CRMError
├── UsageError                  the command line was not understood                        exit 2
├── FieldError                  a value typed for a field cannot be taken
├── RuleError                   a status rule cannot be read
├── NotFoundError               there is no such record
├── RefusedError                the change would break a promise (a reference used twice, …)
├── ConflictError               somebody else changed the same fields meanwhile
├── Question                    a decision is needed; a parameter of the command answers it
├── FileError                   a file to import, export or restore cannot be used
├── ForbiddenError              the reader's role may never do this                        exit 3
├── SignedOutError              the session is over, or its rights were removed
├── SignInRefusedError          nobody was let in: password, code or link do not fit
├── TooManyAttemptsError        too many of them were wrong; wait
├── OutwardError                an e-mail or a text message could not be sent
├── Cancelled                   the person left the form                                   exit 130
└── StoreError                  the place where the data lives cannot be used
    ├── StoreBusyError          another program holds it
    ├── StoreDamagedError       it is not readable as a store
    ├── StoreReadOnlyError      it cannot be written
    ├── StoreNewerError         a newer version of this program made it
    ├── StoreFullError          there is no room to write
    ├── StoreOfflineError       it cannot be reached over the network
    ├── StoreUnsureError        a change may have been saved, which could not be found out     exit 4
    ├── StoreAccessError        it does not let us in, or not as far as needed
    └── StoreNotSetUpError      there is nothing of ours in it yet, and it has to be set up first
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from crm.wording import as_sentences, first_few


class CRMError(Exception):
    """The base of errors that are shown in one or two sentences instead of a traceback."""

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class UsageError(CRMError):
    """A command line that names no command, no such option, or leaves out what is needed."""

    kind = "usage"
    exit_code = 2


class FieldError(CRMError):
    """A value that a field cannot take. `reason` is a clause, `sentence` the same in sentences; `field` is the model's
    field name, '' when not known yet."""

    kind = "field"

    def __init__(self, reason: str, *, field: str = "", label: str = "") -> None:
        super().__init__(f"{label}: {reason}" if label else reason)
        self.sentence = f"{label}: {as_sentences(reason)}" if label else as_sentences(reason)
        self.reason = reason
        self.field = field

    def at(self, field: str, label: str) -> "FieldError":
        """The same error with the field it belongs to."""
        return FieldError(self.reason, field=field, label=label)


def _useful(names: Sequence[str]) -> str:
    return f"Often used: {', '.join(names)}. See docs/rules.md for all names."


class RuleError(CRMError):
    """A rule that cannot be read: where (`position`, 0-based in `text`), why, and the `names` that are used most."""

    kind = "rule"

    def __init__(self, reason: str, *, text: str = "", position: int = 0, names: Sequence[str] = ()) -> None:
        sentence = reason
        if text:
            sentence = f"{reason}\n  {text}\n  {' ' * position}^"
        if names:
            sentence += f"\n{_useful(names)}"
        super().__init__(sentence)
        self.reason = reason
        self.text = text
        self.position = position
        self.names = tuple(names)

    @property
    def advice(self) -> str:
        """A sentence with the names that are used most; '' where no name was the mistake."""
        return _useful(self.names) if self.names else ""


class NotFoundError(CRMError):
    """A record that was asked for and does not exist."""

    kind = "not_found"


class RefusedError(CRMError):
    """A change that would break a promise the store makes; nothing was changed."""

    kind = "refused"


class ConflictError(CRMError):
    """A change of the same fields by somebody else since they were shown; nothing was overwritten.

    This is optimistic locking: nobody locks a record while it is edited, and its `version` says when it is saved
    whether it is still the one that was shown.

    `clashes` maps each field's name to (as it was shown, theirs, mine), as people read them.
    """

    kind = "conflict"

    def __init__(self, sentence: str, clashes: Mapping[str, tuple[str, str, str]]) -> None:
        super().__init__(sentence)
        self.clashes = dict(clashes)


class Question(CRMError):
    """A decision that only a person can take. Calling the command again with
    `parameter` set to one of `choices`' values answers it.

    `choices` maps the value to give (as the shell spells it) to its words, '' where any value of the parameter is to be
    given; `yes` is the one of them that `--yes` stands for, '' where the question is not whether to go on, so that yes
    says nothing. `records` are what the question is about (possible duplicates, what a deletion takes along), for a
    door that can show them. What is `destructive`, deletes or sends something or cannot be undone, is never what a door
    offers first; where it concerns many, `typed` is what a person types to confirm it.
    """

    kind = "question"

    def __init__(
        self,
        sentence: str,
        *,
        parameter: str,
        choices: Mapping[str, str],
        yes: str = "",
        records: Sequence[Any] = (),
        kind: str = "question",
        destructive: bool = False,
        typed: str = "",
    ) -> None:
        super().__init__(sentence)
        self.parameter = parameter
        self.choices = dict(choices)
        self.yes = yes
        self.records = tuple(records)
        self.question_kind = kind
        self.destructive = destructive
        self.typed = typed


def confirmation(
    sentence: str, answer: str, records: Sequence[Any] = (), *, destructive: bool = False, typed: str = ""
) -> Question:
    """The Question whether to go on, answered by the parameter `yes`; `answer` says in a word what is done then."""
    return Question(
        sentence,
        parameter="yes",
        choices={"yes": answer},
        yes="yes",
        records=records,
        kind="confirm",
        destructive=destructive,
        typed=typed,
    )


def deletion(sentence: str, record: Any) -> Question:
    """The Question whether to delete a record with the records that belong to it; one undo restores them."""
    return confirmation(f"{sentence} It can be undone.", "Delete", [record], destructive=True)


class FileError(CRMError):
    """A file to read or write that cannot be used as it is."""

    kind = "file"


class ForbiddenError(CRMError):
    """The reader's role does not allow this, whatever the record; nothing was changed."""

    kind = "forbidden"
    exit_code = 3


HAS_ACCOUNTS = "This store has accounts now. Sign in."


class SignedOutError(CRMError):
    """The reader's session is over, or their rights are not what they were. `saved` is what was saved before, in
    the words of the history; `done` says that this was all that was asked for, and ended the session itself. `was_open`
    says that nobody had to sign in when they began: the store has accounts only now. `asked` is for whoever signed
    themselves out. `key` names the key by which it ran, where that does not work any more; `stopped` says that its
    maker is no longer an active admin."""

    kind = "signed_out"

    def __init__(
        self,
        saved: Sequence[str] = (),
        *,
        done: bool = False,
        was_open: bool = False,
        asked: bool = False,
        key: str = "",
        stopped: bool = False,
    ) -> None:
        self.saved = tuple(saved)
        self.done = done or asked
        self.asked = asked
        self.was_open = was_open
        self.key = key
        listed = first_few(saved, "; ")
        if asked:
            sentence = "You are signed out."
        elif done:
            why = HAS_ACCOUNTS if was_open else "This ended your own session. Sign in again."
            sentence = f"It is done: {listed}. {why}"
        elif was_open:
            sentence = HAS_ACCOUNTS + (f" This was saved before: {listed}." if saved else " Nothing was changed.")
        elif key:
            over = (
                "stopped working because the person who made it is no longer an active admin,"
                if stopped
                else "was revoked or has expired"
            )
            why = f"The key “{key}” {over}"
            sentence = (
                f"{why} before it was finished. This was saved: {listed}." if saved else f"{why}. Nothing was changed."
            )
        elif saved:
            sentence = f"You have been signed out before it was finished. This was saved: {listed}. Sign in again."
        else:
            sentence = "You have been signed out. Nothing was changed. Sign in again."
        super().__init__(sentence)


class SignInRefusedError(CRMError):
    """A password, a code or a link that lets nobody in. The sentence never tells which accounts there are."""

    kind = "sign_in_refused"


class TooManyAttemptsError(CRMError):
    """Too many wrong passwords or codes; `retry_after` is how many seconds to wait, at least 1."""

    kind = "too_many_attempts"

    def __init__(self, retry_after: int) -> None:
        self.retry_after = max(1, retry_after)
        minutes = -(-self.retry_after // 60)
        count, unit = (self.retry_after, "second") if self.retry_after < 60 else (minutes, "minute")
        wait = f"a {unit}" if count == 1 else f"{count} {unit}s"
        super().__init__(f"Too many wrong attempts. Wait {wait}, then try again.")


class OutwardError(CRMError):
    """An e-mail or a text message that could not be sent. `reason` says why, for programs: 'not_set_up', 'refused'
    (the service does not let us in), 'recipient' (it cannot be sent there), 'busy', 'offline' or 'unknown' (it may
    have been sent)."""

    kind = "outward"

    def __init__(self, sentence: str, *, reason: str = "offline") -> None:
        super().__init__(sentence)
        self.reason = reason


class Cancelled(CRMError):
    """The person left before the end; nothing was saved."""

    kind = "cancelled"
    exit_code = 130

    def __init__(self, sentence: str = "Discarded. Nothing was saved.") -> None:
        super().__init__(sentence)


NOTHING_CHANGED = "Nothing was changed."


class StoreError(CRMError):
    """The place where the data lives cannot be used as asked. `what` is the reason, and `advice` says what to do; only
    who knows what became of a change says so, between the two (`keeping`)."""

    kind = "store"

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(f"{what} {advice}".rstrip())
        self.what = what
        self.advice = advice

    def keeping(self, kept: str) -> Self:
        """The same error, which says what was kept."""
        if not kept or kept not in self.what:
            self.sentence = " ".join(filter(None, [self.what, kept, self.advice]))
            self.args = (self.sentence,)
        return self


class StoreBusyError(StoreError):
    """A store that another program holds for longer than one waits."""

    kind = "store_busy"


class StoreDamagedError(StoreError):
    """The file or spreadsheet cannot be read as a store; it was left untouched."""

    kind = "store_damaged"


class StoreReadOnlyError(StoreError):
    """The store can be read and not written."""

    kind = "store_read_only"


class StoreNewerError(StoreError):
    """A newer version of this program made the store; it was left untouched."""

    kind = "store_newer"


class StoreFullError(StoreError):
    """A full disk; the change was rolled back."""

    kind = "store_full"


class StoreOfflineError(StoreError):
    """The store cannot be reached."""

    kind = "store_offline"


class StoreUnsureError(StoreError):
    """A change that may have been saved, or may still arrive: whether it was could not be found out. `change` is its
    name, by which the history knows it ('' where it has none)."""

    kind = "store_unsure"
    exit_code = 4

    def __init__(self, what: str, advice: str = "", *, change: str = "") -> None:
        super().__init__(what, advice)
        self.change = change


class StoreAccessError(StoreError):
    """The store does not let us in, or not as far as needed. `reason` says why, for programs."""

    kind = "store_access"

    def __init__(self, what: str, advice: str = "", *, reason: str) -> None:
        super().__init__(what, advice)
        self.reason = reason


class StoreNotSetUpError(StoreError):
    """The store is there, and has to be set up before it can be used; it was left as it is."""

    kind = "store_not_set_up"
