"""The rule of one field, from what KVM did with each of its values: where a line follows neither of its neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from armlevel.arch import Field, WriteRule
from armlevel.profile import Accepts, Host

__all__ = ["Rule", "kept_by_limit", "rule_for"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as a row says it; ``name`` is empty for a field that takes its limit and nothing else."""

    name: str
    options: tuple[tuple[str, object], ...] = ()

    def text(self, line: str, see: str) -> str:
        """Return the inline table of the row.

        >>> Rule("lower", (("least", 6),)).text("6.17", "tried")
        '{ lines = ["6.17"], rule = "lower", least = 6, see = "tried" }'
        """
        options = "".join(f"{name} = {value}, " for name, value in self.options)
        return f'{{ lines = ["{line}"], rule = "{self.name}", {options}see = "{see}" }}'


def kept_by_limit(field: Field, hosts: Sequence[Host]) -> dict[int, frozenset[int]] | None:
    """Return which values KVM kept, by the limit of the host; None where two hosts of one limit kept other ones.

    Of a value that is accepted and changed a row of ignored.toml speaks; here it is not kept.
    """
    found: dict[int, frozenset[int]] = {}
    every = frozenset(range(1 << field.width))
    for host in hosts:
        for shape in host.shapes:
            offer = host.offer(shape)
            if offer is None or field.register not in offer.limits or shape.imp_id_writable:
                continue
            own = field.get(offer.limits[field.register])
            given = offer.accepts.get(field.subject) or Accepts.of({own})
            if given.others == "ignored":
                continue  # it means nothing there
            outcomes = {value: given.outcome(value) for value in every}
            if "unknown" in outcomes.values():
                return None
            kept = frozenset(value for value, outcome in outcomes.items() if outcome == "same") | {own}
            if found.setdefault(own, kept) != kept:
                return None
    return found or None


def rule_for(field: Field, hosts: Sequence[Host]) -> Rule | None:
    """Return the plainest rule that says what was kept under every limit that was seen; None if there is none."""
    kept = kept_by_limit(field, hosts)
    if kept is None or field.width > 4:
        return None
    return next((rule for rule in _candidates(field, kept) if _says(rule, field, kept)), None)


def _says(rule: Rule, field: Field, kept: Mapping[int, frozenset[int]]) -> bool:
    if not rule.name:
        return all(values == {limit} for limit, values in kept.items())
    signed = field.order.kind == "signed" and rule.name in ("lower", "higher")
    row = WriteRule(field.subject, (), rule.name, field.width, signed=signed, **dict(rule.options))  # type: ignore[arg-type]
    every = tuple(range(1 << field.width))
    return all(set(row.values(limit) or every) == values for limit, values in kept.items())


def _candidates(field: Field, kept: Mapping[int, frozenset[int]]) -> Iterator[Rule]:
    yield Rule("")
    for name in ("lower", "higher"):
        yield Rule(name)
    others = {value for limit, values in kept.items() for value in values - {limit}}
    for value in sorted(others):
        yield Rule("exact", (("safe", value),))
    yield Rule("any")
    lowest = min(chain.from_iterable(kept.values()))
    yield Rule("lower", (("least", lowest),))
    plain = WriteRule(field.subject, (), "lower", field.width, signed=field.order.kind == "signed")
    extra, refused = set[int](), set[int]()
    for limit, values in kept.items():
        foretold = set(plain.values(limit) or ())
        extra |= values - foretold
        refused |= foretold - values
    options = tuple((name, sorted(some)) for name, some in (("extra", extra), ("refused", refused)) if some)
    yield Rule("lower", options)
