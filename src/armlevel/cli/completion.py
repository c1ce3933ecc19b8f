"""What a shell needs to complete armlevel's command line: a script with no Python in it, so that Tab is quick."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from shlex import quote
from typing import Annotated, Any

import typer

from armlevel.cli.completing import OF_ARGUMENT, OF_OPTION, SHELLS, values
from armlevel.errors import UnknownName

__all__ = ["run"]

# Values stand in variables, once each; an @ begins a machine, and is no end of a word.
_BASH = """\
_armlevel() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path= verbs= options= list=
%(lists)s
    [ "$COMP_CWORD" -gt 1 ] && path=${COMP_WORDS[1]}
    [ "$COMP_CWORD" -gt 2 ] && case $path in %(groups)s) path="$path ${COMP_WORDS[2]}" ;; esac
    case $path in
%(cases)s
    esac
    case $path in
%(arguments)s
    esac
    case $word in -*) verbs=$options ;; @*) verbs=$machines ;; esac
    case $before in
%(values)s
    esac
    COMPREPLY=($(compgen -W "$verbs" -- "$word"))
}
COMP_WORDBREAKS=${COMP_WORDBREAKS//@/}
complete -o default -F _armlevel armlevel"""

_ZSH = """\
#compdef armlevel
_armlevel() {
    local word=$words[CURRENT] before=$words[CURRENT-1] path_= verbs= options=
%(lists)s
    (( CURRENT > 2 )) && path_=$words[2]
    (( CURRENT > 3 )) && case $path_ in %(groups)s) path_="$path_ $words[3]" ;; esac
    case $path_ in
%(cases)s
    esac
    case $path_ in
%(arguments)s
    esac
    case $word in -*) verbs=$options ;; @*) verbs=$machines ;; esac
    case $before in
%(values)s
    esac
    if [[ -n $verbs ]]; then compadd -- ${=verbs}; else _files; fi
}
if [[ $funcstack[1] == _armlevel ]]; then _armlevel "$@"; else compdef _armlevel armlevel; fi"""


def run(
    context: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="One of: bash, zsh, fish.")],
) -> int:
    """Print the completion script of a shell.

    bash: `armlevel completion bash > ~/.local/share/bash-completion/completions/armlevel`; zsh: into a file `_armlevel`
    of a directory in $fpath; fish: into ~/.config/fish/completions/armlevel.fish. It completes verbs, options and
    their values: recorded machines after an @, features, fields, emulated hosts; all else are files. Print it anew
    after an upgrade.
    """
    if shell not in SHELLS:
        raise UnknownName("shell", shell, SHELLS)
    tree = _tree(context.find_root().command, context.find_root())
    lines = _fish(tree) if shell == "fish" else _script(_BASH if shell == "bash" else _ZSH, tree)
    sys.stdout.write("".join(f"{line}\n" for line in lines))  # a script, which no terminal's width may fold
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
    arguments = [f"        {quote(' '.join(path))}) verbs=${name} ;;" for path, name in OF_ARGUMENT.items()]
    parts = {
        "lists": [f"    local {name}={quote(' '.join(words))}" for name, words in values().items()],
        "cases": cases,
        "arguments": arguments,
        "values": [f"        {option}) verbs=${name} ;;" for option, name in OF_OPTION.items()],
    }
    filled = {name: "\n".join(lines) for name, lines in parts.items()}
    return (template % (filled | {"groups": "|".join(groups)})).splitlines()


def _fish(tree: Mapping[tuple[str, ...], Any]) -> list[str]:
    lists = values()
    lines = [f"set -g __armlevel_{name} {' '.join(map(quote, words))}" for name, words in lists.items()]
    lines.append(
        'complete -c armlevel -n \'string match -q "@*" (commandline -ct)\' -f -a "$__armlevel_machines"'
    )
    for path, command in tree.items():
        seen = " && ".join(f"__fish_seen_subcommand_from {name}" for name in path)
        inner = _below(path, tree)
        free = f"not __fish_seen_subcommand_from {' '.join(inner)}" if inner else ""
        when = quote(" && ".join(filter(None, [seen, free])) or "true")
        for name in inner:
            line = (tree[*path, name].help or "").split("\n\n")[0]
            about = quote(" ".join(line.split()).rstrip("."))
            lines.append(f"complete -c armlevel -n {when} -f -a {name} -d {about}")
        if path in OF_ARGUMENT:
            lines.append(f'complete -c armlevel -n {when} -f -a "$__armlevel_{OF_ARGUMENT[path]}"')
        for one in _options(command):
            spelt = " ".join(
                f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}"
                for n in (*one.opts, *one.secondary_opts)
            )
            value = "" if one.is_flag else " -r"
            name = next((OF_OPTION[text] for text in one.opts if text in OF_OPTION), "")
            value += f' -a "$__armlevel_{name}"' if name else ""
            lines.append(f"complete -c armlevel -n {when} {spelt}{value} -d {quote(one.help or '')}")
    return lines
