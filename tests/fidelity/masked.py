"""What KVM accepts, from its own table of writable bits (KVM_ARM_GET_REG_WRITABLE_MASKS).

The masks of the running kernel say which fields can be written, and the rows say which values such a field takes. On a
kernel of a measured line that is its own row. On another kernel it is what all measured lines agree on, so that a
mask is worth something on a kernel that nobody has tried; where they disagree, or have no rule, the value is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from armlevel.arch import Catalogue, Field, KernelLine, WriteRule
from armlevel.formats.predict import RuleOf, predict_accepts
from armlevel.kvm.vm import mask_index
from armlevel.profile import Accepts, Offer

__all__ = ["masked_offer"]

_MASKS_SINCE = (
    6,
    7,
)  # KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES: Linux v6.7 Documentation/virt/kvm/api.rst, 4.139
_ID_SPACE = {(3, 0), (3, 1), (3, 3)}  # (op0, op1) of the registers that the table has, all with CRn = 0


def masked_offer(whole: Offer, masks: Sequence[int], release: str, catalogue: Catalogue) -> Offer:
    """Return an offer of limits with what each field accepts, by the masks that KVM gave for its shape.

    ``masks``    the 192 words of the table; ``release`` of the kernel that gave them
    """
    own = catalogue.line(release)
    lines = (
        [own] if own else [line for line in catalogue.lines if max(line.series, default=()) >= _MASKS_SINCE]
    )
    answers = [
        predict_accepts(
            whole.limits, line, catalogue, shape=whole.shape, rule_of=_rules(masks, line, catalogue, own)
        )
        for line in lines
    ]
    accepts = {
        subject: answer
        for subject, answer in _agreed(answers, whole.limits, catalogue).items()
        if not catalogue.forgets(subject.partition(".")[0], release)
    }
    return replace(whole, how="masks", default="limit-only", accepts=accepts)


def _rules(masks: Sequence[int], line: KernelLine, catalogue: Catalogue, own: KernelLine | None) -> RuleOf:
    def rule_of(field: Field) -> WriteRule | None:
        # KVM looks at a field only if all of its bits are writable (Linux 7.3 sys_regs.c, arm64_check_features).
        if not _open(masks, field, catalogue):
            return None
        rule = catalogue.write_rule(field.subject, line.name)
        if rule is not None:
            return rule
        rules = [one for one in catalogue.writable.get(field.subject, ()) if one.rule != "unknown"]
        unknown = WriteRule(field.subject, (line.name,), "unknown", field.width, see="no measured line")
        if own is not None:
            # Writable and without a rule: kernels of this line have no entry for it, so it never changes. Where those
            # of another line have one, this may be a kernel that took it over.
            return unknown if rules else None
        return rules[0] if rules else unknown

    return rule_of


def _open(masks: Sequence[int], field: Field, catalogue: Catalogue) -> bool:
    encoding = catalogue.registers[field.register].encoding
    if encoding[:2] not in _ID_SPACE or encoding[2]:
        return False
    ones = (1 << field.width) - 1
    return masks[mask_index(encoding)] >> field.lsb & ones == ones


def _agreed(
    answers: Sequence[Mapping[str, Accepts]], limits: Mapping[str, int], catalogue: Catalogue
) -> dict[str, Accepts]:
    found = {}
    for subject in dict.fromkeys(name for answer in answers for name in answer):
        given = [answer.get(subject) or _limit_only(subject, limits, catalogue) for answer in answers]
        if all(one == given[0] for one in given):
            found[subject] = given[0]
            continue
        each = [one.values for one in given if one.values is not None]
        found[subject] = Accepts(frozenset.intersection(*each) if each else None, others="unknown")
    return found


def _limit_only(subject: str, limits: Mapping[str, int], catalogue: Catalogue) -> Accepts:
    field = catalogue.fields.get(subject)
    return Accepts.of(() if field is None else {field.get(limits[field.register])})
