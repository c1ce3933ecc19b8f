"""Every row about tolerances, VMMs and registers that may be left behind matters: without it some answer changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from armlevel.arch import Catalogue, mentioned
from armlevel.arch.table import TABLE
from armlevel.engine import Policy, check, level, passthrough, predict
from armlevel.engine.moves.vmm_restore import restorer_named
from armlevel.engine.reasons import from_row
from armlevel.kvm import id_of, name_of
from armlevel.profile import Accepts, Host
from tests.engine.kit import CATALOGUE, offer, plain
from tests.engine.kit import host as host_of
from tests.fidelity.hosts import read

RECORDED = {one.name: one for one in read()}
N2 = {line: RECORDED[f"neoverse-n2@{line}"] for line in ("6.1", "6.12", "6.18", "7.x")}


def without(section: str, key: str, nth: int = 0) -> Catalogue:
    """The catalogue less one row: of those whose first value is ``key``, the ``nth``."""
    rows = list(TABLE[section])
    index = [i for i, row in enumerate(rows) if row[0] == key or key in row][nth]
    return Catalogue({**TABLE, section: tuple(row for i, row in enumerate(rows) if i != index)})


def changed(question: Callable[[Catalogue], Any], less: Catalogue) -> bool:
    return bool(question(CATALOGUE) != question(less))


def registers(name: str) -> Iterable[int]:
    return [one for row in CATALOGUE.drops if row.register == name for one in row.kvm_ids]


# ---- tolerances


@pytest.mark.parametrize("name", CATALOGUE.tolerances)
def test_without_a_class_its_fields_stop_the_baseline(name):
    field = CATALOGUE.tolerances[name].fields[-1]
    hosts = [plain(at, {field: value, "ID_AA64PFR0_EL1.EL0": 2}) for at, value in (("a", 0), ("b", 1))]

    def asks(catalogue: Catalogue) -> str:
        return level(hosts, catalogue, Policy(tolerate=(name,))).answer

    assert changed(asks, without("tolerances", name))


# ---- VMM behaviour


def outcomes(source: Host, target: Host, vmm: str) -> Callable[[Catalogue], Any]:
    def asks(catalogue: Catalogue) -> Any:
        found = predict(source, target, catalogue, vmm=vmm)
        return found.outcome, found.alive, found.blocking, found.messages

    return asks


@pytest.mark.parametrize("name", ["TCR2_EL1", "PIRE0_EL1", "PIR_EL1", "KVM_REG_ARM_VENDOR_HYP_BMAP_2"])
def test_without_a_register_that_is_forgiven_the_migration_fails(name):
    ends = (N2["7.x"], N2["6.1"]) if name.endswith("BMAP_2") else (N2["6.12"], N2["7.x"])
    assert {row.register for row in CATALOGUE.lets} == {
        "TCR2_EL1",
        "PIRE0_EL1",
        "PIR_EL1",
        "KVM_REG_ARM_VENDOR_HYP_BMAP_2",
    }
    asks = outcomes(*ends, "qemu-tolerant")
    assert changed(asks, without("lets", name))
    assert name in asks(without("lets", name))[2]


def test_a_register_forgiven_for_a_value_is_not_forgiven_with_another():
    def told(value: int):
        one = N2["7.x"]
        offers = tuple(
            replace(each, firmware={**each.firmware, "KVM_REG_ARM_VENDOR_HYP_BMAP_2": value})
            if each.like is None
            else each
            for each in one.offers
        )
        return predict(replace(one, offers=offers), N2["6.12"], CATALOGUE, vmm="qemu-tolerant").blocking

    assert "KVM_REG_ARM_VENDOR_HYP_BMAP_2" not in told(0)
    assert "KVM_REG_ARM_VENDOR_HYP_BMAP_2" in told(3)


def test_a_register_that_the_source_alone_may_have_is_told_where_the_destination_alone_has_it():
    says = predict(N2["6.12"], N2["7.x"], CATALOGUE, vmm="qemu-tolerant").messages
    assert any("fw feat reg 3 expected by the destination" in text for text in says)
    back = predict(N2["7.x"], N2["6.12"], CATALOGUE, vmm="qemu-tolerant").messages
    assert not any("crn:2 crm:0 op2:3" in text for text in back)  # TCR2_EL1, forgiven at either end


def tagging(name: str, *, steals: bool = True) -> Host:
    one = plain(name, {"ID_AA64PFR0_EL1.SVE": 0})
    return replace(one, software=replace(one.software, kvm_capabilities={"STEAL_TIME": int(steals), "X": 1}))


@pytest.mark.parametrize("key", ["mte", "STEAL_TIME"])
def test_without_a_row_of_what_blocks_the_guest_would_move(key):
    from tests.engine.kit import shape

    if key == "mte":
        tagged = offer(of=shape("mte"))
        one, other = (replace(tagging(name), offers=(tagged,)) for name in "ab")
    else:
        one, other = tagging("a"), tagging("b", steals=False)
    for vmm in ("qemu-list-length", "qemu-list-length-named", "qemu-tolerant"):
        asks = outcomes(one, other, vmm)
        assert asks(CATALOGUE)[0] == "fails"
        assert asks(without("blocks", key))[0] == "completes"
    assert outcomes(one, other, "kvm")(CATALOGUE)[0] == "completes"


@pytest.mark.parametrize("name", CATALOGUE.vmms)
def test_without_a_set_of_behaviour_a_vmm_is_another_or_unknown(name):
    family = CATALOGUE.vmms[name].family
    versions = {
        "qemu-list-length": "qemu-10.0",
        "qemu-list-length-named": "qemu-10.2",
        "qemu-tolerant": "qemu-11.1",
    }

    def asks(catalogue: Catalogue) -> Any:
        try:
            return [row.name for row in restorer_named(versions.get(name, family), catalogue).sets]
        except LookupError:
            return None
        except Exception as exc:  # noqa: BLE001 - an unknown VMM is the answer
            return type(exc).__name__

    assert changed(asks, without("vmms", name))


@pytest.mark.parametrize(
    ("name", "event"), [(row.name, event) for row in CATALOGUE.vmms.values() for event in row.messages]
)
def test_without_a_message_nothing_is_said(name, event):
    rows = tuple(
        (*row[:6], tuple(pair for pair in row[6] if pair[0] != event), *row[7:]) if row[0] == name else row
        for row in TABLE["vmms"]
    )
    less = Catalogue({**TABLE, "vmms": rows})
    ends = {
        "longer": (N2["7.x"], N2["6.1"]),
        "unlisted": (
            plain("a", lists=[id_of("FPMR")]),
            plain("b", lists=[id_of("POR_EL0"), id_of("POR_EL1")]),
        ),
        "missing": (N2["6.12"], N2["7.x"]),
        "refused": (N2["6.1"], N2["7.x"]),
        "machine": (N2["7.x"], N2["7.x"]),
    }[event]
    if event == "machine":
        versions = {"qemu-list-length": "10.0", "qemu-list-length-named": "10.2", "qemu-tolerant": "11.1"}
        vmm = f"qemu-9.2:qemu-{versions[name]}"
    else:
        vmm = name

    def says(catalogue: Catalogue) -> set[str]:
        return {text for one in predict(*ends, catalogue, vmm=vmm).findings for text in one.messages}

    assert says(less) < says(CATALOGUE)


# ---- registers that may be left behind, values that are not kept


@pytest.mark.parametrize("name", [row.register for row in CATALOGUE.drops])
def test_without_a_row_a_register_of_one_host_alone_stops_the_baseline(name):
    ids = list(registers(name))
    state = {name_of(one): 0 for one in ids}
    when = next(row.when for row in CATALOGUE.drops if row.register == name)
    clidr = {"CLIDR_EL1.Ctype1": 0} | ({} if isinstance(when, str) else dict.fromkeys(mentioned(when), 0))
    rich = plain(
        "rich", clidr, lists=ids, state=state, firmware={name: 0} if name.startswith("KVM_") else None
    )
    poor = plain("poor", clidr, firmware={} if name.startswith("KVM_") else None)
    if name.startswith("KVM_"):
        other = "KVM_REG_ARM_PSCI_VERSION"
        rich = host_of("rich", offer(clidr, firmware={name: 0, other: 0x10001}))
        poor = host_of("poor", offer(clidr, firmware={other: 0x10001}))

    def asks(catalogue: Catalogue) -> str:
        return level([rich, poor], catalogue).parts["list"]

    assert asks(CATALOGUE) == "runs"
    assert asks(without("drops", name)) == "refused"


@pytest.mark.parametrize("subject", [row.field for row in CATALOGUE.ignored])
def test_without_a_row_a_value_that_is_not_kept_breaks_the_guest(subject):
    row = next(one for one in CATALOGUE.ignored if one.field == subject)
    kept = 0 if row.keeps is None else row.keeps
    asked = next(value for value in (1, 2, 0) if value != kept)
    new = plain("new", {subject: kept}, takes={subject: Accepts.of([kept], changed={asked: kept})})
    guest = passthrough(plain("old", {subject: asked, "ID_AA64PFR0_EL1.EL0": 2}), CATALOGUE)
    told = [
        [
            (one.severity, one.because)
            for one in check(guest, new, catalogue).findings
            if one.subject.key == subject
        ]
        for catalogue in (CATALOGUE, without("ignored", subject))
    ]
    assert ("note", (from_row(row.why),)) in told[0]
    if CATALOGUE.fields[subject].who in ("el2", "el3"):
        assert ("note", ()) in told[1]  # nobody can use it, but nothing says why it went
    else:
        assert ("breaks", ()) in told[1]


def test_every_id_of_a_row_is_a_register_that_some_kernel_lists():
    listed = {one for host in RECORDED.values() for each in host.offers for one in each.register_list or ()}
    never = {row.register for row in CATALOGUE.drops if not listed & set(row.kvm_ids)}
    assert never <= {"POR_EL0", "POR_EL1", "SCTLR2_EL1", "FPMR"}  # features that no emulated CPU has
    assert id_of("PMMIR_EL1") in listed
