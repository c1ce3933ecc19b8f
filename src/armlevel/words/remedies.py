"""What a person could do, in words: one sentence for each kind of remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from armlevel.arch import load
from armlevel.engine.findings import Finding, Remedy, RemedyKind
from armlevel.engine.names import HostName
from armlevel.engine.subjects import Subject
from armlevel.words.subjects import FACTS, hosts_text, listed_few, subject_text

if TYPE_CHECKING:
    from armlevel.engine.moves.means_of_hosts import StockMeans

__all__ = ["REMEDIES", "means_text", "no_means_text", "option_text", "remedy_text", "remedy_texts"]


def _kernel(remedy: Remedy) -> str:
    hosts = hosts_text(remedy.hosts)
    return (
        f"kernel {remedy.args[0]} or later on {hosts}"
        if remedy.args
        else f"another kernel on {hosts or 'some host'}"
    )


def _fact(remedy: Remedy) -> str:
    host = remedy.hosts[0] if len(remedy.hosts) == 1 else "HOST"
    return f"if you know it: --fact {host}:{remedy.args[0]}=VALUE"


def _probe(remedy: Remedy) -> str:
    return f"probe {hosts_text(remedy.hosts)}" + (f" in shape {remedy.args[0]}" if remedy.args else "")


def _start_on(remedy: Remedy) -> str:
    hosts = hosts_text(remedy.hosts)
    return f"start guests on {hosts} only" if hosts else "start guests elsewhere; they may arrive here"


def _implementation(remedy: Remedy) -> str:
    values = zip(("MIDR", "REVIDR", "AIDR"), remedy.args, strict=True)
    text = ",".join(f"{name}={value:#x}" for name, value in values)
    return f"--implementation {remedy.hosts[0] if remedy.hosts else text}"


def _vmm(remedy: Remedy) -> str:
    return f"{_stack(list(map(str, remedy.args)))} or later on {hosts_text(remedy.hosts)}"


def _switches(remedy: Remedy) -> str:
    text, *stack = map(str, remedy.args)
    newer = f" ({_stack(stack)})" if stack else ""
    said = [f"-cpu host,{text}", *spellings(text)]
    return f"{text}{newer}: start the guest so on both hosts: {'; '.join(said)}"


def _board(remedy: Remedy) -> str:
    said = {"gic-version": "<features><gic version='{}'/></features>"}
    option, _, value = str(remedy.args[0]).partition("=")
    libvirt = f"; libvirt: {said[option].format(value)}" if option in said else ""
    return f"{option}={value}: start QEMU so on both hosts: -machine virt,{option}={value}{libvirt}"


def _stack(words: Sequence[str]) -> str:
    family, *version = words
    return f"{family.upper() if family == 'qemu' else family.capitalize()} {'.'.join(version)}"


def spellings(text: str) -> list[str]:
    """Return how libvirt and Nova spell switches, and which they have no words for.

    >>> spellings("pmu=off")
    ["libvirt: <features><pmu state='off'/></features>", 'Nova: hw:pmu=false']
    """
    rows = [(row, value) for word in text.split(",") for row in load().switches
            if (value := row.value_in(word)) is not None]  # fmt: skip
    said = []
    for who, words in (
        ("libvirt", [row.libvirt.format(value) for row, value in rows]),
        ("Nova", [row.nova.format(value) for row, value in rows]),
    ):
        missing = [row.written(value) for (row, value), word in zip(rows, words, strict=True) if not word]
        if len(missing) < len(rows):
            said.append(
                f"{who}: {' '.join(filter(None, words))}"
                + (f", no word for {' '.join(missing)}" if missing else "")
            )
    return said


def _pin_cpus(remedy: Remedy) -> str:
    numbers, cluster = remedy.args
    return (
        f"pin the guest to CPU {numbers}, and name {cluster}: that decides which MIDR_EL1 it reads, its PMU, and before"
        " Linux 6.3 its cache sizes; not which MIDR_EL1 KVM takes"
    )


def means_text(means: StockMeans) -> str:
    """Return a means of all hosts in words.

    >>> from armlevel.engine.moves.means_of_hosts import StockMeans
    >>> means_text(StockMeans("switches", "pmu=off", "qemu-11.1"))
    'switches: -cpu host,pmu=off on every host (QEMU 11.1)'
    """
    stack = f" ({_stack(means.vmm.replace('-', ' ').replace('.', ' ').split())})" if means.vmm else ""
    switches = f"-cpu host,{means.switches} on every host" if means.switches else "none are needed"
    texts = {
        "passthrough": "passthrough: guests may go as they are",
        "switches": f"switches: {switches}",
        "sysreg": "sysreg: the VMM writes the registers",
        "preload": "preload: armlevel run",
    }
    return texts[means.name] + stack


def no_means_text(name: str | None) -> str:
    """Return that a means that was asked for is not known to do it.

    >>> no_means_text("switches")
    'switches: not known to do it for all of them'
    """
    return f"{name}: not known to do it for all of them"


def _level(remedy: Remedy) -> str:
    options = "".join(f" --tolerate {name}" for name in remedy.args)
    return f"level it: armlevel baseline {' '.join(remedy.hosts) or 'HOST...'}{options}"


def _vmm_typed(name: object) -> str:
    # Sets of behaviour have names of their own; a person says a version that behaves so.
    row = load().vmms.get(str(name))
    return row.typed if row is not None else str(name)


def _nothing(remedy: Remedy) -> str:
    if not remedy.args:
        return "nothing that was tried gives these hosts one CPU: keep them in separate pools (armlevel plan)"
    facts = listed_few([FACTS.get(str(name), str(name)) for name in remedy.args], 3)
    return f"nothing changes the {facts}: keep them in separate pools"


#: The sentence of each kind.
REMEDIES: dict[RemedyKind, Callable[[Remedy], str]] = {
    "pin": lambda remedy: f"level the guest with {option_text(remedy)}",
    "pin-cpus": _pin_cpus,
    "without": lambda remedy: f"do without it: --without {remedy.args[0]}",
    "tolerate": lambda remedy: "tolerate it:" + "".join(f" --tolerate {name}" for name in remedy.args),
    "upgrade-kernel": _kernel,
    "leave-out": lambda remedy: f"leave out {hosts_text(remedy.hosts)}",
    "fact": _fact,
    "probe": _probe,
    "level": lambda _: "level the guest first: armlevel baseline",
    "start-on": _start_on,
    "require-not": lambda remedy: f"do not require {remedy.args[0]}",
    "implementation": _implementation,
    "serve-targets": lambda _: "a VMM that serves the list of target implementations",
    "switches": _switches,
    "board": _board,
    "vmm": _vmm,
    "other-vmm": lambda remedy: f"--vmm {_vmm_typed(remedy.args[0])}",
    "say-vmm": lambda remedy: f"say which it is: --vmm {' or '.join(map(_vmm_typed, remedy.args))}",
    "run": lambda _: "level the guest, and start it with armlevel run",
    "level-and-run": lambda remedy: f"{_level(remedy)}; armlevel run",
    "level-and-export": lambda remedy: f"{_level(remedy)}; armlevel export --to firecracker",
    "kernel-as": lambda remedy: (
        f"kernel {remedy.args[0]} on {hosts_text(remedy.hosts)}, as recorded of {remedy.args[1]}"
    ),
    "nothing": _nothing,
    "restart": lambda _: "shut the guest down and start it on the other host",
}
# Remedies that are commands with hosts in them.
_COMMANDS = ("level-and-run", "level-and-export")
# Remedies that help whatever the subject is.
_WHOLE = ("fact", "start-on", "require-not")


def remedy_text(remedy: Remedy, typed: Mapping[str, str] | None = None) -> str:
    """Return a remedy in words; ``typed`` is how a person named hosts, for commands to be pasted.

    >>> from armlevel.engine.names import Name, hosts_of
    >>> remedy_text(Remedy("vmm", (Name("qemu"), 11, 1), hosts_of(["b"])))
    'QEMU 11.1 or later on b'
    """
    if typed and remedy.kind in _COMMANDS:
        remedy = replace(remedy, hosts=tuple(HostName(typed.get(name, name)) for name in remedy.hosts))
    return REMEDIES[remedy.kind](remedy)


def option_text(remedy: Remedy) -> str:
    """Return the option of ``armlevel baseline`` that a remedy stands for; other remedies in words.

    >>> from armlevel.engine.names import FieldName
    >>> option_text(Remedy("pin", (FieldName("CTR_EL0.DIC"), 0)))
    '--pin CTR_EL0.DIC=0'
    """
    return f"--pin {remedy.args[0]}={remedy.args[1]}" if remedy.kind == "pin" else remedy_text(remedy)


def remedy_texts(findings: Sequence[Finding], skip: Sequence[RemedyKind], *, every: bool) -> list[str]:
    """Return what a person could do, each thing once, with the subjects that it would help."""
    several = dict.fromkeys(finding.subject for finding in findings)
    hosts: dict[Remedy, dict[HostName, None]] = {}
    helped: dict[Remedy, dict[Subject, None]] = {}
    for finding in findings:
        for remedy in finding.remedies:
            if remedy.kind not in skip:
                alike = Remedy("level") if remedy.kind == "pin" and not every else replace(remedy, hosts=())
                hosts.setdefault(alike, {}).update(dict.fromkeys(remedy.hosts))
                helped.setdefault(alike, {})[finding.subject] = None
    texts = []
    for remedy, subjects in helped.items():
        text = remedy_text(replace(remedy, hosts=tuple(hosts[remedy])))
        short = [subject_text(name).rpartition(".")[2] for name in subjects]
        partial = len(subjects) < len(several) and remedy.kind not in _WHOLE
        texts.append(f"{text} (for {listed_few(short, 3, every=every)})" if partial else text)
    return texts
