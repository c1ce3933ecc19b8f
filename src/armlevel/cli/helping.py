"""Help as a person reads it: what, for what options, in groups, with examples; as wide as the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, Any, Literal, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from armlevel.cli.examples import EXAMPLES
from armlevel.cli.output import wrapped
from armlevel.cli.terminal import Color, page_width, wishes

__all__ = ["SETTINGS", "Verb", "VerbGroup", "example_lines", "help_width", "panel_of", "settled"]

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}

# Options that several verbs have, by what they are for.
_PANELS: dict[str, tuple[str, ...]] = {
    "What may be taken for granted": (
        *("--fact", "--assume-same-impdef", "--accept-weaker-mitigation", "--tolerate"),
    ),
    "What the guest CPU is to be": (
        *("--without", "--hide", "--require", "--pin", "--implementation", "--also-target", "--means"),
    ),
    "Where emulated hosts come from": (
        "--mirror",
        "--keyring",
        "--qemu",
        "--timeout",
        "--probe",
        "--refresh",
    ),
    "Output": (
        *("--output", "--force", "--directory", "--svg", "--json", "--names", "--explain"),
        *("--color", "--quiet", "--version", "--help"),
    ),
}
_PANEL_OF = {name: panel for panel, names in _PANELS.items() for name in names}
_FIRST = "Options"


def panel_of(parameter: Any) -> str:
    """Return the group of options that help shows an option in."""
    found = getattr(parameter, "rich_help_panel", None) or next(
        (_PANEL_OF[name] for name in parameter.opts if name in _PANEL_OF), _FIRST
    )
    return cast(str, found)


class _AsTyped:
    """What an option or argument becomes, as typer asks for it: texts stay what they are.

    Typer's own conversion imports pydantic, and builds a validator for each option of a verb, typed or not: that takes
    longer than all else that a verb does. It is left what is no text (a choice, a number), where it was typed.
    """

    def __init__(self, parameter: Any, otherwise: Callable[[], Any]) -> None:
        self._text = parameter.type_descriptor.annotation in (str, list[str])
        self._otherwise = otherwise

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        if self._text and several and isinstance(value, list | tuple):
            return list(map(str, value))
        if self._text and not several and isinstance(value, str):
            return value
        return self._otherwise().coerce(value, param=param, ctx=ctx)


def _as_typed(parameters: Sequence[Any]) -> list[Any]:
    for one in parameters:
        if "get_runtime_param" not in vars(one):
            one.get_runtime_param = partial(_AsTyped, one, one.get_runtime_param)
    return list(parameters)


class Verb(TyperCommand):
    """A verb whose help groups its options and ends with examples."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return its options and arguments."""
        return _as_typed(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what stands behind the verb in the usage line."""
        return [self.options_metavar or "", *_arguments(self, ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, the groups of options, and examples."""
        _write_options(self, ctx, formatter)
        _write_examples(_spelt(ctx), formatter)


class VerbGroup(TyperGroup):
    """Verbs that have verbs of their own."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return its options and arguments."""
        return _as_typed(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer's signature)
        """Return what stands behind the verb in the usage line."""
        return [self.options_metavar or "", "COMMAND ..."]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, the groups of options, and examples."""
        self.format_commands(ctx, formatter)
        _write_options(self, ctx, formatter)
        _write_examples(_spelt(ctx), formatter)


def settled(command: Any) -> Any:
    """Give a command, and those below it, the options that every one has."""
    for below in getattr(command, "commands", {}).values():
        if below is not None:  # a name whose verb was not imported
            settled(below)
    if not any(one.name == "color" for one in command.params):
        command.params += _common()
    command.context_settings = {**SETTINGS, **command.context_settings}
    return command


def _common() -> list[Any]:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(_wishes)
    params = get_command(app).params
    for one in params:
        one.expose_value = False
        one.callback = _wish
    return list(params)


def _wishes(
    color: Annotated[
        Literal["auto", "always", "never"] | None,
        typer.Option("--color", metavar="WHEN", help="Colours: auto (on a terminal), always, never."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="The answer's first line only; no remarks, no progress.")
    ] = False,
) -> None:
    """Carry the options that every command has."""


def _wish(ctx: Any, parameter: Any, value: Any) -> Any:
    if not ctx.resilient_parsing:
        if parameter.name == "color" and value is not None:
            wishes.color = cast(Color, value)
        if parameter.name == "quiet" and value:
            wishes.quiet = True
    return value


def _arguments(command: Any, ctx: Any) -> Iterator[str]:
    for one in command.get_params(ctx):
        if one.param_type_name == "argument" and not one.hidden:
            name = one.metavar or one.name.upper()
            yield name if one.required else f"[{name}]"


def _write_options(command: Any, ctx: Any, formatter: Any) -> None:
    arguments: list[tuple[str, str]] = []
    panels: dict[str, list[tuple[str, str]]] = {_FIRST: [], **{panel: [] for panel in _PANELS}}
    for one in command.get_params(ctx):
        if one.hidden:
            continue
        if one.param_type_name == "argument":
            arguments.append((one.metavar or one.name.upper(), one.help or ""))
        elif (record := one.get_help_record(ctx)) is not None:
            panels.setdefault(panel_of(one), []).append(record)
    for title, rows in (("Arguments", arguments), *panels.items()):
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def _write_examples(verb: str, formatter: Any) -> None:
    if verb in EXAMPLES:
        with formatter.section("Examples"):
            formatter.write("".join(f"{line}\n" for line in example_lines(EXAMPLES[verb])))


def example_lines(examples: Sequence[tuple[str, str]]) -> list[str]:
    """Return examples as lines, each command with what it is for below it."""
    lines: list[str] = []
    for command, purpose in examples:
        lines += [*wrapped(f"armlevel {command}", "  ", "      "), *wrapped(purpose, "      ")]
    return lines


def _spelt(ctx: Any) -> str:
    return str(ctx.command_path).removeprefix("armlevel").strip()


def help_width() -> dict[str, int]:
    """Return the width of help, as typer takes it."""
    return {"terminal_width": page_width()}
