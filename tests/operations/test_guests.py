"""What a running guest was born with, out of what is seen of it; and where it may go, whatever is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from armlevel.arch import load
from armlevel.documents.packed import pack, unpack
from armlevel.documents.write import digest, guest_object
from armlevel.engine import check
from armlevel.engine.births import Traces, birth_of, reborn
from armlevel.errors import UsageError
from armlevel.formats.cpu_request import CpuRequest
from armlevel.formats.qemu_start import read_start
from armlevel.onefile.metadata import GuestMark, guest_element
from armlevel.operations.guests import guests, held_profile
from armlevel.operations.import_ import guest_of
from armlevel.operations.models import MODELS
from armlevel.operations.stamps import event_in, rebooted, stamp
from armlevel.probe.running import Running, RunningVm
from armlevel.profile import Guest, Host
from armlevel.words.guests import KNOWN_TEXT, REMARK_TEXT, STAMP_TEXT
from tests.fidelity.hosts import read

CATALOGUE = load()
OLD, MIDDLE, NEW, V1 = read(["neoverse-n1@6.1", "neoverse-n1@6.12", "neoverse-n1@7.x", "neoverse-v1@7.x"])
UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
QEMU = "/usr/bin/qemu-system-aarch64"
WORDS: tuple[str, ...] = (
    *(QEMU, "-name", "guest=web-1,debug-threads=on", "-machine", "virt-10.0,gic-version=3,accel=kvm"),
    *("-cpu", "host", "-m", "size=2097152k", "-smp", "2", "-uuid", UUID, "-no-user-config"),
)
CAME = ("-incoming", "defer")
#: What the kernel shows leaves out, by lines: its implementation, and what is no ID register.
LEFT_OUT = {"6.12": ("MIDR_EL1", "REVIDR_EL1", "AIDR_EL1"), "7.x": ()}


def words(cpu: str = "host", *more: str) -> tuple[str, ...]:
    return (*(cpu if word == "host" else word for word in WORDS), *more)


def asked(host: Host, *more: str, cpu: str = "host") -> Guest:
    request = read_start(words(cpu, *more), CATALOGUE).request
    assert isinstance(request, CpuRequest)
    return guest_of(request, host, "web-1", "web-1").guest


def idregs(guest: Guest, line: str = "7.x", **other: int) -> str:
    known = {**guest.id_registers, **other}
    shown = {name: value for name, value in known.items() if "CSIDR" not in name and "CLIDR" not in name}
    return "".join(
        f"{'SYS_' + name:>20}:\t{value:016x}\n" for name, value in shown.items() if name not in LEFT_OUT[line]
    )


def vm(**more) -> RunningVm:
    given = {"pid": 7, "fd": 9, "program": QEMU, "replaced": False, "words": WORDS, "levelled": False}
    return RunningVm(**{**given, **more})


def one(host: Host, *targets: Host, **more):
    running = Running(vms=(vm(**more),), boot_id="boot-1", kernel=host.software.kernel)
    found = guests(running, host, targets)
    MODELS["guests/1"].model_validate(found.document())
    return found.guests[0]


def domain(mark: GuestMark | None = None, reason: str = "booted", inside: str = "") -> str:
    metadata = "" if mark is None else guest_element(mark)
    return (
        f"<domstatus state='running' reason='{reason}' pid='7'>\n<domain type='kvm' id='1'><name>web-1</name>"
        f"<uuid>{UUID}</uuid><metadata>{metadata}{inside}</metadata></domain></domstatus>"
    )


def mark(guest: Guest, **more) -> GuestMark:
    packed = pack(guest)
    given = {"packed": packed, "digest": digest(guest_object(unpack(packed))), "known": "command-line"}
    return GuestMark(**{**given, **more})


# ---- started here


@pytest.mark.parametrize("host", [OLD, MIDDLE, NEW, V1], ids=lambda host: host.name)
@pytest.mark.parametrize("cpu", ["host", "host,pmu=off"])
def test_a_guest_that_was_started_here_holds_what_its_command_line_gives_here(host, cpu):
    found = one(host, words=words(cpu))
    wanted = asked(host, cpu=cpu)
    assert found.birth.guest == wanted
    assert (found.birth.known, found.birth.boot_id, found.birth.not_known) == ("command-line", "boot-1", ())
    assert (found.name, found.uuid) == ("web-1", UUID)
    assert ("pmu_v3" in wanted.shape.features) is (cpu == "host")


def test_the_kernel_that_shows_the_same_is_better_known():
    found = one(NEW, idregs=idregs(asked(NEW)))
    assert found.birth.guest == asked(NEW)
    assert found.birth.known == found.birth.parts["registers"] == "idregs"
    assert found.birth.not_known == ()


def test_it_moves_as_the_guest_that_it_is():
    found = one(NEW, OLD, MIDDLE, V1)
    for move, host in zip(found.moves, (OLD, MIDDLE, V1), strict=True):
        assert move.answer == check(asked(NEW), host, CATALOGUE).arrive
        assert move.any_guest == ()
    assert {move.answer for move in one(OLD, MIDDLE, NEW, V1).moves} == {"runs", "refused"}


# ---- not by its command line


@pytest.mark.parametrize(
    ("more", "remark"),
    [
        ({"program": "/usr/bin/firecracker"}, "not-qemu"),
        ({"program": ""}, "not-qemu"),
        ({"words": ()}, "words-not-read"),
        ({"beside": 1}, "several-vms"),
        ({"words": words("host", "-readconfig", "a.cfg")}, "options-elsewhere"),
        ({"words": words("host", "-global", "host-arm-cpu.pmu=off")}, "options-elsewhere"),
        ({"words": words("host", "-set", "a.b=c")}, "options-elsewhere"),
        ({"words": words("host", "-device", "host-arm-cpu,core-id=1")}, "options-elsewhere"),
        ({"words": words("host", "-M", "confidential-guest-support=rme0")}, "options-elsewhere"),
        ({"words": words("host,x-surprise=on")}, "options-not-known"),
        ({"words": words("cortex-a57")}, "options-not-known"),
        ({"words": words("host,sve=on")}, "not-of-this-host"),
    ],
)
def test_where_the_command_line_tells_nothing_it_may_be_any_guest_and_no_yes_comes_of_it(more, remark):
    found = one(OLD, MIDDLE, NEW, **more)
    assert (found.birth.guest, found.birth.known, found.shape) == (None, "any", None)
    assert remark in found.birth.remarks
    assert {move.answer for move in found.moves} == {"unknown"}


def test_qemus_own_file_of_options_is_minded_where_it_is_read():
    bare = tuple(word for word in WORDS if word != "-no-user-config")
    for line, configured, known in (
        (bare, True, "any"),
        (bare, False, "command-line"),
        (WORDS, True, "command-line"),
    ):
        running = Running(vms=(vm(words=line),), qemu_configured=configured)
        assert guests(running, OLD).guests[0].birth.known == known


@pytest.mark.parametrize("levelled", [True, None])
def test_with_the_library_in_its_process_the_command_line_is_no_proof(levelled):
    found = one(NEW, MIDDLE, levelled=levelled)
    assert (found.birth.known, found.birth.guest, found.shape) == ("any", None, None)
    assert found.moves[0].answer == "unknown"


def test_a_guest_that_shows_other_registers_is_not_what_its_command_line_gives():
    lower = asked(NEW).registers["ID_AA64ISAR0_EL1"] & ~(0xF << 4)  # without AES
    found = one(NEW, idregs=idregs(asked(NEW), ID_AA64ISAR0_EL1=lower))
    assert found.birth.guest is not None
    assert found.birth.guest.registers["ID_AA64ISAR0_EL1"] == lower
    assert "differs-from-command-line" in found.birth.remarks
    assert found.birth.guest.firmware == {}
    other = one(NEW, idregs=idregs(asked(NEW), MIDR_EL1=0x410FD490))
    assert other.birth.known == "any"


@pytest.mark.parametrize("text", ["nonsense", "SYS_CTR_EL0:\t12", "SYS_CTR_EL0:\t" + "0" * 16, "A" * 70_000])
def test_a_list_of_registers_that_is_none_is_not_taken(text):
    found = one(NEW, idregs=text)
    assert found.birth.known == "command-line"
    assert found.birth.guest == asked(NEW)
    assert one(NEW, idregs=text, words=words("host", *CAME)).birth.known == "own-values"


# ---- from elsewhere


@pytest.mark.parametrize("option", [("-incoming", "defer"), ("--incoming", "tcp:0:1"), ("-loadvm", "snap")])
@pytest.mark.parametrize("reason", ["booted", "unpaused"])
def test_a_guest_that_came_is_not_what_is_started_here(option, reason):
    found = one(NEW, words=words("host", *option), domain=domain(reason=reason))
    assert found.birth.guest is not None
    assert found.birth.guest.firmware == {}
    assert found.birth.guest.facts.cntfrq_hz is None
    assert {"registers", "firmware", "facts", "machine"} <= set(found.birth.not_known)
    assert found.birth.remarks[-1].startswith("came-by-")


@pytest.mark.parametrize(
    ("reason", "remark"),
    [("migrated", "came-by-incoming"), ("restored", "came-by-incoming"), ("from snapshot", "came-by-loadvm")],
)
def test_libvirt_knows_what_the_command_line_does_not(reason, remark):
    found = one(NEW, domain=domain(reason=reason))
    assert remark in found.birth.remarks
    assert "firmware" in found.birth.not_known
    assert one(NEW, domain=domain(reason="migration canceled")).birth.known == "command-line"


def test_what_it_holds_is_what_the_kernel_shows_and_nothing_else_of_this_host():
    before = asked(MIDDLE)
    found = one(NEW, words=words("host", *CAME), idregs=idregs(before))
    guest = found.birth.guest
    assert guest is not None
    shown = {name for name in before.registers if "CSIDR" not in name and "CLIDR" not in name}
    assert {name: guest.registers[name] for name in shown} == {name: before.registers[name] for name in shown}
    assert guest.register_list == asked(NEW).register_list
    assert found.birth.parts["list"] == "command-line"
    assert "registers" not in found.birth.parts  # CLIDR_EL1 may have come with it


def test_of_what_is_not_known_any_that_this_host_keeps_may_be_there():
    # From 6.1 on every kernel keeps what a 6.1 host may hold; back from 7.3 the PSCI version may be too new.
    onward = one(OLD, MIDDLE, NEW, words=words("host", *CAME))
    assert [move.answer for move in onward.moves] == ["runs", "runs"]
    assert all("registers" in move.any_guest and "firmware" in move.any_guest for move in onward.moves)
    back = one(NEW, MIDDLE, words=words("host,pmu=off", *CAME), idregs=idregs(asked(NEW, cpu="host,pmu=off")))
    assert back.moves[0].parts["firmware"] == "unknown"
    assert back.moves[0].parts["registers"] == "runs"
    assert all(one.part != "registers" for one in back.moves[0].findings if one.severity == "unknown")


def test_a_yes_for_a_guest_that_is_known_in_part_holds_for_each_guest_that_it_may_be():
    # Those that may have come: of every host whose guests this one keeps.
    for here, line in ((OLD, ""), (MIDDLE, "6.12"), (NEW, "7.x")):
        for source in (OLD, MIDDLE, NEW):
            truth = asked(source)
            if check(truth, here, CATALOGUE).arrive != "runs":
                continue
            text = idregs(truth, line) if line else ""
            found = one(here, OLD, MIDDLE, NEW, V1, words=words("host", *CAME), idregs=text)
            carried = replace(truth, register_list=asked(here).register_list)
            for move in found.moves:
                target = {host.name: host for host in (OLD, MIDDLE, NEW, V1)}[move.host]
                really = check(carried, target, CATALOGUE)
                if move.answer == "runs":
                    assert all(
                        arrive == "runs" for part, (_, arrive) in really.parts.items() if part != "machine"
                    )
                if move.answer == "refused":
                    assert really.arrive == "refused"


# ---- stamps


def test_a_stamp_fills_in_what_nothing_here_shows():
    truth = asked(MIDDLE)
    found = one(NEW, words=words("host", *CAME), idregs=idregs(truth), domain=domain(mark(truth), "migrated"))
    guest = found.birth.guest
    assert guest is not None
    assert truth.firmware.items() <= guest.firmware.items()
    assert (
        guest.firmware.keys() == asked(NEW).firmware.keys()
    )  # what its host did not have, it has of this one
    assert guest.facts.cntfrq_hz == truth.facts.cntfrq_hz
    assert guest.register_list == asked(NEW).register_list
    assert (found.birth.known, found.birth.parts["firmware"], found.stamp) == ("idregs", "stamp", "read")
    assert one(OLD, words=words("host", *CAME), domain=domain(mark(asked(OLD)))).birth.known == "stamp"


@pytest.mark.parametrize("where", [OLD, NEW], ids=lambda host: host.name)
def test_a_stamp_of_another_guest_is_not_valid(where):
    truth = asked(where)
    registers = {**truth.registers, "ID_AA64ISAR0_EL1": truth.registers["ID_AA64ISAR0_EL1"] & ~0xF0}
    for other in (replace(truth, registers=registers), asked(where, cpu="host,pmu=off")):
        text = "" if where is OLD else idregs(truth)
        found = one(where, words=words("host", *CAME), idregs=text, domain=domain(mark(other)))
        assert "stamp-not-valid" in found.birth.remarks
        assert found.birth.guest is None or found.birth.guest.firmware == {}


@pytest.mark.parametrize(
    "broken",
    [{"packed": "9:abcd"}, {"packed": "1:abcd"}, {"digest": "sha256:" + "0" * 64}],
    ids=["another version", "damaged", "another digest"],
)
def test_a_stamp_that_cannot_be_read_is_none(broken):
    found = one(NEW, words=words("host", *CAME), domain=domain(mark(asked(NEW), **broken)))
    assert (found.stamp, "stamp-not-read" in found.birth.remarks) == ("unreadable", True)
    assert "firmware" in found.birth.not_known


def test_the_snapshot_of_another_day_has_no_stamp():
    found = one(NEW, words=words("host", "-loadvm", "a"), domain=domain(mark(asked(NEW))))
    assert "firmware" in found.birth.not_known


def test_a_reboot_renews_what_the_guest_learns_of_its_host():
    birth = birth_of(Traces(asked=asked(NEW), comes="incoming", levelled=False, shown={}), NEW, CATALOGUE)
    again = reborn(birth, NEW, CATALOGUE)
    assert birth.guest is not None
    assert again.guest is not None
    assert birth.guest.facts.cntfrq_hz is None
    assert again.guest.facts.cntfrq_hz == NEW.facts.cntfrq_hz
    assert again.guest.registers == birth.guest.registers
    assert "firmware" not in again.parts
    whole = replace(
        asked(MIDDLE), firmware={**asked(MIDDLE).firmware, "KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1": 2}
    )
    kept = reborn(replace(birth, guest=whole), NEW, CATALOGUE).guest
    assert kept is not None
    assert kept.firmware["KVM_REG_ARM_PSCI_VERSION"] == asked(MIDDLE).firmware["KVM_REG_ARM_PSCI_VERSION"]
    assert (
        kept.firmware["KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1"]
        == asked(NEW).firmware["KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1"]
    )


class Virsh:
    """libvirt as far as a stamp asks it."""

    def __init__(self, status: int = 0, said: str = "") -> None:
        self.asked: list[list[str]] = []
        self.answer = status, said

    def __call__(self, words) -> tuple[int, str]:
        self.asked.append(list(words))
        return self.answer


def a_host(**more):
    return guests(Running(vms=(vm(**more),), kernel=NEW.software.kernel), NEW)


def test_a_stamp_is_written_into_the_running_domain_alone_and_read_again():
    run = Virsh()
    (done,) = stamp(a_host(domain=domain()), run)
    assert (done.name, done.outcome) == ("web-1", "written")
    (words_asked,) = run.asked
    assert words_asked[:5] == ["metadata", "--domain", UUID, "--uri", "https://armlevel.dev/guest/1"]
    assert words_asked[-1] == "--live"
    assert "--config" not in words_asked
    assert words_asked[words_asked.index("--set") + 1].startswith('<guest digest="sha256:')
    written = domain(mark(asked(NEW)))
    assert [one.outcome for one in stamp(a_host(domain=written), run)] == ["same"]
    assert len(run.asked) == 1


@pytest.mark.parametrize(
    ("more", "outcome", "calls"),
    [
        ({}, "no-domain", 0),
        ({"program": "/f/firecracker", "domain": domain()}, "no-domain", 0),
        ({"beside": 1, "domain": domain()}, "not-known", 0),
        ({"levelled": True, "domain": domain()}, "not-known", 0),
        ({"domain": domain(mark(asked(NEW), packed="9:abcd"))}, "not-ours", 0),
        ({"domain": domain(mark(asked(NEW, cpu="host,pmu=off"), pool="p", level="1"))}, "written", 1),
    ],
)
def test_what_becomes_of_a_stamp(more, outcome, calls):
    run = Virsh()
    (done,) = stamp(a_host(**more), run)
    assert done.outcome == outcome
    assert len(run.asked) == calls
    assert "pool" not in str(more) or 'pool="p" level="1"' in run.asked[0][7] + run.asked[0][8]


def test_a_stamp_that_is_certainly_of_another_guest_goes():
    other = domain(mark(asked(NEW, cpu="host,pmu=off")), "migrated")
    run = Virsh()
    (done,) = stamp(a_host(levelled=True, domain=other), run)
    assert done.outcome == "removed"
    assert run.asked[0][-2:] == ["--remove", "--live"]


def test_libvirts_refusal_is_told():
    (done,) = stamp(a_host(domain=domain()), Virsh(1, "error: Timed out"))
    assert (done.outcome, done.said) == ("refused", "error: Timed out")


def test_an_event_names_its_domain_and_a_reboot_renews_that_one():
    assert event_in("event 'reboot' for domain web-1") == ("reboot", "web-1")
    assert event_in("event 'agent-lifecycle' for domain 'it's'") is None
    found = a_host(words=words("host", *CAME), domain=domain())
    (guest,) = rebooted(found, NEW, ["web-1"]).guests
    assert guest.birth.guest is not None
    assert guest.birth.guest.facts.cntfrq_hz == NEW.facts.cntfrq_hz
    assert rebooted(found, NEW, ["web-2"]) == found


def test_the_traits_of_a_flavor_are_read():
    nova = (
        '<nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">'
        '<nova:flavor name="a"><nova:extraSpecs>'
        '<nova:extraSpec name="trait:CUSTOM_ARMLEVEL_START_AB">required</nova:extraSpec>'
        "</nova:extraSpecs></nova:flavor></nova:instance>"
    )
    assert one(NEW, domain=domain(inside=nova)).traits == ("CUSTOM_ARMLEVEL_START_AB",)
    assert "domain-not-read" in one(NEW, domain=domain(inside="<a>")).birth.remarks


# ---- the whole


def test_what_cannot_be_looked_into_is_no_yes():
    assert guests(Running(unread=2), NEW).status == 3
    assert guests(Running(), NEW).status == 0
    assert guests(Running(vms=(vm(program="/f"),)), NEW).status == 3


def test_a_profile_of_another_kernel_is_refused():
    held_profile(NEW, Running(kernel=NEW.software.kernel))
    for running in (Running(kernel="6.1.0"), Running()):
        with pytest.raises(UsageError, match="probe this host again"):
            held_profile(NEW, running)


def test_every_code_has_a_sentence():
    assert set(KNOWN_TEXT) == {"idregs", "command-line", "own-values", "stamp", "any"}
    assert len(REMARK_TEXT) == 17
    assert len(STAMP_TEXT) == 7
