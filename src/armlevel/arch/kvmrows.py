"""What KVM was measured to do with ID register values, and the registers that come and go: one class a kind of row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as having

from armlevel.arch.expr import Expr, evaluate
from armlevel.arch.release import release_numbers

__all__ = [
    "Bundle",
    "Coupling",
    "Drop",
    "FirmwareRegister",
    "Forgotten",
    "Ignored",
    "KernelLine",
    "Leak",
    "NoMeaning",
    "StableChange",
    "Tolerance",
    "WriteRule",
]


@dataclass(frozen=True, slots=True)
class KernelLine:
    """A line of Linux kernels that was measured.

    ``before`` (empty for none) and ``series`` (pairs of major and minor) say which releases belong to it.

    ``default`` says what a field without a :class:`WriteRule` does on this line: ``limit-only`` (KVM takes the
    limit and nothing else). ``imp_id_writable`` says whether KVM can let userspace write MIDR, REVIDR and AIDR.

    >>> KernelLine("before-6.1", (6, 1), (), "limit-only", False, "").matches("5.10.243-amzn2")
    True
    """

    name: str
    before: tuple[int, ...]
    series: tuple[tuple[int, ...], ...]
    default: str
    imp_id_writable: bool
    measured: str
    see: str = ""

    def matches(self, release: str) -> bool:
        """Whether a release string (as ``uname -r`` prints it) is of this line; False for what is not a number."""
        version = release_numbers(release)[:2]
        if len(version) < 2:
            return False
        return version < self.before or version in self.series


@dataclass(frozen=True, slots=True)
class WriteRule:
    """What KVM of some kernel ``lines`` takes for one field, besides the limit.

    ``rule`` is ``lower`` (any value up to the limit), ``higher`` (from the limit up), ``exact`` (the limit or
    ``safe``), ``any``, or ``unknown`` (the limit; of other values it was not measured). Compared as two's complement
    if ``signed``. Values under ``least`` or over ``most`` are refused, and so are ``refused``; ``extra`` values are
    taken whatever the limit. ``changed`` maps a value that is accepted to the one that is kept. ``needs_imp_id`` rules
    hold only for a VM whose implementation IDs are writable.

    >>> rule = WriteRule("ID_AA64DFR0_EL1.DebugVer", ("7.3",), "lower", width=4, least=6)
    >>> rule.takes(9, 10), rule.takes(5, 10), rule.takes(11, 10)
    (True, False, False)
    """

    field: str
    lines: tuple[str, ...]
    rule: str
    width: int
    safe: int | None = None
    least: int | None = None
    signed: bool = False
    most: int | None = None
    extra: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    changed: Mapping[int, int] = having(default_factory=dict, hash=False)
    needs_imp_id: bool = False
    see: str = ""

    def takes(self, value: int, limit: int) -> bool:
        """Whether KVM stores ``value`` where its limit is ``limit``; a value in ``changed`` is accepted, not stored."""
        if value in self.changed or value in self.refused:
            return False
        if value == limit or value in self.extra:
            return True
        return self._within(value) and self._follows(value, limit)

    def values(self, limit: int) -> tuple[int, ...] | None:
        """Return every value KVM stores where its limit is ``limit``, in numeric order; None for any value at all."""
        if self.rule == "any" or self.width > 8:
            return None
        return tuple(value for value in range(1 << self.width) if self.takes(value, limit))

    def _within(self, value: int) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def _follows(self, value: int, limit: int) -> bool:
        if self.rule == "lower":
            return self._read(value) <= self._read(limit)
        if self.rule == "higher":
            return self._read(value) >= self._read(limit)
        return self.rule == "any" or value == self.safe

    def _read(self, value: int) -> int:
        return value - (1 << self.width) if self.signed and value >> (self.width - 1) else value


@dataclass(frozen=True, slots=True)
class Ignored:
    """A field where KVM accepts a value and keeps another.

    ``accepts`` is a tuple of values, or the words ``hardware value`` (what the host's silicon has). ``keeps`` is what
    the guest then reads; None means the limit. ``harmless`` says that a guest cannot use what it loses.
    """

    field: str
    lines: tuple[str, ...]
    accepts: str | tuple[int, ...]
    keeps: int | None
    harmless: bool
    why: str
    see: str = ""


@dataclass(frozen=True, slots=True)
class StableChange:
    """What an update inside a stable line changed for guests.

    ``series`` is major and minor; kernels up to patch level ``had`` show ``before`` and from ``has`` on ``after``, as
    texts of a diff (empty for a register that is not listed). Between the two nobody recorded.

    >>> row = StableChange("CNTP_CTL_EL0", (6, 1), 84, 129, "", "listed", "")
    >>> (
    ...     row.between("6.1.84-99", "6.1.129-138"),
    ...     row.between("6.1.129", "6.1.172"),
    ...     row.between("5.10.1", "6.1.129"),
    ... )
    (True, False, False)
    """

    subject: str
    series: tuple[int, ...]
    had: int
    has: int
    before: str
    after: str
    why: str
    see: str = ""

    def between(self, older: str, newer: str) -> bool:
        """Whether an update from one release to the other may have brought it."""
        old, new = release_numbers(older)[:3], release_numbers(newer)[:3]
        if len(old) < 3 or len(new) < 3 or not old[:2] == new[:2] == self.series:
            return False
        return (old[2] < self.has or old[2] == self.had) and new[2] > self.had - (self.had == self.has)


@dataclass(frozen=True, slots=True)
class Leak:
    """A field that a guest's own instructions read from the hardware, though KVM shows another value.

    It does on a host of ``lines`` whose own values make ``when`` true, while the VM's register is as the host shows
    it. ``usable`` is over the guest's values: false if it can make no use of the difference. ``harmless`` says that
    what the guest then does is right all the same.
    """

    field: str
    lines: tuple[str, ...]
    when: Expr
    usable: Expr
    harmless: bool
    why: str
    see: str = ""


@dataclass(frozen=True, slots=True)
class NoMeaning:
    """Registers whose value says nothing, ``unless`` the expression over fields is true.

    On the kernel lines of ``ignored_on`` a host whose own values make the expression false accepts any value in these
    registers and keeps its own.
    """

    name: str
    registers: tuple[str, ...]
    unless: Expr
    ignored_on: tuple[str, ...]
    why: str
    see: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """A register that a move may leave behind, and when.

    ``register`` is a name (``CCSIDR_EL1[*]`` stands for each of ``kvm_ids``). ``when`` is an expression over the
    guest's fields, or the words ``value == 0`` (the register's own value), ``no such cache`` (CLIDR_EL1 has no cache
    for that CSSELR value) or ``always``. ``loses`` says what guest state is lost; empty if none. ``why`` says which
    kernels list it and which do not. On the kernel lines of ``gated_on`` KVM lists it only while
    ``when`` is false of what the VM shows, though the host has it.
    """

    register: str
    kvm_ids: tuple[int, ...]
    when: Expr | str
    loses: str
    why: str = ""
    gated_on: tuple[str, ...] = ()
    see: str = ""

    def hidden(self, line: str | None, values: Mapping[str, int]) -> bool | None:
        """Whether KVM of a line hides it from a VM with these ``REG.FIELD`` values; None if the line was not measured.

        >>> from armlevel.arch.expr import Cmp
        >>> drop = Drop("TCR2_EL1", (1,), Cmp("R.TCRX", "==", 0), "", gated_on=("7.3",))
        >>> [
        ...     drop.hidden(line, {"R.TCRX": has})
        ...     for line, has in (("6.12", 0), ("7.3", 0), ("7.3", 1), (None, 0))
        ... ]
        [False, True, False, None]
        """
        if not self.gated_on or isinstance(self.when, str) or evaluate(self.when, values) is not True:
            return False
        return None if line is None else line in self.gated_on


@dataclass(frozen=True, slots=True)
class Coupling:
    """What KVM enforces between choices: where ``when`` holds, each field of ``then`` is no more than its value.

    ``when`` is an expression over fields, or the words ``without FEATURE`` for a vCPU feature that the shape has not.
    ``lines`` says on which kernel lines; a profile that violates a coupling changes under the guest.
    """

    name: str
    lines: tuple[str, ...]
    when: Expr | str
    then: Mapping[str, int] = having(hash=False)
    why: str = ""
    see: str = ""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Registers that are chosen together, all from one host, because they describe one thing."""

    name: str
    registers: tuple[str, ...]
    why: str
    see: str = ""


@dataclass(frozen=True, slots=True)
class FirmwareRegister:
    """A firmware register of KVM.

    ``kind`` is ``version`` (a number, lower is older; ``versions`` are those there are), ``bitmap`` (each bit a
    service) or ``level``: then ``levels`` has (value, name, rank), the higher rank the better protected host.
    ``settable`` is false for levels, which KVM checks and does not store. ``raised`` is (from, to, unless): a guest
    whose fields make the expression false is told the second value, on a host whose own fields make it true and that
    tells others the first. ``bits`` names the services of a bitmap. ``absent`` is the value that means the same as a
    host without the register; None if there is none.
    """

    name: str
    kvm_id: int
    kind: str
    levels: tuple[tuple[int, str, int], ...] = ()
    bits: Mapping[int, str] = having(default_factory=dict, hash=False)
    settable: bool = True
    absent: int | None = None
    raised: tuple[int, int, Expr] | None = None
    versions: tuple[int, ...] = ()
    see: str = ""

    def rank(self, value: int) -> int | None:
        """Return where a level stands; a version by itself; None for a bitmap or a value no row knows."""
        if self.kind == "version":
            return value
        for known, _name, rank in self.levels:
            if known == value:
                return rank
        return None

    def name_of(self, value: int) -> str:
        """Return our word for a value: the level's name, the services of a bitmap, ``1.3`` for a version."""
        if self.kind == "version":
            return f"{value >> 16}.{value & 0xFFFF}"
        if self.kind == "bitmap":
            names = [self.bits.get(bit, f"bit {bit}") for bit in range(64) if value >> bit & 1]
            return ", ".join(names) or "none"
        return next((name for known, name, _rank in self.levels if known == value), f"{value:#x}")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A class of fields that a person may let differ between the hosts of a guest.

    ``who`` is the lowest exception level that can use what ``fields`` announce. ``why`` says what they are, ``notices``
    what a guest could notice of the difference, ``when`` at which moment. A row with ``needs_no_el2`` holds only for a
    vCPU without EL2.
    """

    name: str
    fields: tuple[str, ...]
    who: str
    why: str
    notices: str
    when: str
    needs_no_el2: bool = False
    see: str = ""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A ``register`` that kernels ``since`` one release and ``before`` another take, and reset with the vCPU.

    >>> row = Forgotten("CLIDR_EL1", (6, 3), (6, 11), "")
    >>> [row.speaks_of(release) for release in ("6.1.0-50", "6.8.0-51-generic", "6.12.117", "")]
    [False, True, False, False]
    """

    register: str
    since: tuple[int, ...]
    before: tuple[int, ...]
    why: str
    see: str = ""

    def speaks_of(self, release: str) -> bool:
        """Whether a kernel is one of these."""
        return self.since <= release_numbers(release) < self.before
