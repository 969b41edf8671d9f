"""One run of a command line, and how it ends: what is printed, and the exit code."""

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm import program
from crm.errors import Cancelled, CRMError, Question, StoreUnsureError, UsageError
from crm.shell import completion
from crm.shell.tree import Line, command_line

if TYPE_CHECKING:
    from crm.commands.context import CRM
    from crm.config import Config
    from crm.terminal.loop import Loop


class _Fault(CRMError):
    """A fault of this program itself."""

    kind = "fault"


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    open_crm: "Callable[..., CRM]",
    serve: "Callable[[Config, str, int], int] | None" = None,
    loop: "Loop | None" = None,
) -> int:
    """Run one command line and return its exit code: 0 done, 1 refused, 2 wrong usage, 3 not allowed, 4 not
    known whether it was saved, 130 interrupted.

    `serve` runs the web server with the settings on a host ('' for the usual one) and a port (0 for the usual one);
    without it there is no such command. `loop` is that of the menu, which opens without a command.
    """
    line = Line(environment, open_crm, serve, loop, completes=completion.variable() in os.environ)
    # An error of the command line itself comes before its options are read.
    line.settings["json"] = "--json" in arguments
    line.settings["debug"] = "--debug" in arguments
    # With stdin closed there is nothing to read, and with stdout or stderr closed nothing is written there.
    sys.stdin = sys.stdin or Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - to the end
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end
    if hasattr(sys.stdout, "reconfigure"):
        # A name with letters that cannot be written here is still shown in part.
        sys.stdout.reconfigure(errors="replace")
    try:
        return int(command_line(line).main(list(arguments), prog_name=program.name(), standalone_mode=False) or 0)
    except click.ClickException as error:
        from crm.shell.wrong_usage import sentence_of

        _tell(line, UsageError(sentence_of(error)))
        return 2
    except (KeyboardInterrupt, click.Abort, Cancelled, EOFError) as left:
        # Ctrl-C while a shell waits for completions leaves the shell's line, and no question of ours.
        if completion.variable() not in os.environ:
            _tell(line, left if isinstance(left, Cancelled) else Cancelled())
        return 130
    except CRMError as error:
        if line.settings["debug"]:
            traceback.print_exc()
        _tell(line, error)
        return error.exit_code
    except Exception as error:
        if line.settings["debug"]:
            traceback.print_exc()
        _tell(line, _Fault(f"Something went wrong in this program ({type(error).__name__}). --debug shows where."))
        return 1


def _tell(line: Line, error: CRMError) -> None:
    """Say an error on stderr: a sentence, or with --json an object."""
    sentence = error.sentence
    if line.settings["json"]:
        kind = error.question_kind if isinstance(error, Question) else error.kind
        report = {"error": kind, "message": sentence}
        if isinstance(error, StoreUnsureError) and error.change:
            report["change"] = error.change
        sys.stderr.write(json.dumps(report, ensure_ascii=False) + "\n")
    else:
        from crm.terminal.drawing.screen import clean

        sys.stderr.write("\n".join(clean(part) for part in sentence.split("\n")) + "\n")
