"""--implementation and --also-target as a person types them, and what baseline, show and check say about the paint."""

import json

import pytest

from armlevel.documents import pretty
from armlevel.documents.write import guest_object, host_object
from armlevel.errors import UsageError
from armlevel.operations.implementations import implementation_named, target
from armlevel.profile import Implementation
from tests.cli.hosts import Command, write
from tests.cli.hosts import host as plain
from tests.engine.kit import V1
from tests.engine.risks.test_risks import DIC, IDC, N1_G2, V1_G3, guest_of, painted

BOTH = {DIC: 1, IDC: 1, "ID_AA64PFR0_EL1.CSV2": 3}
HOSTS = [painted("g2", N1_G2, BOTH), painted("g3", V1_G3, BOTH)]


@pytest.fixture
def files(tmp_path):
    for host in HOSTS:
        (tmp_path / f"{host.name}.json").write_bytes(pretty(host_object(host)).encode())
    return [str(tmp_path / f"{host.name}.json") for host in HOSTS]


@pytest.mark.parametrize(
    ("text", "implementation"),
    [
        ("", None),
        ("lowest", None),
        ("g2", N1_G2),
        ("MIDR=0x413fd0c1,REVIDR=0xff", N1_G2),
        ("midr_el1=1092604929", V1_G3),
        ("MIDR=0x411fd401, AIDR=7", Implementation(0x411FD401, None, 7)),
    ],
)
def test_an_implementation_is_a_host_or_three_registers(text, implementation):
    assert implementation_named(text, HOSTS) == implementation


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("g9", "no host of these"),
        ("MIDR=", "no number"),
        ("REVIDR=1", "MIDR is missing"),
        ("MPIDR=1", "no register of the implementation"),
        ("MIDR=0x1413fd0c1", "32 bits"),
    ],
)
def test_a_wrong_implementation_is_refused_in_a_sentence(text, fault):
    with pytest.raises(UsageError, match=fault):
        implementation_named(text, HOSTS)


@pytest.mark.parametrize(
    ("text", "fault"), [("1:2:3:4", "more than"), ("n1", "no number"), ("1:-1", "64 bits")]
)
def test_a_wrong_target_is_refused_in_a_sentence(text, fault):
    with pytest.raises(UsageError, match=fault):
        target(text)


def test_a_baseline_tells_which_errata_its_implementation_hides_and_what_helps(armlevel: Command, files):
    said = armlevel("baseline", *files)
    text = " ".join(said.out.split())
    assert said.code == 0
    assert "on Arm Neoverse V1 r1p1 does not look for 1542419 of g2. What helps: --implementation g2" in text
    said = armlevel("baseline", *files, "--implementation", "g2")
    assert "does not look for" not in said.out
    assert "shown as  Arm Neoverse N1 r3p1" in said.out


def test_a_chosen_implementation_and_the_cores_to_come_are_in_the_profile_and_in_its_source(
    armlevel: Command, files
):
    said = armlevel(
        "baseline", *files, "--implementation", "g2", "--also-target", "0x410fd4f1:0x17", "--json"
    )
    assert "413fd0c1" in json.dumps(said.json["guest"]["implementation"])
    assert "--implementation MIDR=0x413fd0c1,REVIDR=0xff,AIDR=0x0" in said.json["guest"]["made"]["source"]
    assert "--also-target 0x410fd4f1:0x17" in said.json["guest"]["made"]["source"]
    assert "410fd4f1" in json.dumps(said.json["guest"]["implementation"])


def test_an_implementation_that_a_host_cannot_show_is_a_no_that_names_the_option(armlevel: Command):
    said = armlevel("baseline", "@graviton2-6.1", "--implementation", f"MIDR={V1.midr:#x}")
    assert said.code == 1
    assert "--implementation" in said.out


def test_a_profile_and_a_check_tell_of_the_errata_too(armlevel: Command, files, tmp_path):
    guest = guest_of(HOSTS)
    path = tmp_path / "guest.json"
    path.write_bytes(pretty(guest_object(guest)).encode())
    assert "1542419 of Arm Neoverse N1 r3p1" in " ".join(armlevel("show", str(path)).out.split())
    text = " ".join(armlevel("check", str(path), files[0]).out.split())
    assert "1542419 of the host. What helps: --implementation MIDR=0x413fd0c1" in text


def test_what_has_no_implementer_is_shown_to_no_guest_of_others(armlevel: Command, tmp_path):
    nobody = painted("nobody", Implementation(0x000F0510, 0, 0), BOTH)
    paths = []
    for host in (*HOSTS, nobody):
        (tmp_path / f"{host.name}.json").write_bytes(pretty(host_object(host)).encode())
        paths.append(str(tmp_path / f"{host.name}.json"))
    said = armlevel("baseline", *paths, "--json").json
    assert said["guest"]["implementation"]["midr"] == f"{min(N1_G2, V1_G3).midr:#018x}"
    alone = armlevel("baseline", paths[-1], "--json").json
    assert alone["guest"]["implementation"]["midr"] == "0x00000000000f0510"


def test_a_guest_that_one_of_several_hosts_may_start_is_said(armlevel: Command, tmp_path):
    level = "KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1"
    paths = write(
        tmp_path, *(plain(name, firmware={level: value}) for name, value in (("good", 1), ("weak", 0)))
    )
    said = armlevel("baseline", *paths)
    assert "of 2 hosts only weak may start this guest" in " ".join(said.err.split())
    assert "may start this guest" not in armlevel("baseline", paths[0]).err
