"""The command line's door: which verbs there are, and what becomes of an exception.

A verb's module is imported when the verb is used, so that `--help` and `--version` stay quick.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from contextvars import copy_context
from typing import Annotated, Any, cast

import typer
from typer.main import get_command

from armlevel import __version__
from armlevel.cli import progress
from armlevel.cli.helping import SETTINGS, Verb, VerbGroup, help_width, settled
from armlevel.cli.output import CLOSED, silence, tell_lines
from armlevel.cli.terminal import forget_wishes
from armlevel.errors import ArmlevelError, NotRecorded, UsageError

__all__ = ["VERBS", "leave", "run"]

#: verb -> (the module whose ``run`` it is, or whose ``app`` if it has verbs of its own; what it does in one line)
VERBS: dict[str, tuple[str, str]] = {
    "probe": ("probe", "Read this machine and what its KVM takes and refuses."),
    "collect": ("collect", "Probe many hosts over ssh, and say which failed and why."),
    "show": ("show", "Decode profiles, and other tools' files."),
    "diff": ("diff", "Compare two hosts or guests, field by field."),
    "baseline": ("baseline", "Find the richest guest CPU that every host can run."),
    "check": ("check", "Say whether a guest may start and arrive on hosts."),
    "migrate": ("migrate", "Say whether a guest may move between two hosts."),
    "matrix": ("matrix", "Show who can go where."),
    "plan": ("plan", "Put hosts into the fewest groups that share a baseline."),
    "freeze": ("freeze", "Freeze a guest profile: name, version, lineage, signature."),
    "verify-signature": ("verify_signature", "Say whether a frozen profile was signed."),
    "drift": ("drift", "Say whether hosts still run a guest."),
    "verify": ("verify", "Give a scratch VM the guest's CPU, and compare."),
    "run": ("run", "Start QEMU with a guest profile's CPU."),
    "lab": ("lab", "Boot emulated Arm hosts with real KVM."),
    "import": ("importing", "Turn another tool's file into a profile."),
    "export": ("exporting", "Write a guest profile as a file of another tool."),
    "explain": ("explain", "Say what an error line means, and which field it is."),
    "guests": ("guests", "Say which guests run on this host, and where each may go."),
    "doctor": ("doctor", "Say what armlevel can do on this machine."),
    "machines": ("machines", "List the recorded machines that ship."),
    "agent": ("agent", "Know hosts by their agents' keys, and take their reports."),
    "fleet": ("fleet", "Remember a fleet: hosts, pools, levels, history."),
    "guard": ("guard", "Refuse guests that this host cannot run, as they come."),
    "override": ("override", "Let a guest move whatever the guard says."),
    "facts": ("facts", "Search the facts: a feature, field, register, core or hwcap."),
    "completion": ("completion", "Print the completion script of a shell."),
}

#: What verbs are for -> which they are, as the help groups them.
GROUPS: dict[str, tuple[str, ...]] = {
    "Ask whether a guest can go there": ("check", "migrate", "guests", "matrix", "drift"),
    "Level hosts": ("baseline", "plan", "freeze", "verify-signature"),
    "Start a levelled guest": ("verify", "run", "export"),
    "Get to know hosts": ("probe", "collect", "import", "lab", "machines", "agent", "doctor"),
    "Remember a fleet": ("fleet",),
    "Guard moves": ("guard", "override"),
    "Understand": ("show", "diff", "explain", "facts"),
    "The shell": ("completion",),
}

BAD_INPUT, CANNOT_SAY = 2, 3

_EPILOG = (
    "HOST and GUEST are files: profiles, or files of other tools. A directory means every profile in it. "
    "@NAME is a recorded machine that ships with armlevel; patterns work: '@graviton3*'. "
    "Exit: 0 yes or done, 1 no, 3 cannot say, 2 bad usage or bad input."
)


class _Verbs(VerbGroup):
    """The verbs by name; what they are is known without importing them."""

    def __init__(self, *args: Any, **more: Any) -> None:
        """Know the names, so that one may be suggested for another."""
        super().__init__(*args, **more)
        self.commands = cast(Any, dict.fromkeys(VERBS))

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer's signature)
        """All verbs, in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 (typer's signature)
        """Import one verb."""
        if cmd_name not in VERBS:
            return None
        importlib.import_module("armlevel.cli.files").begin()
        verb = importlib.import_module(f"armlevel.cli.{VERBS[cmd_name][0]}")
        app = getattr(verb, "app", None)  # a verb with verbs of its own
        if app is None:
            app = typer.Typer(add_completion=False, rich_markup_mode=None)
            app.command(cmd_name, cls=Verb)(verb.run)
        command = settled(get_command(app))
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (typer's signature)
        """List the verbs from the table, by what they are for."""
        widest = max(map(len, VERBS))
        for title, verbs in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{verb:{widest}}", VERBS[verb][1]) for verb in verbs if verb in VERBS])


_app = typer.Typer(
    cls=_Verbs,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings=SETTINGS,
    epilog=_EPILOG,
)


def _tell_version(asked: bool) -> None:
    if asked:
        print(f"armlevel {__version__}")
        raise typer.Exit


@_app.callback()
def _armlevel(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 (its callback answers)
        bool,
        typer.Option(
            "-V", "--version", callback=_tell_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Level the CPUs of an Arm fleet, so that a virtual machine can move between hosts that are not the same."""
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(BAD_INPUT)


def leave() -> None:
    """Run the command line of this process, see that its output got out, and leave with the exit status."""
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence()
        code = CLOSED
    except OSError as exc:
        silence()
        code = _complain(f"the output cannot be written: {(exc.strerror or str(exc)).lower()}")
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:  # noqa: PLR0911 (each way out is another sentence)
    """Run one command line and return its exit status; whatever goes wrong, it is said in a sentence on stderr."""
    forget_wishes()
    try:
        _hold_filled(arguments)
        # In a context of its own: what this question reads is no input of the next one.
        context, main = copy_context(), settled(get_command(_app)).main
        code = context.run(
            main, _asked(arguments), prog_name="armlevel", standalone_mode=False, **help_width()
        )
        if (files := sys.modules.get("armlevel.cli.files")) is not None:  # a verb was used
            context.run(files.tell_remarks)
        return int(code or 0)
    except typer.TyperException as exc:
        return _complain(_first_small(exc.format_message()), hint=_where_help_is(exc))
    except ArmlevelError as exc:
        said = _complain(str(exc))
        return CANNOT_SAY if isinstance(exc, NotRecorded) else said
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except (BrokenPipeError, SystemExit):  # typer leaves at once where a pipe is closed, and nowhere else
        silence()
        return CLOSED
    except OSError as exc:
        what = exc.filename or "the output cannot be written"
        return _complain(f"{what}: {(exc.strerror or str(exc)).lower()}")
    except MemoryError:
        return _complain("not enough memory for this input")
    except Exception as exc:
        if os.environ.get("ARMLEVEL_TRACEBACK"):
            raise
        what = " ".join(f"{type(exc).__name__}: {exc}".split())
        return _complain(
            f"this is a fault of armlevel, please report it with its input ({what}); "
            "ARMLEVEL_TRACEBACK=1 shows where it happened"
        )
    finally:
        progress.end()


def _asked(arguments: Sequence[str]) -> list[str]:
    # `armlevel help lab run` is `armlevel lab run --help`.
    return [*arguments[1:], "--help"] if arguments[:1] == ["help"] else list(arguments)


def _hold_filled(arguments: Sequence[str]) -> None:
    # `--key "$KEY"` where there is no KEY: not signing, or not looking at a signature, is no answer to that.
    own = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    for before, word in zip(["", *own], own, strict=False):
        option = word.removesuffix("=") if word.startswith("--") and word.endswith("=") else ""
        if option or not word:
            option = option or (before if before.startswith("-") else "an argument")
            raise UsageError(f"{option} is empty", hint="is a variable not set?")


def _complain(sentence: str, hint: str = "") -> int:
    try:
        tell_lines(f"{sentence}{hint}".split("\n"))
    except OSError:
        silence()
    return BAD_INPUT


def _first_small(message: str) -> str:
    message = message.rstrip(".").replace(". Did you mean", "; did you mean").rstrip("?")
    return message[:1].lower() + message[1:]


#: Verbs that run a command: an option of that command is none of ours.
_RUNNING = {"armlevel lab run": "HOST -- COMMAND...", "armlevel run": "--guest GUEST -- QEMU..."}


def _where_help_is(exc: typer.TyperException) -> str:
    context = getattr(exc, "ctx", None)
    if "o such option" in exc.format_message() and context is not None and context.command_path in _RUNNING:
        path = context.command_path
        return f"; if it belongs to the command that is to run, write -- before that: {path} {_RUNNING[path]}"
    return f"; see {context.command_path} --help" if context is not None else ""
