"""What a shell needs to complete armlevel's command line: a script with no Python in it, so that Tab is quick."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import Annotated, Any

import typer

from armlevel.cli.output import say
from armlevel.errors import UnknownName

__all__ = ["run"]

_BASH = """\
_armlevel() {
    local word=${COMP_WORDS[COMP_CWORD]} path= verbs= options=
    [ "$COMP_CWORD" -gt 1 ] && path=${COMP_WORDS[1]}
    [ "$COMP_CWORD" -gt 2 ] && case $path in %(groups)s) path="$path ${COMP_WORDS[2]}" ;; esac
    case $path in
%(cases)s
    esac
    case $word in -*) verbs=$options ;; esac
    COMPREPLY=($(compgen -W "$verbs" -- "$word"))
}
complete -o default -F _armlevel armlevel"""

_ZSH = """\
#compdef armlevel
_armlevel() {
    local word=$words[CURRENT] path_= verbs= options=
    (( CURRENT > 2 )) && path_=$words[2]
    (( CURRENT > 3 )) && case $path_ in %(groups)s) path_="$path_ $words[3]" ;; esac
    case $path_ in
%(cases)s
    esac
    case $word in -*) verbs=$options ;; esac
    if [[ -n $verbs ]]; then compadd -- ${=verbs}; else _files; fi
}
if [[ $funcstack[1] == _armlevel ]]; then _armlevel "$@"; else compdef _armlevel armlevel; fi"""


def run(
    context: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="One of: bash, zsh, fish.")],
) -> int:
    """Print the completion script of a shell.

    bash: `armlevel completion bash > ~/.local/share/bash-completion/completions/armlevel`; zsh: into a file `_armlevel`
    of a directory in $fpath; fish: into ~/.config/fish/completions/armlevel.fish. It completes verbs and options;
    all else are files. Print it anew after an upgrade.
    """
    shells = ("bash", "zsh", "fish")
    if shell not in shells:
        raise UnknownName("shell", shell, shells)
    tree = _tree(context.find_root().command, context.find_root())
    say(_fish(tree) if shell == "fish" else _script(_BASH if shell == "bash" else _ZSH, tree))
    return 0


def _tree(command: Any, context: Any) -> Mapping[tuple[str, ...], Any]:
    # The words before -> the command that they name; verbs that have verbs of their own come first.
    found: dict[tuple[str, ...], Any] = {(): command}
    if hasattr(command, "list_commands"):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            below = inner.make_context(name, [], parent=context, resilient_parsing=True)
            found |= {(name, *path): one for path, one in _tree(inner, below).items()}
    return found


def _options(command: Any) -> list[Any]:
    return [one for one in command.params if one.param_type_name == "option" and not one.hidden]


def _spelt(command: Any) -> list[str]:
    return [*(name for one in _options(command) for name in (*one.opts, *one.secondary_opts)), "--help"]


def _below(path: tuple[str, ...], tree: Mapping[tuple[str, ...], Any]) -> list[str]:
    return [other[-1] for other in tree if len(other) == len(path) + 1 and other[:-1] == path]


def _script(template: str, tree: Mapping[tuple[str, ...], Any]) -> list[str]:
    cases = [
        f"        {quote(' '.join(path))}) verbs={quote(' '.join(_below(path, tree)))}"
        f" options={quote(' '.join(_spelt(command)))} ;;"
        for path, command in tree.items()
    ]
    groups = [path[0] for path in tree if len(path) == 1 and _below(path, tree)]
    return (template % {"groups": "|".join(groups), "cases": "\n".join(cases)}).splitlines()


def _fish(tree: Mapping[tuple[str, ...], Any]) -> list[str]:
    lines = []
    for path, command in tree.items():
        seen = " && ".join(f"__fish_seen_subcommand_from {name}" for name in path)
        inner = _below(path, tree)
        free = f"not __fish_seen_subcommand_from {' '.join(inner)}" if inner else ""
        when = quote(" && ".join(filter(None, [seen, free])) or "true")
        for name in inner:
            line = (tree[*path, name].help or "").split("\n\n")[0]
            about = quote(" ".join(line.split()).rstrip("."))
            lines.append(f"complete -c armlevel -n {when} -f -a {name} -d {about}")
        for one in _options(command):
            spelt = " ".join(
                f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}"
                for n in (*one.opts, *one.secondary_opts)
            )
            value = "" if one.is_flag else " -r"
            lines.append(f"complete -c armlevel -n {when} {spelt}{value} -d {quote(one.help or '')}")
    return lines
