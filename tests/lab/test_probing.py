"""The probe in emulated hosts: twice the same, killed at any point, in one file, and where it cannot."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

import make_probe
from armlevel.documents import pretty, read_host, verify_digest
from armlevel.lab import Job, pack_collector, parse_host
from armlevel.lab.lines import LINES
from tests.emulated import fetched
from tests.preload.once import once

HOST, SMALL, TWO = "neoverse-n2@7.x", "cortex-a53@6.12", "cortex-a72@6.12,smp=2"
INSIDE = {f"inside/{path}": data for path, data in pack_collector().items()}
LARGEST = 40 * 1024


@pytest.fixture(scope="module")
def lab(laboratory):
    with fetched():
        for name in (HOST, SMALL, TWO):
            laboratory.prepare(parse_host(name))
    return laboratory


TWICE = """
python3 -I inside -o "$OUT/one.json" -n a && python3 -I inside -n a > "$OUT/two.json"
python3 armlevel-probe.pyz -o "$OUT/three.json" -n a --time
"""


@pytest.fixture(scope="module")
def profiles(lab, tmp_path_factory, worker_id):
    """What the probes left, by name; ``said`` is what they said."""

    def probed() -> dict[str, bytes]:
        archive = tmp_path_factory.mktemp("probe") / "armlevel-probe.pyz"
        make_probe.build(archive)
        job = Job(TWICE, {**INSIDE, archive.name: archive.read_bytes()})
        result = lab.run(parse_host(HOST), job)
        assert result.status == 0, result.stderr
        return {**result.files, "said": result.stderr.encode()}

    return once(tmp_path_factory.getbasetemp(), worker_id, "probing", probed)


def test_two_probes_of_one_host_give_the_same_bytes_apart_from_when(profiles):
    texts = [profiles[f"{name}.json"] for name in ("one", "two", "three")]
    documents = [json.loads(text) for text in texts]
    assert {document["digest"] for document in documents} == {verify_digest(texts[0], "one")}
    timeless = {pretty(document | {"made": {}}) for document in documents}
    assert len(timeless) == 1


def test_all_shapes_of_a_host_are_no_larger_than_forty_kibibytes(profiles):
    assert len(profiles["one.json"]) <= LARGEST
    assert len(read_host(profiles["one.json"], "one").shapes) >= 16


def test_the_one_file_probe_says_what_it_cost(profiles):
    (said,) = profiles["said"].decode().splitlines()
    assert "shapes in" in said
    assert "of which trying" in said


@pytest.mark.parametrize("kills", [4, pytest.param(24, marks=pytest.mark.slow)])
def test_a_probe_killed_at_any_point_leaves_no_vm_and_no_half_file(lab, kills: int):
    program = Path(__file__).with_name("kills.py").read_bytes()
    job = Job(f"python3 -I kills.py 20261123 {kills}", {**INSIDE, "kills.py": program})
    result = lab.run(parse_host(TWO), job)
    assert result.status == 0, result.stderr
    found = json.loads(result.files["kills.json"])
    # The other VM, which was there all the time, is the only one and is what it was.
    assert found["alive"]
    for how, status, absent, text, beside, vms in found["kills"]:
        assert vms == 1, how
        assert text in ((None, "whole") if absent else ("old\n", "whole"))
        assert -status in (signal.SIGKILL, signal.SIGTERM)
        # At most the one second name of a file that was there, and the next write takes that away.
        assert beside == [] or (not absent and beside == [".armlevel-host.json"])
    assert found["left"] == ["host.json"]
    assert {how for how, *_ in found["kills"]} == {"SIGKILL", "SIGTERM"}
    assert len(found["kills"]) == kills + 1
    assert found["kills"][-1][3:5] == ["old\n", [".armlevel-host.json"]]


LOGGED = """
dmesg > "$OUT/before"
python3 -I inside -o "$OUT/host.json" -n a
dmesg > "$OUT/after"
"""


# The oldest and the newest at each change, those between with `make slow`.
OUTER = (LINES[0].name, LINES[-1].name)


@pytest.mark.parametrize(
    "line",
    [row.name if row.name in OUTER else pytest.param(row.name, marks=pytest.mark.slow) for row in LINES],
)
def test_a_probe_says_what_stands_around_the_vcpu_and_leaves_the_kernels_log_alone(laboratory, line: str):
    host = parse_host(f"cortex-a53@{line}")
    with fetched():
        laboratory.prepare(host)
    result = laboratory.run(host, Job(LOGGED, INSIDE))
    assert result.status == 0, result.stderr
    assert result.files["before"]
    assert result.files["after"] == result.files["before"]
    machine = read_host(result.files["host.json"], "a").machine
    assert machine is not None
    # The emulator's GICv3 has no GICV, so there is no vGICv2; SEIS and A3V are the hardware's.
    assert machine.gic == {"v2": "ENODEV", "v3": "yes", "its": "yes", "v5": "ENODEV"}
    assert machine.icc_ctlr is not None
    for name, tried in machine.icc_ctlr.items():
        below = range(tried.shown + 1) if name in ("PRIbits", "IDbits") else (tried.shown,)
        assert tried.taken == set(below), name
        assert tried.refused == set(range(8 if name in ("PRIbits", "IDbits") else 2)) - tried.taken
    assert machine.gicd_iidr is not None
    assert machine.gicd_iidr.shown == 3
    # 6.17 and 6.18 take any revision and keep their own: that is neither taken nor refused.
    keeps = line in ("6.17", "6.18")
    assert machine.gicd_iidr.taken == ({3} if keeps else {2, 3})
    assert machine.gicd_iidr.takes(1) is (None if keeps else False)
    assert (machine.ipa_bits, machine.ipa_min, machine.ipa_fixed) == (40, 32, False)
    assert machine.unknown == ()


CANNOT = """
say() { python3 -I inside -o "$OUT/never.json" -n a 2>> "$OUT/said"; echo "exit $?" >> "$OUT/said"; }
chmod 755 /job /result; chmod 777 "$OUT"; touch "$OUT/said"; chmod 666 "$OUT/said"
python3 -I -c 'import os; os.setuid(65534); os.execvp("sh", ["sh", "-c", "python3 -I inside -n a"])' 2>> "$OUT/said"
echo "exit $?" >> "$OUT/said"
mv /dev/kvm /dev/kvm-away; say
mknod /dev/kvm c 1 3; say
mv /dev/kvm-away /dev/kvm; python3 -I inside -o /no/where/host.json -n a 2>> "$OUT/said"; echo "exit $?" >> "$OUT/said"
"""


def test_where_it_cannot_probe_it_says_so_in_a_sentence(lab):
    result = lab.run(parse_host(SMALL), Job(CANNOT, INSIDE))
    said = result.files["said"].decode().splitlines()
    assert [line for line in said if line.startswith("exit")] == ["exit 2"] * 4
    permission, absent, other, nowhere = (line for line in said if not line.startswith("exit"))
    assert permission.startswith("armlevel-probe: no permission to open /dev/kvm; ")
    assert absent.startswith("armlevel-probe: there is no /dev/kvm; ")
    assert other == "armlevel-probe: /dev/kvm is not KVM: it does not know its calls"
    assert nowhere.startswith("armlevel-probe: /no/where/host.json: cannot be written")
    assert "never.json" not in result.files
