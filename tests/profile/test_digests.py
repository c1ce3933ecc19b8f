"""Two hosts are the same where their content is, whichever objects hold it, and everywhere the same ones."""

from __future__ import annotations

import ast
import pickle
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.arch import load
from armlevel.documents import load_hosts, new_pool, read_host
from armlevel.engine import groups_of, level
from armlevel.engine.compare.drift import drift
from armlevel.engine.moves.moves import judged_move
from armlevel.engine.passthrough import passthrough
from armlevel.engine.planning.host_kinds import kinds_among
from armlevel.engine.planning.matrix import Cell, matrix
from armlevel.engine.planning.plan import plan
from armlevel.machines import folder, names
from armlevel.profile import (
    Accepts,
    Cpu,
    Facts,
    Host,
    HostMachine,
    Implementation,
    Made,
    Offer,
    Shape,
    Software,
    TriedField,
    kind_digest,
    view_digest,
)
from tests.repository.frame import SOURCE

CATALOGUE = load()
OFFER = Offer(
    Shape(frozenset({"sve", "pmu_v3"})),
    "tried",
    "limit-only",
    {"CTR_EL0": 0x84448004, "CLIDR_EL1": 0xA200023},
    {"CTR_EL0.IDC": Accepts.of([0, 1], changed={2: 0}, unsure=[3]), "CTR_EL0.DIC": Accepts.of(None)},
    (0x603000000013C000,),
    {"KVM_REG_ARM_PSCI_VERSION": 0x10003},
    {"ACTLR_EL1": 1},
    (128, 256),
    {"counters": 6},
    None,
    (),
    {"CTR_EL0": 0x84448000},
    {"ID_AA64PFR1_EL1.SSBS=0": {"CTR_EL0.IDC": 0, "CTR_EL0.DIC": None}},
)
HOST = Host(
    "a",
    (OFFER, Offer(Shape(), like=0)),
    (Cpu(Implementation(0x411FD401, 1, 0), 32), Cpu(Implementation(0x410FD4F1, 0, 0), 32)),
    Facts(1_000_000_000, 4, 0, 4096, {"dczid": "read at boot"}),
    Software("6.18.30", {"KVM_CAP_ARM_MTE": 1, "KVM_CAP_ARM_SVE": 1}, {"qemu": "10.0"}, "AMI 1", ("arm64.nosve",)),
    Made("armlevel", "1", "today", "/dev/kvm"),
)  # fmt: skip

# One other value for each field of an offer; a field without an entry here fails the test below.
OTHER_OFFER: dict[str, Any] = {
    "shape": Shape(frozenset({"sve", "pmu_v3"}), imp_id_writable=True),
    "how": "masks",
    "default": "unknown",
    "limits": {**OFFER.limits, "CTR_EL0": 0},
    "accepts": {**OFFER.accepts, "CTR_EL0.IDC": Accepts.of([0, 1], changed={2: 1}, unsure=[3])},
    "register_list": None,
    "firmware": {},
    "state": {"ACTLR_EL1": 2},
    "sve_vls": None,
    "pmu": {"counters": 4},
    "like": 0,
    "register_list_without": (0x603000000013C000,),
    "changed_by_kvm": {},
    "side_effects": {"ID_AA64PFR1_EL1.SSBS=0": {"CTR_EL0.IDC": 0, "CTR_EL0.DIC": 0}},
}
SAME_KIND: dict[str, Any] = {
    "name": "b",
    "made": Made("another", "2", "tomorrow", "elsewhere"),
}
OTHER_KIND: dict[str, Any] = {
    "offers": HOST.offers[:1],
    "cpus": HOST.cpus[:1],
    "facts": replace(HOST.facts, cntfrq_hz=None),
    "software": replace(HOST.software, kernel="6.18.31"),
    "hwcaps": ("fp", "asimd"),
    "other_cpus": HOST.cpus[:1],
    "machine": HostMachine(ipa_bits=48),
    "accelerator": "tcg",
}
# One other value for each field of a machine; a field without an entry here fails the test below.
OTHER_MACHINE: dict[str, Any] = {
    "gic": {"v2": "ENODEV"},
    "icc_ctlr": {"SEIS": TriedField(0, frozenset({0}), frozenset({1}))},
    "ich_vtr": 1,
    "gicd_iidr": TriedField(3, frozenset({2, 3})),
    "gicd_typer2": 0,
    "ipa_bits": 48,
    "ipa_min": 32,
    "ipa_fixed": False,
    "mode": "vhe",
    "counter_offset": False,
    "steal_time": False,
    "ptp": False,
    "unknown": (),
}


def apart(offer: Offer) -> Offer:
    """The same offer, whose maps are other objects in another order."""
    maps: dict[str, Any] = {
        name: dict(reversed(getattr(offer, name).items()))
        for name in ("limits", "accepts", "firmware", "state")
    }
    return replace(offer, **maps)


@cache
def recorded_apart() -> tuple[Host, ...]:
    """Recorded hosts twice, the second time under other names, each read by itself."""
    with folder() as place:
        files = [(name, (place / f"{name}.json").read_bytes()) for name in names()[::2]]
    hosts = [read_host(data, name, new_pool()) for name, data in files]
    again = [read_host(data, name, new_pool()) for name, data in files]
    return (*hosts, *(replace(host, name=f"{host.name} again", made=Made("by hand")) for host in again))


@cache
def recorded_together() -> tuple[Host, ...]:
    """The same, read in one call."""
    with folder() as place:
        hosts = load_hosts([str(place / f"{name}.json") for name in (*names()[::2], *names()[::2])])
    half = len(hosts) // 2
    return (*hosts[:half], *(replace(host, name=f"{host.name[:-2]} again") for host in hosts[half:]))


def test_every_part_of_an_offer_is_part_of_the_view():
    assert set(OTHER_OFFER) == set(Offer.__dataclass_fields__)
    views = [
        view_digest(Host("a", (replace(OFFER, **{part: other}),))) for part, other in OTHER_OFFER.items()
    ]
    assert len({*views, view_digest(Host("a", (OFFER,)))}) == len(OTHER_OFFER) + 1


def test_name_and_made_are_no_part_of_a_kind_and_all_else_of_a_host_is():
    assert set(SAME_KIND) | set(OTHER_KIND) == set(Host.__dataclass_fields__)
    for part, other in SAME_KIND.items():
        assert kind_digest(replace(HOST, **{part: other})) == kind_digest(HOST), part
    for part, other in OTHER_KIND.items():
        assert kind_digest(replace(HOST, **{part: other})) != kind_digest(HOST), part


def test_what_only_shows_a_level_or_says_where_a_fact_is_from_is_no_part_of_a_kind():
    evidence = replace(
        HOST.software, vmms={}, firmware="", boot_options=(), vulnerabilities={"x": "Vulnerable"}
    )
    counted = tuple(replace(cpu, count=0) for cpu in reversed(HOST.cpus))
    other = replace(HOST, software=evidence, cpus=counted, facts=replace(HOST.facts, sources={}))
    assert kind_digest(other) == kind_digest(HOST)


@pytest.mark.parametrize("fact", ["cntfrq_hz", "dczid", "gmid", "page_size"])
def test_each_fact_that_kvm_cannot_change_is_part_of_a_kind(fact: str):
    unknown: dict[str, Any] = {fact: None}
    assert kind_digest(replace(HOST, facts=replace(HOST.facts, **unknown))) != kind_digest(HOST)


def test_every_part_of_a_machine_is_part_of_a_kind_and_not_recorded_is_not_no():
    assert set(OTHER_MACHINE) == set(HostMachine.__dataclass_fields__)
    machines = [HostMachine(), *(HostMachine(**{part: other}) for part, other in OTHER_MACHINE.items())]
    kinds = {kind_digest(HOST), *(kind_digest(replace(HOST, machine=one)) for one in machines)}
    assert len(kinds) == len(OTHER_MACHINE) + 2
    slower = tuple(replace(cpu, cntfrq_hz=25_000_000) for cpu in HOST.cpus)
    assert kind_digest(replace(HOST, cpus=slower)) not in kinds


def test_the_digests_of_a_value_never_change():
    # They are keys of what is kept: another digest for the same value needs another version in its name.
    assert view_digest(HOST) == "sha256:b6202c3762f9b97cc17632b45590596aaa508a990b0d1d14ea0788115621b48a"
    assert kind_digest(HOST) == "sha256:bb2c70c36f2c75eca4bda5ed4e12dfc0da224f1ef502e18e2b7e1c75020b4fe3"


small = st.integers(0, 3)
registers = st.dictionaries(st.sampled_from(["CTR_EL0", "CLIDR_EL1", "MIDR_EL1"]), small)
answers = st.builds(
    lambda values, changed, unsure, others: Accepts.of(values, changed=changed, unsure=unsure, others=others),
    st.none() | st.sets(small),
    st.dictionaries(small, small),
    st.sets(small),
    st.sampled_from(["refused", "unknown", "ignored"]),
)
offers = st.builds(
    Offer,
    st.builds(Shape, st.frozensets(st.sampled_from(["sve", "mte"])), st.booleans()),
    limits=registers,
    accepts=st.dictionaries(st.sampled_from(["CTR_EL0.IDC", "CTR_EL0.DIC"]), answers, max_size=1),
    register_list=st.none() | st.just(()) | st.just((1,)),
    state=registers,
    sve_vls=st.none() | st.just(()) | st.just((128,)),
    like=st.none() | st.just(0),
)


@given(offers, offers)
def test_offers_are_equal_exactly_if_their_digests_are(one: Offer, two: Offer):
    assert (one == two) == (view_digest(Host("", (one,))) == view_digest(Host("", (two,))))
    if one == two:
        assert hash(one) == hash(two)
    assert view_digest(Host("", (apart(one),))) == view_digest(Host("", (one,)))


def test_a_kept_digest_stays_with_its_value():
    offer = apart(OFFER)
    before = view_digest(Host("a", (offer,)))
    assert view_digest(Host("a", (replace(offer, state={}),))) != before
    assert pickle.loads(pickle.dumps(offer)) == offer == OFFER  # noqa: S301 - written a word before
    assert "digest" not in repr(offer)


def test_hosts_of_equal_documents_are_one_kind_in_every_question():
    hosts = recorded_apart()
    half = len(hosts) // 2
    kinds = kinds_among(hosts)
    assert [kind.names for kind in kinds] == [(host.name, f"{host.name} again") for host in hosts[:half]]
    assert kinds_among(recorded_together()) == kinds
    planned = plan(hosts, CATALOGUE)
    assert {kind.names for pool in planned.pools for kind in pool.kinds} == {kind.names for kind in kinds}
    for group in groups_of(hosts, CATALOGUE).groups:
        assert {kind.names for kind in kinds if {*kind.names} & {*group.hosts}} == {
            kind.names for kind in kinds if {*kind.names} <= {*group.hosts}
        }
    for one, two in zip(hosts[:half], hosts[half:], strict=True):
        same = drift(two, passthrough(one, CATALOGUE), CATALOGUE, one)
        assert same.changes == ()


def test_questions_about_hosts_read_one_by_one_and_in_one_call_have_one_answer():
    apart_, together = recorded_apart(), recorded_together()
    assert matrix(apart_, CATALOGUE) == matrix(together, CATALOGUE)
    assert plan(apart_, CATALOGUE) == plan(together, CATALOGUE)
    assert groups_of(apart_, CATALOGUE) == groups_of(together, CATALOGUE)
    assert level(apart_, CATALOGUE) == level(together, CATALOGUE)


def test_a_matrix_asks_once_for_hosts_of_one_kind(monkeypatch: pytest.MonkeyPatch):
    hosts = recorded_apart()
    asked: list[str] = []
    judged: list[tuple[str, str]] = []

    def compiled(host: Host, *rest: Any, **more: Any) -> Any:
        asked.append(host.name)
        return passthrough(host, *rest, **more)

    def judge(source: Host, target: Host, *rest: Any) -> Any:
        judged.append((source.name, target.name))
        return judged_move(source, target, *rest)

    some = [hosts[0], hosts[1], hosts[5], hosts[6]]
    monkeypatch.setattr("armlevel.engine.screen.moves.passthrough", compiled)
    monkeypatch.setattr("armlevel.engine.planning.matrix.judged_move", judge)
    cells: tuple[Cell, ...] = matrix(some, CATALOGUE)
    assert len(cells) == 12
    # Under each VMM and choice of switches one host of each of the two kinds; and no reason before it is read.
    assert set(asked) == {some[0].name, some[1].name}
    assert judged == []
    every = [cell.findings for cell in cells]
    # Two kinds: each to the other, and each to another host of its own.
    assert len(judged) == len(set(judged)) == 4
    assert any(every)


def test_no_room_of_the_engine_keys_anything_by_which_object_it_is():
    files = list(Path(SOURCE, "armlevel/engine").rglob("*.py"))
    assert len(files) > 40
    found = [
        f"{file.name}:{node.lineno}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for name in (node.func, *node.args)
        if isinstance(name, ast.Name) and name.id == "id"
    ]
    assert found == []
