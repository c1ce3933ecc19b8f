"""Any document, or another tool's file, decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from armlevel.arch import Catalogue, features_of, load
from armlevel.cli import progress
from armlevel.cli.cautions import caution_lines
from armlevel.cli.findings import Page
from armlevel.cli.levelled import guest_lines
from armlevel.cli.options import AnyFiles, Explain, Json, Kernel
from armlevel.cli.output import columns, meant, say, say_json, wrapped
from armlevel.operations import Finding, Verdict
from armlevel.operations.named import load_all
from armlevel.operations.show import Cluster, Shown, show
from armlevel.profile import Guest, Host, Offer
from armlevel.words.answers import judged_text, not_judged_text
from armlevel.words.clusters import cpu_rows
from armlevel.words.host_machine import counters_text, host_machine_texts
from armlevel.words.subjects import (
    fact_texts,
    number_text,
    shape_text,
    shown_features,
)

__all__ = ["run"]


def run(files: AnyFiles, kernel: Kernel = "", explain: Explain = False, as_json: Json = False) -> int:
    """Decode profiles and other tools' files: registers, fields, features, implementation.

    Fields that are 0 and name nothing are left out; with --explain they are shown, and which values KVM takes.
    """
    progress.begin("reading profiles")
    found = show((loaded.document for loaded in load_all(files)), kernel)
    if as_json:
        say_json(found.document())
        return found.status
    lines = [_count(found.shown)] if len(found.shown) > 1 else []
    for one in found.shown:
        lines += [*([""] if lines else []), *_lines(one, load(), explain=explain)]
    say(lines)
    return found.status


def _count(shown: Sequence[Shown]) -> str:
    kinds = (("host", Host), ("guest", Guest), ("verdict", Verdict))
    counts = [(sum(isinstance(one.what, kind) for one in shown), name) for name, kind in kinds]
    return ", ".join(f"{count} {name}{'s' * (count > 1)}" for count, name in counts if count)


def _lines(one: Shown, catalogue: Catalogue, *, explain: bool) -> list[str]:
    if isinstance(one.what, Host):
        return _host(one.what, one.clusters, catalogue, explain=explain)
    if isinstance(one.what, Guest):
        return _guest(one.what, one.risks, catalogue, explain=explain)
    return _verdict(one.what, catalogue, explain=explain)


def _host(host: Host, clusters: Sequence[Cluster], catalogue: Catalogue, *, explain: bool) -> list[str]:
    rows: list[tuple[str, str]] = []
    software = host.software
    vmms = ", ".join(f"{name} {version}" for name, version in software.vmms.items())
    kernel = f"Linux {software.kernel}" if software.kernel else "kernel not recorded"
    line = catalogue.line(software.kernel) if software.kernel else None
    known = f"KVM rows of {line.name}" if line else "KVM not measured on this line"
    rows.append(("software", "; ".join(filter(None, [kernel, known if software.kernel else "", vmms]))))
    if host.accelerator != "kvm":
        rows.append(("behind it", f"{host.accelerator.upper()}, no KVM: it is there to be compared"))
    rows += cpu_rows(host, clusters, catalogue)
    if host.hwcaps is not None and explain:
        rows.append(("shows", " ".join(host.hwcaps)))
    if software.boot_options:
        rows.append(("booted", f"{' '.join(software.boot_options)} (lowers what the host offers)"))
    rows += [("", f"{name}: {said}") for name, said in software.vulnerabilities.items() if explain]
    facts = fact_texts(host.facts)
    rows.append(("facts", ", ".join(text for _, text in facts) or "none recorded"))
    if explain:
        rows += [
            ("", f"{name}: {host.facts.sources[name]}") for name, _ in facts if name in host.facts.sources
        ]
    rows += _machine(host, explain=explain)
    for offer in map(host.offer, host.shapes):
        if offer is not None:
            listed = (
                "list not recorded"
                if offer.register_list is None
                else f"{len(offer.register_list)} registers listed"
            )
            writable = sum(len(a.values or (0, 0)) > 1 for a in offer.accepts.values())
            rows.append(
                (
                    "offers",
                    f"{shape_text(offer.shape)}: {offer.how}; {listed}; {writable} fields take other values",
                )
            )
            rows += [("", text) for text in _noticed(offer, catalogue)]
    if host.made.source:
        rows.append(("source", host.made.source))
    lines = [*wrapped(f"host {host.name}", rest="    "), *_titled(rows)]
    first = host.offer(host.shapes[0]) if host.shapes else None
    if first is not None:
        lines += _features(first.limits, catalogue)
        lines += _registers(first.limits, catalogue, first, explain=explain)
        lines += _firmware(first.firmware, catalogue)
    return lines


def _machine(host: Host, *, explain: bool) -> list[tuple[str, str]]:
    counters = counters_text(host.every_cpu)
    texts = ["not recorded"] if host.machine is None else host_machine_texts(host.machine, explain=explain)
    first, *others = [*([f"counters differ: {counters}"] if counters else []), *texts]
    return [("machine", first), *(("", text) for text in others)]


def _noticed(offer: Offer, catalogue: Catalogue) -> list[str]:
    # What is not as it is for each value alone; couplings that were tried and change nothing need no words.
    lines = []
    for name, after in offer.changed_by_kvm.items():
        row, before = catalogue.registers.get(name), offer.limits.get(name)
        fields = row.fields if row is not None and before is not None else ()
        texts = [
            f"{one.name} {number_text(one.get(before))} to {number_text(one.get(after))}"
            for one in fields
            if before is not None and one.get(before) != one.get(after)
        ]
        lines.append(f"KVM itself changes {name} before the guest runs: {', '.join(texts) or hex(after)}")
    for lowered, seen in offer.side_effects.items():
        for watched, value in seen.items():
            alone = _alone(watched, offer, catalogue)
            if value is None:
                lines.append(f"with {lowered} KVM does not run the guest")
            elif value != alone:
                was = "" if alone is None else f" instead of {number_text(alone)}"
                lines.append(f"with {lowered} the guest has {watched} = {number_text(value)}{was}")
    return lines


def _alone(watched: str, offer: Offer, catalogue: Catalogue) -> int | None:
    field = catalogue.fields.get(watched)
    if field is None:
        return offer.firmware.get(watched)
    limit = offer.limits.get(field.register)
    return None if limit is None else field.get(limit)


def _titled(rows: Sequence[tuple[str, str]]) -> list[str]:
    return [line for title, text in rows for line in wrapped(text, f"  {title:9} ")]


def _guest(guest: Guest, risks: Sequence[Finding], catalogue: Catalogue, *, explain: bool) -> list[str]:
    lines = [*wrapped(f"guest {guest.name}", rest="    "), *guest_lines(guest, catalogue)]
    if guest.made.source:
        lines += _titled([("source", guest.made.source)])
    lines += caution_lines(risks, catalogue, explain=explain)
    return lines + _registers(guest.id_registers, catalogue, None, explain=explain)


def _verdict(verdict: Verdict, catalogue: Catalogue, *, explain: bool) -> list[str]:
    head = f"guest {verdict.guest} on {verdict.host}: start {meant(verdict.start)}, arrive {meant(verdict.arrive)}"
    head += not_judged_text(verdict.parts, (verdict.start, verdict.arrive))
    parts = {part: arrive for part, (_, arrive) in verdict.parts.items()}
    judged = wrapped(judged_text(parts, verdict.findings), "  judged: ")
    return [*wrapped(head, rest="    "), *judged, *Page(catalogue, explain=explain).lines(verdict.findings)]


def _features(registers: Mapping[str, int], catalogue: Catalogue) -> list[str]:
    names = shown_features(features_of(catalogue, registers))
    bare = " ".join(name.removeprefix("FEAT_") for name in names)
    return wrapped(bare, f"  {len(names)} FEAT_  "[:12].ljust(12))


def _registers(
    registers: Mapping[str, int], catalogue: Catalogue, offer: Offer | None, *, explain: bool
) -> list[str]:
    if explain:
        return ["", *_every_field(registers, catalogue, offer)]
    lines = [""]
    caches: dict[int, list[str]] = {}
    for name, value in registers.items():
        if name.startswith("CCSIDR_EL1["):
            caches.setdefault(value, []).append(name[11:-1])
    for value, levels in caches.items():
        lines += wrapped(" ".join(levels), f"  {value:#018x}  CCSIDR_EL1 for CSSELR ")
    zero = [name for name, value in registers.items() if value == 0]
    for name, value in registers.items():
        if value and not name.startswith("CCSIDR_EL1["):
            lines += wrapped(
                ", ".join(_fields(name, value, catalogue)), f"  {value:#018x}  {name}: ", " " * 24
            )
    return lines + (wrapped(", ".join(zero), "  all 0: ") if zero else [])


def _fields(register: str, value: int, catalogue: Catalogue) -> list[str]:
    known = catalogue.registers.get(register)
    if known is None:
        return ["no row knows its fields"]
    texts = []
    for field in known.fields:
        number = field.get(value)
        word = field.values.get(number, "")
        if number or word.startswith("FEAT_"):
            name = "" if word in ("present", "RES1") else f" {word}"
            texts.append(f"{field.name}={number_text(number)}{name}".strip())
    return texts


def _every_field(registers: Mapping[str, int], catalogue: Catalogue, offer: Offer | None) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for name, value in registers.items():
        rows.append((name, f"{value:#x}", ""))
        known = catalogue.registers.get(name)
        for field in known.fields if known is not None else ():
            number = field.get(value)
            texts = filter(None, [field.values.get(number, ""), _takes(field.subject, offer)])
            rows.append((f"  {field.name}", number_text(number), "; ".join(texts)))
    return columns(rows, "  ")


def _takes(subject: str, offer: Offer | None) -> str:
    accepts = offer.accepts.get(subject) if offer is not None else None
    if accepts is None:
        return ""
    if accepts.values is None:
        return "takes any"
    values = sorted(accepts.values)
    run = len(values) > 2 and values == list(range(values[0], values[-1] + 1))
    return f"takes {values[0]}..{values[-1]}" if run else f"takes {' '.join(map(str, values))}"


def _firmware(firmware: Mapping[str, int], catalogue: Catalogue) -> list[str]:
    rows = []
    for name, value in firmware.items():
        row = catalogue.firmware.get(name)
        rows.append(
            (name.removeprefix("KVM_REG_ARM_"), f"{value:#x}", row.name_of(value) if row is not None else "")
        )
    return ["", *columns(rows, "  ")] if rows else []
