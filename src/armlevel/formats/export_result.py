"""What an exporter returns: the text of a file, and what that file leaves undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from armlevel.arch import Catalogue
from armlevel.profile import Guest, Offer

__all__ = ["ChangedRegister", "ExportResult", "Gap", "differing", "not_known", "unsaid", "written"]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something of the profile that the file does not bring about by itself.

    ``needs``  what the profile says;  ``has``  what the guest would get without more (empty: depends on the host)
    ``ways``   how it can be had: ``record`` (a profile that has it), ``run`` (armlevel run),
               ``firecracker``, ``kvm`` (a VMM that makes the calls),
               ``shape`` (a profile without it), ``same`` (only hosts that have it), ``property:NAME`` (a newer QEMU),
               ``probe`` (a host that was probed), ``check`` (see what armlevel check says)
    ``certain`` False where it may be well on some hosts, and no host was named
    """

    subject: str
    needs: str
    has: str = ""
    ways: tuple[str, ...] = ()
    certain: bool = True


def not_known(subject: str, needs: str = "") -> Gap:
    """Return the gap that the host for which a file is made leaves: it does not record what the guest would get."""
    return Gap(subject, needs or "as in the profile", "", ("probe",), certain=False)


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The text of a file for another tool, and what it leaves undone."""

    text: str
    left: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangedRegister:
    """One register that has to be written on a host: KVM's id, the value it has there, the value wanted."""

    name: str
    register_id: int
    found: int
    value: int


def written(guest: Guest) -> dict[str, int]:
    """Return every register that a profile gives a value: ID registers, implementation and firmware."""
    return {**guest.registers, **guest.id_registers, **guest.firmware}


def unsaid(start: str, arrive: str, mark: str) -> list[str]:
    """Return comment lines for a host's file that says less than "may start, and arrive": what it leaves out, and why.

    >>> unsaid("refused", "unknown", "label")
    ['# cannot start here, and whether it can arrive here is not known: no label']
    """
    if start == arrive == "runs":
        return []
    able = {"runs": "can", "refused": "cannot"}
    texts = [
        f"{able[answer]} {verb} here" if answer in able else f"whether it can {verb} here is not known"
        for verb, answer in (("start", start), ("arrive", arrive))
    ]
    if start == arrive:
        texts = (
            [f"{able[start]} start and {able[start]} arrive here"]
            if start in able
            else ["whether it can start or arrive here is not known"]
        )
    none = "" if arrive == "runs" else f": no {mark}"
    return [f"# {', and '.join(texts)}{none}"]


def differing(
    values: Mapping[str, int], offer: Offer, catalogue: Catalogue
) -> Iterable[tuple[str, int, int | None]]:
    """Yield (subject, wanted, what the host shows; None if not recorded), field by field, where the two differ."""
    shown = {**offer.limits, **offer.firmware}
    for name, wanted in sorted(values.items()):
        found = shown.get(name)
        row = catalogue.registers.get(name)
        if found == wanted:
            continue
        if found is None or row is None:
            yield name, wanted, found
            continue
        fields = [one for one in row.fields if one.get(found) != one.get(wanted)]
        yield from ((one.subject, one.get(wanted), one.get(found)) for one in fields)
        if (found ^ wanted) & row.reserved_mask:
            yield f"{name} (reserved bits)", wanted & row.reserved_mask, found & row.reserved_mask
