"""(a) Every short field, every value, every shape: what rows predict against what KVM did when it was tried.

An offer is predicted from what another tool could have recorded of the same host: the limits and the kernel release.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from armlevel.arch import Catalogue, Field
from armlevel.formats.predict import predict_offers
from armlevel.profile import Accepts, Host, Offer, Shape

__all__ = ["SHORT", "Tally", "Wrong", "compare_host", "compare_offer", "judge"]

SHORT = 4  # bits; every value of such a field was tried


@dataclass(frozen=True, slots=True)
class Wrong:
    """A value where the prediction is not what KVM did."""

    host: str
    shape: str
    subject: str
    limit: int
    value: int
    said: str
    was: str


@dataclass(slots=True)
class Tally:
    """How many values were compared, by what KVM did; what was not told; and what was told wrongly."""

    was: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    wrong_yes: list[Wrong] = field(default_factory=list)
    wrong_no: list[Wrong] = field(default_factory=list)

    @property
    def compared(self) -> int:
        """How many values there were."""
        return sum(self.was.values())

    def add(self, other: Tally) -> None:
        """Take in the counts of another part."""
        self.was.update(other.was)
        self.unknown.update(other.unknown)
        self.wrong_yes += other.wrong_yes
        self.wrong_no += other.wrong_no

    def __str__(self) -> str:
        """Give the counts in a line."""
        parts = [f"{self.was[name]:,} {name}" for name in ("same", "changed", "refused")]
        return (
            f"{self.compared:,} values: {', '.join(parts)}, {self.was['unknown']:,} unknown where it was tried; "
            f"{self.unknown.total():,} foretold as unknown; "
            f"{len(self.wrong_yes)} wrong yes, {len(self.wrong_no)} wrong no"
        )


def judge(said: Accepts, was: Accepts, value: int) -> str:
    """Compare a prediction with what was tried: ``right``, ``unknown``, ``yes`` (said too much) or ``no`` (too little).

    >>> judge(Accepts.of([0, 1]), Accepts.of([1]), 0), judge(Accepts.of([1]), Accepts.of([0, 1]), 0)
    ('yes', 'no')
    """
    outcome, truth = said.outcome(value), was.outcome(value)
    if outcome == "unknown":
        return "unknown"
    if outcome == truth and said.kept(value) == was.kept(value):
        return "right"
    rank = ("refused", "changed", "same")
    return "no" if rank.index(outcome) < rank.index(truth) else "yes"


def compare_host(host: Host, catalogue: Catalogue) -> Tally:
    """Compare all shapes of one tried host with what rows predict from its limits and its kernel release."""
    tally = Tally()
    for shape, said in predicted(host, catalogue):
        was = host.offer(shape)
        if was is not None:
            compare_offer(host.name, said, was, catalogue, tally)
    return tally


def predicted(host: Host, catalogue: Catalogue) -> Iterator[tuple[Shape, Offer]]:
    """Give the whole predicted offer of each shape of a host."""
    for shape in host.shapes:
        whole = host.offer(shape)
        if shape.imp_id_writable or whole is None:
            continue
        bare = Offer(shape, limits=whole.limits, register_list=whole.register_list, firmware=whole.firmware)
        made = Host(host.name, predict_offers(bare, host.software.kernel, catalogue))
        for one in made.shapes:
            offer = made.offer(one)
            if offer is not None:
                yield one, offer


def compare_offer(name: str, said: Offer, was: Offer, catalogue: Catalogue, tally: Tally) -> None:
    """Compare every value of every short field of what was said of a shape with what was tried in it."""
    for register, limit in was.limits.items():
        row = catalogue.registers.get(register)
        for one in row.fields if row is not None and not row.derived else ():
            if one.width > SHORT:
                continue
            own = one.get(limit)
            ours, theirs = accepts(said, one, own), accepts(was, one, own)
            if ours == theirs:
                tally.was.update(_counted(theirs, one.width))
                continue
            for value in range(1 << one.width):
                truth = theirs.outcome(value)
                tally.was[truth] += 1
                if truth == "unknown":
                    continue
                verdict = judge(ours, theirs, value)
                if verdict == "unknown":
                    tally.unknown[one.subject] += 1
                elif verdict != "right":
                    wrong = Wrong(name, was.shape.label, one.subject, own, value, ours.outcome(value), truth)
                    (tally.wrong_yes if verdict == "yes" else tally.wrong_no).append(wrong)


def _counted(given: Accepts, width: int) -> Mapping[str, int]:
    return Counter(given.outcome(value) for value in range(1 << width))


def accepts(offer: Offer, one: Field, own: int) -> Accepts:
    """Return what an offer says of a field, its limit included."""
    given = offer.accepts.get(one.subject)
    if given is None:
        return Accepts.of({own}, others="refused" if offer.default == "limit-only" else "unknown")
    if given.values is None or own in given.values:
        return given
    return Accepts(given.values | {own}, given.changed, given.unsure, given.others, given.how)
