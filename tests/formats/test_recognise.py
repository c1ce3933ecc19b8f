"""Each kind of file in the dresses that real ones wear, and what is no such file named for what it is."""

from __future__ import annotations

import gzip
import json

import pytest

from armlevel.arch import load as load_catalogue
from armlevel.documents import load, load_many
from armlevel.engine import passthrough
from armlevel.errors import BadDocument, InputError, NotRecognised
from armlevel.formats import read_foreign, read_foreign_hosts, read_request, recognise
from armlevel.profile import Implementation
from tests.documents.samples import encoded
from tests.documents.samples import host as host_document
from tests.formats.profiles import host
from tests.formats.test_import_libvirt import CAPABILITIES, DOMAIN, DOMCAPABILITIES

QEMU = "/usr/bin/qemu-system-aarch64 -M virt-10.0,gic-version=3 -accel kvm -smp 2 "
PROPS = {"pmu": True, "sve": False, "pauth": False, "aarch64": True}
ANSWER = {"return": {"model": {"name": "host", "props": PROPS}}}
GREETING = {"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 9}}, "capabilities": ["oob"]}}
LSCPU = """\
Architecture:           aarch64
CPU(s):                 {total}
Vendor ID:              ARM
  Model name:           Cortex-A55
    Core(s) per socket: 4
    Socket(s):          1
    Stepping:           r2p0
    BogoMIPS:           48.00
    Flags:              fp asimd
  Model name:           Cortex-A76
    Core(s) per socket: 4
    Socket(s):          1
    Stepping:           r4p0
    BogoMIPS:           48.00
    Flags:              fp asimd
"""


@pytest.mark.parametrize(
    "line",
    [
        "max",
        "-cpu max",
        "-cpu max,sve=off",
        QEMU + "-cpu max",
        QEMU + "-cpu 'max,pmu=on'",
        QEMU + '-cpu "host"',
        QEMU + "--cpu host,sve=off",
        "exec " + QEMU.replace(" -", " \\\n    -") + '\\\n    -cpu host \\\n    "$@"\n',
        "ExecStart=" + QEMU + "-cpu host",
        QEMU + "-name guest='x -cpu host,pmu=on",
    ],
)
def test_a_cpu_option_is_known_in_any_quoting(line):
    found = recognise(line.encode())
    assert found is not None
    assert found.name == "QEMU -cpu option"
    assert read_request(line.encode(), "x") is not None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (QEMU + "-cpu neoverse-n1", "-cpu neoverse-n1: KVM gives guests the host's CPU; -cpu host is needed"),
        (QEMU + "-cpu 'cortex-a57'", "-cpu cortex-a57: KVM gives guests"),
        (QEMU, "no -cpu: QEMU gives this guest its own default"),
        (QEMU.replace("kvm", "tcg") + "-cpu max", "-accel tcg: without KVM"),
        (QEMU.replace("kvm", "hvf") + "-cpu host", "-accel hvf: without KVM"),
        ("qemu-system-x86_64 -cpu host", "qemu-system-x86_64: is no QEMU for arm64"),
    ],
)
def test_a_command_line_without_a_hosts_cpu_says_so(line, sentence):
    with pytest.raises(BadDocument, match="QEMU's -cpu host") as found:
        read_request(line.encode(), "x")
    assert sentence in str(found.value)


def test_words_that_end_in_zero_bytes_and_lists_of_words_are_command_lines():
    words = [*QEMU.split(), "-cpu", "host,pmu=off"]
    for data in ("\0".join([*words, ""]).encode(), json.dumps(words).encode()):
        request = read_request(data, "x")
        assert request is not None
        assert request.choices == {"pmu_v3": False}


SESSIONS = [
    [GREETING, {"return": {}}, ANSWER],
    [GREETING, {"return": {}}, {"return": {}}, ANSWER, {"return": {}}],
    [GREETING, {"execute": "qmp_capabilities"}, {"return": {}}, ANSWER],
]


@pytest.mark.parametrize("session", SESSIONS)
def test_a_qmp_session_gives_its_answer(session):
    lines = [json.dumps(one) for one in session]
    arrows = [
        f"{'->' if 'execute' in one else '<-'} {line}" for one, line in zip(session, lines, strict=True)
    ]
    for text in (
        "\n".join(lines),
        json.dumps(session),
        "\n".join(arrows),
        json.dumps(session[-2:], indent=4),
    ):
        assert "pmu_v3" in read_foreign(text.encode(), "x").offers[0].shape.features


def test_a_qmp_session_without_an_answer_tells_the_refusal():
    lines = [GREETING, {"return": {}}, {"error": {"class": "GenericError", "desc": "no such model"}}]
    with pytest.raises(BadDocument, match="QEMU refused: 'no such model'"):
        read_foreign("\n".join(map(json.dumps, lines)).encode(), "x")


def test_lscpu_names_cores_by_name_and_stepping():
    found = read_foreign(LSCPU.format(total=8).encode(), "x")
    assert {cpu.implementation: cpu.count for cpu in found.cpus} == {
        Implementation(0x412FD050): 4,
        Implementation(0x414FD0B0): 4,
    }
    assert found.facts.cntfrq_hz == 24_000_000
    assert found.offers[0].limits == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{total}", "10"),
        ("    Stepping:           r4p0\n", ""),
        ("Cortex-A76", "Cortex-Z9"),
        (
            "    Core(s) per socket: 4\n    Socket(s):          1\n    Stepping:           r4p0",
            "    Stepping: r4p0",
        ),
    ],
)
def test_lscpu_that_says_less_leaves_cpus_unknown(old, new):
    found = read_foreign(LSCPU.replace(old, new).format(total=8).encode(), "x")
    assert Implementation() in {cpu.implementation for cpu in found.cpus}
    assert sum(cpu.count or 0 for cpu in found.cpus) == (10 if new == "10" else 8)


def test_lscpu_as_json_says_the_same():
    rows = [line.split(":", 1) for line in LSCPU.format(total=8).splitlines()]
    flat = [{"field": f"{key.strip()}:", "data": value.strip()} for key, value in rows]
    assert (
        read_foreign(json.dumps({"lscpu": flat}).encode(), "x").cpus
        == read_foreign(LSCPU.format(total=8).encode(), "x").cpus
    )


@pytest.mark.parametrize(
    "text",
    [
        DOMAIN,
        f"<?xml version='1.0'?>\n<!-- a --><!-- b -->\n{DOMAIN}",
        f"<domstatus state='running' pid='1'>\n<vcpus/>{DOMAIN}</domstatus>",
        f"<domainsnapshot><name>s</name>{DOMAIN}</domainsnapshot>",
        f"$ virsh dumpxml vm\n{DOMAIN}",
        "<cpu mode='host-passthrough'><feature policy='require' name='sve256'/></cpu>",
    ],
)
def test_a_domain_is_known_in_what_libvirt_puts_around_it(text):
    request = read_request(text.encode(), "x")
    assert request is not None
    assert request.lengths == {256: True}
    with pytest.raises(BadDocument, match=r"is a libvirt domain.*describes no host.*import FILE --host HOST"):
        read_foreign(text.encode(), "x")


def test_the_cpu_of_a_host_by_itself_is_a_host():
    inner = CAPABILITIES[CAPABILITIES.index("<cpu>") : CAPABILITIES.index("</cpu>") + 6]
    assert read_foreign(inner.encode(), "x").facts.page_size == 64 << 10


@pytest.mark.parametrize("size", ["3", "100000000000000000000", "9" * 5000, "0", "8", "x"])
def test_pages_that_arm64_has_not_are_refused(size):
    with pytest.raises(BadDocument) as found:
        read_foreign(CAPABILITIES.replace("size='64'", f"size='{size}'").encode(), "x")
    assert "host/cpu/pages" in str(found.value)


def test_comments_without_end_are_no_work():
    text = "<!---->" * 300_000 + "<x/>"
    with pytest.raises(NotRecognised, match="is XML of <x>"):
        read_foreign(text.encode(), "x")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (CAPABILITIES + DOMCAPABILITIES, ["x-1", "x-2"]),
        (DOMCAPABILITIES + "<!-- and -->\n" + CAPABILITIES + "\n", ["x-1", "x-2"]),
        ('{"name": "a", "MIDR_EL1": "0x411fd401"}\n{"MIDR_EL1": "0x411fd401"}\n', ["a", "x-2"]),
        ('[{"hostname": "a", "regs": {"MIDR_EL1": "0x1"}}, {"hostname": "b", "CTR_EL0": "0x2"}]', ["a", "b"]),
    ],
)
def test_several_documents_in_a_file_are_several_hosts(text, names, tmp_path):
    assert [one.name for one in read_foreign_hosts(text.encode(), "x", "x")] == names
    path = tmp_path / "x.txt"
    path.write_text(text)
    assert len(load_many([str(path)])) == len(names)
    with pytest.raises(BadDocument, match="2 hosts are described in it"):
        read_foreign(text.encode(), "x", "x")


def test_several_profiles_in_a_file_are_read_one_by_one(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(encoded(host_document(name="a")) + b"\n" + encoded(host_document(name="b")))
    assert len(load_many([str(path)])) == 2
    with pytest.raises(BadDocument, match="2 documents stand in it"):
        load(str(path))


def test_several_guests_in_a_file_are_not_one():
    with pytest.raises(BadDocument, match="2 guests are described in it"):
        read_request((DOMAIN + DOMAIN).encode(), "x")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty; name a file"),
        (b" \n", "is empty"),
        (gzip.compress(b"processor : 0", mtime=0), "is a gzip archive; unpack it"),
        (b"\xfd7zXZ\0\0", "is an xz archive"),
        (b"PK\x03\x04..", "is a zip archive"),
        (b"\x89PNG\r\n\x1a\n\0", "is a picture (PNG)"),
        (b"\xff\xd8\xff\xe0\0", "is a picture (JPEG)"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 11 + b"\x3e\0", "is a program (x86-64 ELF)"),
        (b"\x7fELF\0", "is a program"),
        (b"\0" * 100, "is no text"),
        (
            b"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu\n",
            "is /proc/cpuinfo of an x86 machine",
        ),
        (b"Architecture:  x86_64\n  CPU op-mode(s): 64-bit\n", "is lscpu of an x86 machine"),
        (b"processor : 0\nhart : 0\nisa : rv64imafdc\n", "is /proc/cpuinfo of a RISC-V machine"),
        (b"<network><name>x</name></network>", "is XML of <network>"),
    ],
)
def test_what_is_something_else_is_named(data, sentence):
    for read in (read_foreign, read_request):
        with pytest.raises(NotRecognised) as found:
            read(data, "x")
        assert sentence in str(found.value)
        assert found.value.hint


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{\n "a": 1\n "b": 2\n}', "line 3 column 2"),
        ('{"reg_modifiers": [{"addr": "0x1" "bitmap": "0b1"}]}', "line 1 column 35"),
        ('{"a": 1', "line 1 column 8"),
        ("[1,\n2,,]", "line 2 column 3"),
    ],
)
def test_broken_json_says_where_with_a_host_and_without(text, place, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(text)
    for read in (lambda: read_request(text.encode(), "x"), lambda: load(str(path))):
        with pytest.raises(InputError) as found:
            read()
        assert place in str(found.value)


@pytest.mark.parametrize(
    "text",
    [
        "<domain type='kvm'><features><gic version='2'/></features><cpu mode='host-passthrough'/></domain>",
        "-cpu host,pmu=off -M virt,gic-version=2",
        "qemu-system-aarch64 -machine type=virt,gic-version=2 -cpu host,pmu=off -accel kvm",
    ],
)
def test_a_guest_beside_a_gicv2_shows_no_gicv3(text):
    there = host("graviton3-6.1")
    for version, expected in (("2", 0), ("host", None)):
        request = read_request(
            text.replace("version='2'", f"version='{version}'").replace("n=2", f"n={version}").encode(), "x"
        )
        assert request is not None
        before = passthrough(there, load_catalogue(), shape=there.shapes[0])
        shown = request.onto(before).id_registers["ID_AA64PFR0_EL1"] >> 24 & 0xF
        assert shown == (before.id_registers["ID_AA64PFR0_EL1"] >> 24 & 0xF if expected is None else expected)
