"""The whole suite on given hosts: one boot of each, everything asked at once, every answer held against the claim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from armlevel.arch import Catalogue
from armlevel.errors import LabError
from armlevel.lab import EmulatedHost, Laboratory, parse_host
from armlevel.profile import Host
from tests.fidelity import fields, levels, masks, moves
from tests.fidelity.lab import ask

__all__ = ["Outcome", "run"]


@dataclass(slots=True)
class Outcome:
    """The counts of all parts, and the hosts that did not answer."""

    predicted: fields.Tally = field(default_factory=fields.Tally)
    masks: fields.Tally = field(default_factory=fields.Tally)
    strange: fields.Tally = field(default_factory=fields.Tally)
    restored: moves.Restored = field(default_factory=moves.Restored)
    levelled: levels.Levelled = field(default_factory=levels.Levelled)
    tables: dict[str, list[list[int] | None]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[tuple[str, ...]]:
        """Everything that went against a claim, in words."""
        found: list[tuple[str, ...]] = []
        for name, part in (
            ("predicted", self.predicted),
            ("masks", self.masks),
            ("masks of an unmeasured kernel", self.strange),
            ("restored", self.restored),
            ("levelled", self.levelled),
        ):
            for kind, some in (("yes", part.wrong_yes), ("no", part.wrong_no)):
                found += [(f"{name}: wrong {kind}", *map(str, _words(one))) for one in some]
        return found

    def lines(self) -> list[str]:
        """Return the counts, a line a part."""
        return [
            f"(a) predicted: {self.predicted}",
            f"    masks:     {self.masks}",
            f"    the same, as if of an unmeasured kernel: {self.strange}",
            f"(b) restored:  {self.restored}",
            f"(c) levelled:  {self.levelled}",
        ]


def _words(one: Any) -> Sequence[object]:
    if isinstance(one, fields.Wrong):
        return one.host, one.shape, one.subject, one.limit, one.value, one.said, one.was
    words: Sequence[object] = one
    return words


def run(
    lab: Laboratory,
    hosts: Sequence[Host],
    catalogue: Catalogue,
    *,
    jobs: int = 1,
    tell: Callable[[str], None] = lambda _line: None,
) -> Outcome:
    """Run all parts on the hosts, whose profiles were probed or recorded."""
    outcome = Outcome()
    for host in hosts:
        outcome.predicted.add(fields.compare_host(host, catalogue))
    tell(f"predicted offers compared; levelling {len(hosts)} hosts")
    made = levels.plan(hosts, catalogue, outcome.levelled)
    by_name = {host.name: host for host in hosts}
    tell(f"{len(made.guests)} different baselines; asking the hosts")

    def answers(emulated: EmulatedHost) -> dict[str, Any]:
        host = by_name[str(emulated)]
        tasks = {
            "restore": moves.tasks_for(host, hosts, catalogue),
            "apply": levels.tasks_for(made, host.name),
            "masks": [moves.shape_task(shape) for shape in host.shapes],
        }
        return ask(lab, host.name, tasks)

    for done, (emulated, found) in enumerate(
        lab.fleet([parse_host(host.name) for host in hosts], answers, jobs), 1
    ):
        host = by_name[str(emulated)]
        if isinstance(found, LabError):
            outcome.failed.append(f"{host.name}: {found}")
            tell(outcome.failed[-1])
            continue
        restored = moves.compare(host, hosts, found["restore"], catalogue)
        outcome.restored.add(restored)
        outcome.tables[host.name] = found["masks"]
        outcome.masks.add(masks.compare_masks(host, found["masks"], catalogue))
        outcome.strange.add(masks.compare_masks(host, found["masks"], catalogue, stranger=True))
        levels.judge(made, host, found["apply"], catalogue, outcome.levelled)
        tell(f"{done} of {len(hosts)}  {host.name}  {found['booted']:.1f} s  {restored}")
    if not outcome.failed:
        levels.prove(made, outcome.restored.kept, catalogue, outcome.levelled)
    return outcome
