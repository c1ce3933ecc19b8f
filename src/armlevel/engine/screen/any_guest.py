"""May any guest that can be on one host go to another: the answer for guests of which nobody knows where they started.

A guest on a host holds, of each field, a value that this host keeps, whatever host it was started on. Where every such
value is certainly kept by the other host, any guest may go; where one that some guest certainly may hold is certainly
not, not any guest may; else it is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from armlevel.arch import Catalogue, Coupling, Field, FirmwareRegister, evaluate, mentioned
from armlevel.engine.fields.choice import above
from armlevel.engine.fields.vectors import REFUSED, RUNS, UNKNOWN, Slot, held_values
from armlevel.engine.fields.vectors.bits import marked
from armlevel.engine.findings import PARTS, Answer, Part, worst
from armlevel.engine.names import register_of
from armlevel.engine.parts.facts import FACTS, judge_facts
from armlevel.engine.parts.firmware import judge_firmware
from armlevel.engine.parts.firmware import told as told_to
from armlevel.engine.parts.firmware_tried import tried
from armlevel.engine.parts.shape import PASSTHROUGH_FEATURES, missing_shape
from armlevel.engine.parts.shape_vectors import judge_vls
from armlevel.engine.passthrough import passthrough
from armlevel.engine.policy import Policy
from armlevel.engine.screen.compiled import GuestVector, HostVector, Screen
from armlevel.engine.screen.moves import behaviour_of
from armlevel.engine.screen.tables import marks_of
from armlevel.engine.screen.views import GuestView, HostView, case_of
from armlevel.engine.screen.vmm_tables import tables_of
from armlevel.engine.subjects import Subject, about_fact, about_field, about_whole
from armlevel.profile import IMPLEMENTATION_REGISTERS, Guest, Host, Shape

__all__ = ["AnyGuest", "any_guest", "is_usual"]

_FEW_BITS = 8
# What stands around the vCPUs nobody knows of guests that nobody described: it is not judged.
_JUDGED: tuple[Part, ...] = ("shape", "registers", "list", "firmware", "facts")


@dataclass(frozen=True, slots=True)
class AnyGuest:
    """Whether any guest of one host may go to another, part by part.

    ``shapes``  those that a VMM gives its guests there by itself or with switches: of no other is anything said
    ``about``   the fields and facts of which not every value is kept there

    Parts that are not among ``parts`` were not judged.
    """

    source: str
    target: str
    parts: tuple[tuple[Part, Answer], ...]
    shapes: tuple[Shape, ...]
    about: tuple[Subject, ...] = ()

    @property
    def not_judged(self) -> tuple[Part, ...]:
        """The parts of which nothing is said."""
        return tuple(part for part in PARTS if part not in dict(self.parts))

    @property
    def answer(self) -> Answer:
        """Whether any guest may go; ``refused``: some guest certainly may not."""
        return worst(answer for _, answer in self.parts)


def any_guest(  # noqa: PLR0913 (a question with options)
    source: Host,
    target: Host,
    catalogue: Catalogue,
    policy: Policy | None = None,
    *,
    vmm: str = "kvm",
    shape: Shape | None = None,
) -> AnyGuest | None:
    """Say whether any guest on ``source`` may go to ``target``; None for a VMM that may behave as any of several.

    With ``shape`` any guest of that one, which is one that a VMM gives by itself or with switches.
    """
    known, row = behaviour_of(vmm, catalogue)
    if not known:
        return None
    asked = policy or Policy()
    shapes = [one for one in source.shapes if is_usual(one) and shape in (None, one)]
    found = dict.fromkeys(_JUDGED, RUNS)
    if shape is None:
        found["shape"] = max((_unrecorded(one, source) for one in _every_shape()), default=RUNS)
    about: dict[Subject, None] = {}
    screen = Screen(catalogue, tables_of(row, catalogue))
    for one in shapes:
        pair = _Pair(source, target, one, screen, asked)
        for part, mark in pair.marks().items():
            found[part] = max(found[part], mark)
        about.update(dict.fromkeys(pair.about))
    if not shapes:
        found = dict.fromkeys(_JUDGED, UNKNOWN)
    parts = tuple((part, marked(mark)) for part, mark in found.items())
    return AnyGuest(source.name, target.name, parts, tuple(shapes), tuple(about))


def is_usual(shape: Shape) -> bool:
    """Whether a VMM gives a shape to guests by itself, or with options that leave something out."""
    return not shape.imp_id_writable and shape.features <= PASSTHROUGH_FEATURES["kvm"]


def _every_shape() -> Iterator[Shape]:
    features = sorted(PASSTHROUGH_FEATURES["kvm"])
    for size in range(len(features) + 1):
        for some in combinations(features, size):
            yield Shape(frozenset(some))


def _unrecorded(shape: Shape, host: Host) -> int:
    # A guest of a shape that was not probed may be there all the same, unless a probe tried it in vain.
    if shape in host.shapes:
        return RUNS
    return RUNS if marks_of(missing_shape(shape, host)).arrive == REFUSED else UNKNOWN


class _Pair:
    # Guests of one shape on one host, before another host.

    def __init__(self, source: Host, target: Host, shape: Shape, screen: Screen, policy: Policy) -> None:
        self._screen = screen
        self._catalogue = screen.catalogue
        self._target = target
        here = source.offer(shape)
        assert here is not None  # it was recorded
        guest = passthrough(source, self._catalogue, shape=shape)
        self._guest: GuestVector = screen.guest(guest, policy, (source, here))
        self._here = screen.host(source, here)
        there = target.offer(shape)
        self._there = None if there is None else screen.host(target, there)
        self.about: list[Subject] = []

    def marks(self) -> dict[Part, int]:
        guest = self._guest.view.guest
        if self._there is None:
            found = dict.fromkeys(_JUDGED, UNKNOWN)
            found["shape"] = marks_of(missing_shape(guest.shape, self._target)).arrive
            found["facts"] = marks_of(judge_facts(guest, self._target)).arrive
            return found
        # The guest that is started there now is one of them.
        found = {part: marks.arrive for part, marks in self._screen.parts(self._guest, self._there).items()}
        for part, mark in (*self._by_bits(self._there), *self._by_tables(self._there)):
            found[part] = max(found[part], mark)
        return found

    def _by_bits(self, there: HostVector) -> Iterator[tuple[Part, int]]:
        possible, certain = self._screen.held(self._here, self._gone())
        for row, bit in self._screen.rows:
            possible |= bit if self._may_break(row) else 0
        for joint, bit in self._screen.joints.items():
            subject, value, watched, own = joint
            both = value in self._values(subject) and own in self._values(watched)
            possible |= bit if both else 0
        possible |= self._guest.bits
        kept = self._screen.kept(there)
        yield "registers", RUNS if not possible & ~kept.certain else UNKNOWN
        yield "registers", REFUSED if certain & ~kept.possible else RUNS
        for slot in self._screen.among(possible & ~kept.certain):
            self.about += self._subjects(slot)

    def _subjects(self, slot: Slot) -> list[Subject]:
        name = str(slot.about)
        if name == "coupling":
            return [
                about_field(one) for row, _ in self._screen.rows if row.name == slot.value for one in row.then
            ]
        if "." in name:
            return [about_field(name)]
        return [about_fact(name)] if name in FACTS else [about_whole("id-registers")]

    def _gone(self) -> frozenset[str]:
        # What means nothing in any guest there: in those that may give it a meaning, it is judged.
        return frozenset(
            name
            for row in self._catalogue.no_meaning
            if not any(
                evaluate(row.unless, values) is not False for values in self._settings(mentioned(row.unless))
            )
            for name in row.registers
        )

    def _settings(self, subjects: Iterable[str]) -> Iterator[dict[str, int]]:
        # Values that guests there may have of these fields; nothing, where there are too many to tell.
        names = sorted(subjects)
        if len(names) > 1:
            yield {}
            return
        for name in names:
            yield from ({name: value} for value in self._values(name)) if self._values(name) else iter([{}])

    def _values(self, subject: str) -> frozenset[int]:
        field: Field | None = self._catalogue.fields.get(subject)
        view = self._here.view.fields()
        if field is None or field.register not in view.offer.limits:
            return frozenset()
        return held_values(view, field, self._catalogue)[0]

    def _may_break(self, row: Coupling) -> bool:
        if isinstance(row.when, str) or self._screen.enforced(row.name, self._here.view) == REFUSED:
            return False
        held = any(evaluate(row.when, values) is not False for values in self._settings(mentioned(row.when)))
        return held and any(
            above(self._catalogue.fields[subject], value, most)
            for subject, most in row.then.items()
            for value in self._values(subject)
        )

    # ---- what tables say of other guests than the one that is started there now

    def _by_tables(self, there: HostVector) -> Iterator[tuple[Part, int]]:
        here = self._here.view
        if not (here.whole and there.view.whole):
            yield "registers", UNKNOWN
        yield "registers", self._other_numbers(here)
        yield "registers", _geometry(here, there.view)
        yield "list", self._hidden(here, there.view)
        for guest, known in self._guests():
            view = GuestView(guest, self._catalogue, self._guest.view.policy, here)
            case = replace(case_of(view, there.view), known={**view.known, **known})
            yield "shape", marks_of(judge_vls(case)).arrive
            yield "firmware", marks_of(judge_firmware(case)).arrive

    @staticmethod
    def _other_numbers(here: HostView) -> int:
        # No kernel takes another number than its own where they were not made writable; one that was seen to, does.
        for subject, accepts in here.offer.accepts.items():
            if register_of(subject) in IMPLEMENTATION_REGISTERS and (
                accepts.values is None or len(accepts.values) > 1 or accepts.others == "unknown"
            ):
                return UNKNOWN
        return RUNS

    def _hidden(self, here: HostView, there: HostView) -> int:
        # Registers of the list that the other host may hide from a guest that shows less, and this one does not.
        carried = set(here.offer.register_list or ())
        for row in self._catalogue.drops:
            if row.gated_on and not isinstance(row.when, str) and carried.intersection(row.kvm_ids):
                ours, theirs = (None if one.line is None else one.line.name for one in (here, there))
                settings = self._settings(mentioned(row.when))
                shown = any(evaluate(row.when, values) is not False for values in settings)
                if shown and (theirs is None or (theirs != ours and theirs in row.gated_on)):
                    return UNKNOWN
        return RUNS

    def _guests(self) -> Iterator[tuple[Guest, dict[str, int]]]:
        # The one that is started there now, with each value that a guest there may hold in one register alone; and
        # what such a guest shows otherwise.
        guest = self._guest.view.guest
        for most in guest.sve_vls or ():
            yield replace(guest, sve_vls=tuple(one for one in guest.sve_vls or () if one <= most)), {}
        for name, value in guest.firmware.items():
            for other, shows in self._told(name, value):
                yield replace(guest, firmware={**guest.firmware, name: other}), shows

    def _told(self, name: str, own: int) -> Iterator[tuple[int, dict[str, int]]]:
        row = self._catalogue.firmware.get(name)
        if row is None:
            return
        offer = self._here.view.offer
        told = [(own, dict[str, int]())]
        if row.raised is not None:
            settings = self._settings(mentioned(row.raised[2]))
            less = [values for values in settings if values and evaluate(row.raised[2], values) is False]
            told += [
                (told_to(row, offer, own, {**self._guest.view.known, **some}, self._catalogue), some)
                for some in less
            ]
        for most, shows in told:
            for value in {most, *_no_more(row, most)}:
                if value == most or tried(offer, name, value) not in ("refused", "changed"):
                    yield value, shows


def _no_more(row: FirmwareRegister, own: int) -> Iterator[int]:
    if row.kind == "version":
        yield from (version for version in row.versions if version <= own)
    elif row.kind == "bitmap":
        bits = [1 << place for place in range(64) if own >> place & 1][:_FEW_BITS]
        for size in range(len(bits) + 1):
            yield from (sum(some) for some in combinations(bits, size))
    else:
        most = row.rank(own)
        yield from (value for value, _, rank in row.levels if most is None or rank <= most)


def _geometry(here: HostView, there: HostView) -> int:
    # A guest may hold any geometry that its host keeps: no shorter lines and no less cleaning than its CTR_EL0 says.
    ours, theirs = here.offer.limits.get("CTR_EL0"), there.offer.limits.get("CTR_EL0")
    if ours is None or theirs is None:
        return UNKNOWN
    shorter = theirs & 0xF > ours & 0xF or theirs >> 16 & 0xF > ours >> 16 & 0xF
    cleans = ours >> 28 & 1 and not theirs >> 28 & 1
    return UNKNOWN if shorter or cleans else RUNS
