"""An error line, a register and a whole log are explained; what is not known is never passed off as known."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.arch import load
from armlevel.arch.messages import SUBJECTS, MessageRow, literal_of, messages, prove_messages
from armlevel.errors import ArmlevelError, UnreadableFile, UsageError
from armlevel.kvm import spelled as register_named
from armlevel.operations.explain import explain, text_named
from armlevel.words.messages import ADVICE, MEANINGS, PARTS, advice_text, meaning_text
from tests.fidelity.hosts import read
from tests.migrations.plan import cases, hosts_of
from tests.migrations.predicted import guests_of, say
from tests.operations.quoted import QUOTED

ROWS = messages()

#: Messages that people quote in part.
IN_PART = (
    "Invalid value 268 ... <= 267",
    "kvm_init_vcpu: ... Invalid argument",
    "Property 'host-arm-cpu.SYSREG_...' not found",
    "Failed to put registers",
    "Failed to put registers after init",
    "failed to load cpu:cpreg_vmstate_array_len",
    "Could not set register",
    "GET_ONE_REG ENOENT: BMAP_2",
    "KVM_SET_DEVICE_ATTR failed: Group 6 attr 0x…c664: Invalid argument",
    "idreg X set value (0x..) exceeds length of field (4)!",
    "unknown CPU feature",
)


@pytest.mark.parametrize("line", IN_PART)
def test_a_message_is_known_when_it_is_quoted_in_part(line):
    assert explain(line).explained
    assert explain(line.upper()).explained
    assert explain(line.lower()).explained


FILLED = {
    "register": "fw reg 0",
    "value": "3",
    "own": "1",
    "sent": "9",
    "listed": "8",
    "from": "virt-1",
    "to": "virt-2",
}
PREDICTED = sorted(
    {(vmm.name, text) for vmm in load().vmms.values() for texts in vmm.messages.values() for text in texts}
    | {(name, row.message) for row in load().blocks for name in row.vmms}
)


@pytest.mark.parametrize(("vmm", "text"), PREDICTED)
def test_what_a_prediction_says_a_vmm_prints_is_known_and_of_that_vmm(vmm, text):
    rows = [one.row for one in explain(text.format(**FILLED)).explained]
    assert rows
    assert all(vmm in row.vmms or not row.vmms for row in rows)


@pytest.mark.parametrize(
    ("line", "means"),
    [
        ("kvm_set_one_reg failed: -22", "call-value-refused"),
        ("KVM_SET_ONE_REG: Invalid argument (os error 22)", "call-value-refused"),
        ("SET_ONE_REG errno=16", "call-after-run"),
        ("ioctl(KVM_SET_ONE_REG) failed: EPERM", "call-finalize"),
        ("ioctl KVM_GET_ONE_REG: No such file or directory", "call-no-register"),
        ("KVM_ARM_VCPU_INIT: errno 2", "call-vcpu-features"),
        ("KVM_CREATE_VM failed with -22", "call-ipa"),
        ("KVM_CREATE_DEVICE: No such device", "call-no-device"),
        ("KVM_RUN returned ENOEXEC", "call-run"),
    ],
)
def test_an_error_of_a_call_is_known_in_any_form(line, means):
    assert [one.row.means for one in explain(line).explained] == [means]


@pytest.mark.parametrize("line", QUOTED)
def test_a_line_that_people_quote_is_explained(line):
    means, registers = QUOTED[line]
    found = explain(line)
    assert means in {one.row.means for one in found.explained}
    assert found.named == registers
    assert found.status == 0


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_is_found_by_its_example_wherever_it_stands(row):
    before, after = "2026-11-30T10:00:01Z host qemu[12]: ", " (vm='web-1')"
    for text in (row.example, before + row.example, row.example + after, f"fine\n\n{row.example}\r\nfine\n"):
        assert row.name in {one.row.name for one in explain(text).explained}


def test_there_are_rows_of_every_program_and_enough():
    assert len(ROWS) >= 60
    assert {row.says for row in ROWS} == {
        "qemu", "libvirt", "linux", "kvm", "firecracker", "cloud-hypervisor", "crosvm"
    }  # fmt: skip
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert {name for row in ROWS for name in row.vmms} <= set(load().vmms)


def test_every_code_of_a_row_has_a_sentence_and_every_sentence_a_row():
    assert {row.means for row in ROWS} == set(MEANINGS)
    assert {code for row in ROWS for code in row.do} == set(ADVICE)
    assert {row.part for row in ROWS} == set(PARTS) == set(SUBJECTS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_sentence_names_only_what_the_pattern_finds(row):
    places = {name for _, name, _, _ in string.Formatter().parse(MEANINGS[row.means]) if name}
    assert places <= set(row.captures)
    (one,) = [one for one in explain(row.example).explained if one.row == row]
    assert not set(meaning_text(row.means, one.words)) & set("{}")
    assert all(map(advice_text, row.do))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"pattern": "("}, "does not read"),
        ({"says": "vmware"}, "nobody is called vmware"),
        ({"see": ""}, "no source"),
        ({"part": "registres"}, "no part is called so"),
        ({"do": ()}, "something is to be done"),
        ({"example": "another line"}, "its pattern does not fit its example"),
    ],
)
def test_a_faulty_row_is_found(change, fault):
    good = ROWS[0]
    row = MessageRow(**{name: getattr(good, name) for name in MessageRow.__slots__} | change)
    assert any(fault in said for said in prove_messages([row]))


@pytest.mark.parametrize("row", [row for row in ROWS if row.about], ids=lambda row: row.name)
def test_what_a_row_is_about_is_a_register_or_a_field(row):
    for name in row.about:
        assert name in load().fields or register_named(name)


def test_a_row_that_is_never_reached_is_found():
    assert any("fits its example first" in said for said in prove_messages([ROWS[0], ROWS[0]]))


def test_what_a_line_must_have_in_it_is_what_its_pattern_fits():
    told = [row for row in ROWS if len(literal_of(row.pattern)) > 4]
    assert len(told) > 100
    assert all(literal_of(row.pattern).lower() in row.example.lower() for row in told)


def test_the_fields_that_a_message_gives_two_values_of_are_named():
    text = "Could not set register op0:3 op1:0 crn:0 crm:7 op2:2 to 1221011110001011 (is 1221011112001011)"
    (register,) = explain(text).explained[0].registers
    assert register.name == "ID_AA64MMFR2_EL1"
    assert [(one.subject, one.value, one.own) for one in register.fields] == [("ID_AA64MMFR2_EL1.NV", 0, 2)]


@pytest.mark.parametrize(
    ("attr", "group", "name"),
    [
        ("Group 6 attr 0x000000000000c664", "CPU_SYSREGS", "ICC_CTLR_EL1"),
        ("Group 6 attr 0x000000010000c665", "CPU_SYSREGS", "ICC_SRE_EL1"),
        ("Group 1 attr 0x0000000000000008", "DIST_REGS", "GICD_IIDR"),
        ("Group 4 attr 0x0000000000000001", "CTRL", "ITS_SAVE_TABLES"),
        ("Group 8 attr 0x0000000000000100", "ITS_REGS", "GITS_BASER0"),
    ],
)
def test_a_register_of_the_interrupt_controller_is_named(attr, group, name):
    (one,) = explain(f"KVM_SET_DEVICE_ATTR failed: {attr}: Invalid argument").explained
    assert one.attribute == (group, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("0x6030000000160003", "KVM_REG_ARM_VENDOR_HYP_BMAP_2"),
        ("0x603000000013808c", "OSLSR_EL1"),
        ("0x6030000000140003", "KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3"),
        ("op0:3 op1:0 crn:2 crm:0 op2:3", "TCR2_EL1"),
        ("{ Op0( 3), Op1( 0), CRn( 0), CRm( 4), Op2( 0), func_read }", "ID_AA64PFR0_EL1"),
        ("(3,0,9,14,6)", "PMMIR_EL1"),
        ("s3_0_c0_c0_0", "MIDR_EL1"),
        ("tcr2_el1", "TCR2_EL1"),
        ("what of SYS_ID_AA64MMFR0_EL1 here?", "ID_AA64MMFR0_EL1"),
        ("6931039826524487712", "ID_AA64PFR0_EL1"),
    ],
)
def test_a_register_is_decoded_in_any_spelling(text, name):
    assert explain(text).named == (name,)


def test_a_message_that_was_broken_in_two_lines_is_known():
    found = explain(
        "fine\nFailed to put registers\n  after init: Invalid argument\nkvm [1]: HYP mode\n not available\n"
    )
    assert [(one.row.means, one.lines) for one in found.explained] == [
        ("values-refused", (2,)),
        ("no-el2", (4,)),
    ]
    found = explain(
        "CPU features: SANITY CHECK: Unexpected variation in\nSYS_CTR_EL0. Boot CPU: 0x8, CPU1: 0x9"
    )
    assert found.named == ("CTR_EL0",)
    assert (found.not_known, found.explained[0].lines) == (0, (1,))


LOG = """starting up libvirt version: 12.8.0
qemu-system-aarch64: Could not set register fw reg 0 to 10003 (is 10001)
qemu-system-aarch64: Could not set register op0:3 op1:0 crn:0 crm:4 op2:0 to 1 (is 2)
qemu-system-aarch64: Could not set register fw reg 0 to 10003 (is 10001)
a thing failed for a reason that nobody wrote a row for
shutting down, reason=failed
Failed to put registers after init: Invalid argument / load of migration failed: Invalid argument
"""


def test_in_a_log_the_known_lines_are_found_and_the_others_counted():
    found = explain(LOG)
    assert [one.row.means for one in found.explained] == [
        "value-refused-named",
        "values-refused",
        "migration-failed",
    ]
    assert found.explained[0].lines == (2, 3, 4)
    assert [one.name for one in found.explained[0].registers] == [
        "KVM_REG_ARM_PSCI_VERSION",
        "ID_AA64PFR0_EL1",
    ]
    assert (found.lines, found.not_known) == (7, 3)
    assert [line for line, _ in found.unexplained] == [5, 6]


@pytest.mark.parametrize(
    "text", ["all is well", "0x413fd0c1", "error: something failed", "\x00\x01", "é" * 5000]
)
def test_what_is_not_known_is_not_explained(text):
    found = explain(text)
    assert (found.explained, found.registers, found.status) == ((), (), 3)


def test_the_text_is_taken_from_words_files_and_the_input(tmp_path):
    (tmp_path / "a.log").write_text("one\n")
    (tmp_path / "b.log").write_bytes(b"\xff\xfetwo\n")
    text = text_named(["some", "words", str(tmp_path / "a.log"), "-"], lambda: b"three")
    assert text.split() == ["some", "words", "one", "three"]
    assert "two" in text_named([str(tmp_path / "b.log")], bytes)


def test_a_list_that_is_too_long_is_about_what_one_side_alone_lists():
    hosts = read(("neoverse-n2@6.12", "neoverse-n2@7.x"))
    found = explain("Invalid value 269 expecting positive value <= 268", hosts)
    assert found.vmm == "qemu-list-length"
    assert found.blocking[0].part == "list"


def test_lines_of_a_file_are_counted_from_one(tmp_path):
    (tmp_path / "a.log").write_text("Failed to put registers after init: Invalid argument\n")
    assert explain(text_named([str(tmp_path / "a.log")], bytes)).explained[0].lines == (1,)


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd0", b"\x7fELF\x02\x00\x00"])
def test_what_is_no_text_is_refused_in_a_sentence(tmp_path, data):
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(UnreadableFile):
        text_named([str(tmp_path / "f")], bytes)


@pytest.mark.parametrize("arguments", [[""], ["  "], ["-"]])
def test_nothing_is_refused(arguments):
    with pytest.raises(UsageError):
        text_named(arguments, bytes)


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(UnreadableFile):
        text_named([str(tmp_path)], bytes)


PIECES = st.sampled_from([row.example for row in ROWS] + list(QUOTED)) | st.text(max_size=40)


@given(
    st.lists(PIECES, max_size=4),
    st.integers(0, 300),
    st.integers(0, 30),
    st.sampled_from(["\n", " / ", "\u2028", "\x85"]),
)
def test_a_damaged_text_gives_an_answer_and_no_fault(pieces, start, length, between):
    text = between.join(pieces)
    found = explain(text[:start] + text[start + length :])
    assert found.status == (0 if found.explained or found.registers else 3)
    assert found.not_known <= found.lines
    assert {line for line, _ in found.unexplained} <= set(range(1, text.count("\n") + text.count("\r") + 2))
    jsonable = json.dumps(found.document())
    assert json.loads(jsonable)["kind"] == "explanation/1"


def test_one_host_is_no_move():
    (host,) = read(("neoverse-n1@7.x",))
    with pytest.raises(ArmlevelError):
        explain("x", [host])


def test_between_two_hosts_the_field_is_named_for_every_migration_that_fails(tell):
    plan, catalogue = cases(), load()
    hosts = {host.name: host for host in read(hosts_of(plan))}
    failing = 0
    for case in plan:
        said = say(case, hosts, catalogue)
        if said.outcome != "fails":
            continue
        failing += 1
        pair = [hosts[case.source], hosts[case.target]]
        guest, _ = guests_of(case, hosts, catalogue)
        vmm = {"10": "qemu-10.0", "11": "qemu-11.1"}[case.qemu[1]]
        for whose in (vmm, ""):
            found = explain("\n".join(said.messages), pair, guest, vmm=whose)
            assert found.status == 0, case
            assert found.move is not None
            assert found.move.answer == "refused", case
            blocking = {one.subject.register for one in found.blocking}
            assert set(said.blocking) <= blocking, case
            assert found.blocking[0].needs or found.blocking[0].offers, case
            refused = {
                register.name
                for one in found.explained
                if one.row.means != "register-only-there"
                for register in one.registers
            }
            assert refused <= blocking, case
            ahead = [one.subject.register in found.named for one in found.blocking]
            assert ahead == sorted(ahead, reverse=True), case
    tell(f"explain: what blocks is named for {failing} failing migrations of {len(plan)}")
    assert failing > 20
