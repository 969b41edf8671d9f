"""The outcome of a change that failed, by what is known of it: the one place that says "nothing was changed" or "may
have been saved"."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from crm.errors import NOTHING_CHANGED, Cancelled, CRMError, StoreError, StoreUnsureError
from crm.repository.sheets.google.spreadsheet import Interrupted, Rejected, unreadable

_INTERRUPTED = "it was interrupted while it was being saved."
_NOT_KNOWN = "the answer to it did not come, and whether it arrived could not be found out."


class Ending(Exception):
    """An end of a commit other than that it is there, as this program wrote it, and what came in between (`error`);
    None where that was somebody else."""

    def __init__(self, error: BaseException | str | None = None) -> None:
        super().__init__(str(error or ""))
        self.error = error if isinstance(error, BaseException) else None

    def pass_on_interrupt(self) -> None:
        """Raise KeyboardInterrupt where somebody has interrupted the program (Ctrl-C)."""
        if isinstance(self.error, KeyboardInterrupt):
            raise self.error


class Unclear(Ending):
    """The commit may be there, or may still come: once the spreadsheet has been read, the mirror knows."""


@contextmanager
def in_doubt() -> Iterator[None]:
    """Take whatever goes wrong for Unclear: it says nothing of a request that was sent before."""
    try:
        yield
    except Ending:
        raise
    except (Exception, KeyboardInterrupt) as error:
        raise Unclear(error) from error


@dataclass
class Outcome:
    """The outcome of a change that is being made: `change` is the name of a try of which it is not known whether it
    arrived, '' where it has none; None while nothing that was sent can have changed anything. What `can_be_repeated`
    does only what is left when it is done again. `kept` are sentences about what was done before, in portions; '' where
    nothing was."""

    change: str | None = None
    can_be_repeated: bool = False
    kept: str = ""

    @contextmanager
    def report(self) -> Iterator[None]:
        """Let errors say what became of the change."""
        try:
            yield
        except StoreUnsureError:
            raise
        except Unclear as unclear:
            raise self._unsure(unclear.error) from unclear
        except Interrupted as error:
            raise self._unsure(error) from error
        except Rejected as error:
            raise self._of(unreadable(error)) from error
        except StoreError as error:
            explained = self._of(error)
            if explained is error:
                raise
            raise explained from error
        except CRMError as error:
            # The change itself, made again after it was looked for, says why it cannot be made.
            if self.kept:
                error.sentence = f"{error.sentence.removesuffix(NOTHING_CHANGED).rstrip()} {self.kept}"
            raise
        except (Exception, KeyboardInterrupt) as error:
            if self.change is not None:
                raise self._unsure(error) from error
            if self.kept and isinstance(error, KeyboardInterrupt):
                raise Cancelled(f"Interrupted. {self.kept}") from error
            raise

    def _of(self, error: StoreError) -> StoreError:
        return error.keeping(self.kept or NOTHING_CHANGED) if self.change is None else self._unsure(error)

    def _unsure(self, error: BaseException | None) -> StoreUnsureError:
        why, advice = _NOT_KNOWN, ""
        if isinstance(error, StoreError):
            why = f"{_NOT_KNOWN} {error.what}"
            advice = error.advice
        elif isinstance(error, KeyboardInterrupt):
            why = _INTERRUPTED
        if self.can_be_repeated:
            return StoreUnsureError(f"This may have been done, at least in part: {why}", advice or "Do it again.")
        look = f" (`history find {self.change}`)" if self.change else ""
        return StoreUnsureError(
            f"This may have been saved: {why} Look at the history before you enter it again{look}.",
            " ".join(filter(None, [advice, self.kept])),
            change=self.change or "",
        )
