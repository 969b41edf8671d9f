"""What a command has done, or found out, on screen."""

from collections.abc import Iterable

from rich.text import Text

from crm.commands.client_selection import pluralize
from crm.commands.clients.bulk import GroupReport, counted
from crm.commands.clients.rules import MoveCount, RulesReport, Why
from crm.commands.data.copying import CopyReport
from crm.commands.data.exporting import ExportReport
from crm.commands.data.history import TakenBack, told_passed_over
from crm.commands.data.settings import SettingShown
from crm.commands.data.store import CheckReport, FileWritten, LiveReport
from crm.commands.home.today import TodayReport
from crm.model import Conventions
from crm.model.paths import display_path
from crm.terminal.drawing import cards, tables
from crm.terminal.drawing.render import drawn
from crm.terminal.drawing.screen import Screen, clean, status_style
from crm.terminal.home import rendering


@drawn.register
def _(result: Why, screen: Screen, by: Conventions) -> None:
    cards.draw_why(screen, result, by)


@drawn.register
def _(result: TodayReport, screen: Screen, by: Conventions) -> None:
    rendering.draw(screen, result, by)


@drawn.register
def _(result: SettingShown, screen: Screen, _by: Conventions) -> None:
    screen.print(Text(f"{result.label}: ").append(clean(result.value), "bold"))


@drawn.register
def _(result: FileWritten, screen: Screen, _by: Conventions) -> None:
    if result.done:
        screen.print(Text(f"{screen.sign('✓', 'OK:')} {clean(result.done)}", "green"))
    done = Text(f"{screen.sign('✓', 'OK:')} {result.what[:1].upper()}{result.what[1:]}: ", "green")
    screen.print(done.append(clean(display_path(result.file)), "bold"))
    _keep_safe(result.keep_safe, screen)


@drawn.register
def _(result: ExportReport, screen: Screen, by: Conventions) -> None:
    many = "records" if result.what == "all" else result.what
    written = pluralize(result.records, many.removesuffix("s"), many, by)
    done = Text(f"{screen.sign('✓', 'OK:')} {written} in ", "green")
    screen.print(done.append(clean(display_path(result.file)), "bold"))
    _keep_safe(result.keep_safe, screen)


def _keep_safe(told: str, screen: Screen) -> None:
    if told:
        screen.print(Text(told, "yellow"))


@drawn.register
def _(result: GroupReport, screen: Screen, by: Conventions) -> None:
    if not result.clients + result.unchanged:
        screen.print("No client fits; nothing was changed.")
        return
    told = [f"{pluralize(result.clients, 'client', 'clients', by)} {result.done}", *counted(result.along, by)]
    if result.unchanged:
        told.append(f"{by.number(result.unchanged)} {'was' if result.unchanged == 1 else 'were'} so already")
    if result.moved:
        told.append(f"{by.number(result.moved)} {'has' if result.moved == 1 else 'have'} another status now")
    screen.print(Text(f"{screen.sign('✓', 'OK:')} {', '.join(told)}", "green"))


@drawn.register
def _(result: RulesReport, screen: Screen, by: Conventions) -> None:
    if not result.clients:
        screen.print("Nobody moves: every client has the status that the rules give.")
        return
    who = f"{by.number(result.clients)} {'client' if result.clients == 1 else 'clients'}"
    verb = "moved" if result.applied else "would move"
    screen.print(Text(f"{who} {verb}:", "bold"))
    for line in _counts(result.counts, screen, by):
        screen.print(line)
    screen.print()
    screen.print(tables.table(tables.MOVES, result.moves[: max(3, screen.left - 15)], by, screen.width))


def _counts(counts: Iterable[MoveCount], screen: Screen, by: Conventions) -> Iterable[Text]:
    for each in counts:
        line = Text(f"  {by.number(each.clients):>7}  ", "bold").append(
            clean(each.before or "none"), status_style(each.before)
        )
        line.append(f" {screen.sign('→', '->')} ", "default")
        yield line.append(clean(each.after or "none"), status_style(each.after))


@drawn.register
def _(result: TakenBack, screen: Screen, by: Conventions) -> None:
    told = Text(f"{screen.sign('✓', 'OK:')} Taken back: ", "green").append(clean(result.undone.what), "bold")
    screen.print(told)
    if result.passed_over:
        screen.print(Text(clean(told_passed_over(result.passed_over)), "dim"))
    if result.left_out:
        screen.print(Text(clean(result.left_out), "yellow"))
    if result.records:
        screen.print(tables.table(tables.CHANGES, result.records[:8], by, screen.width))


@drawn.register
def _(result: LiveReport, screen: Screen, by: Conventions) -> None:
    signs = {True: ("✓", "yes:", "green"), False: ("✗", "NO:", "bold red"), None: ("?", "?", "yellow")}
    for proof in result.proofs:
        sign, plain_sign, style = signs[proof.held]
        line = Text(f"{screen.sign(sign, plain_sign)} ", style).append(clean(proof.what), "default")
        screen.print(line.append(f" ({clean(proof.seen)})", "dim"))
    screen.print()
    if result.failed:
        told = "Not everything held; docs/google-sheets.md says what the store does then."
        screen.print(Text(told, "bold red"))
    else:
        held = by.number(len(result.proofs))
        screen.print(Text(f"{screen.sign('✓', 'OK:')} All {held} things that the store relies on held.", "green"))


@drawn.register
def _(result: CopyReport, screen: Screen, by: Conventions) -> None:
    screen.print(tables.table(tables.FIGURES, result.figures, by, screen.width))
    if result.failed:
        screen.print(Text("The copy differs from the store it was made of; do not use it.", "bold red"))
    else:
        copied = Text(f"{screen.sign('✓', 'OK:')} Copied to ", "green")
        screen.print(copied.append(clean(display_path(result.copy)), "default"))


@drawn.register
def _(result: CheckReport, screen: Screen, by: Conventions) -> None:
    if not result.wrong:
        screen.print(Text(f"{screen.sign('✓', 'OK:')} Everything agrees.", "green"))
    for title, findings, style in (("Wrong", result.wrong, "bold red"), ("Worth a look", result.odd, "bold yellow")):
        if findings:
            screen.print(Text(f"{title}: {by.number(len(findings))}", style))
            screen.print(tables.table(tables.FINDINGS, findings[: max(3, screen.left - 15)], by, screen.width))
