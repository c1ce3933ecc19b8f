"""No answer in JSON carries a remedy beside a finding that nobody tried, wherever a schema has room for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import write_schemas
from armlevel.documents import host_object, pretty
from armlevel.engine import Finding, Remedy, check, passthrough
from armlevel.engine.findings import Late
from armlevel.engine.names import Name, hosts_of
from armlevel.fleet.values import PoolPolicy
from armlevel.operations.answers import Result
from armlevel.operations.baseline import baseline
from armlevel.operations.check import check as check_hosts
from armlevel.operations.drift import drift
from armlevel.operations.explain import explain
from armlevel.operations.fleet_accept import fleet_accept
from armlevel.operations.fleet_add import fleet_add
from armlevel.operations.fleet_check import fleet_check
from armlevel.operations.fleet_evacuate import fleet_evacuate
from armlevel.operations.fleet_init import fleet_init
from armlevel.operations.fleet_level import fleet_level
from armlevel.operations.fleet_pools import fleet_pool_create, fleet_pool_edit
from armlevel.operations.fleet_rollout import fleet_rollout
from armlevel.operations.guests import guests
from armlevel.operations.migrate import migrate
from armlevel.operations.run import RunResult
from armlevel.operations.show import show
from armlevel.probe.running import Running, RunningVm
from tests.laws.test_remedies import CATALOGUE, host_of

T = TypeVar("T")
SCHEMAS = write_schemas.every_schema()
OLD, NEW = host_of("neoverse-n1@6.12"), host_of("neoverse-n1@7.x")
UNTRIED = (Remedy("without", (Name("FEAT_SVE"),)), Remedy("tolerate", (Name("cache-geometry"),)))


def planted(value: T) -> T:
    """Return a value in which each finding, however deep, carries remedies that nobody tried, and one that informs."""
    if isinstance(value, tuple):
        return type(value)(map(planted, value))
    if isinstance(value, Mapping):
        return type(value)({key: planted(one) for key, one in value.items()})  # type: ignore[call-arg]
    if isinstance(value, Finding):
        ways = (*UNTRIED, Remedy("probe", hosts=hosts_of([OLD.name])))
        return replace(value, remedies=ways)
    if is_dataclass(value) and not isinstance(value, type):
        held = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
        now = {name: tuple(one) if isinstance(one, Late) else one for name, one in held.items()}
        changed = {
            name: planted(one) for name, one in now.items() if isinstance(one, (tuple, dict)) or _holds(one)
        }
        return replace(value, **changed)
    return value


def _holds(value: object) -> bool:
    return type(value).__module__.startswith(("armlevel.engine", "armlevel.operations"))


def findings_in(document: Any) -> Iterator[dict[str, Any]]:
    """Give what the schemas call a finding, wherever it stands."""
    if isinstance(document, dict):
        if {"subject", "severity", "remedies"} <= document.keys():
            yield document
        for one in document.values():
            yield from findings_in(one)
    elif isinstance(document, list):
        for one in document:
            yield from findings_in(one)


def of_a_fleet(place: Path) -> list[Result]:
    """A pool of one host, and what is said of it with another beside that has no CPU in common with it."""
    store, files = str(place / "fleet.db"), []
    for number, name in enumerate(("neoverse-n2@7.x", "neoverse-n2@6.12")):
        files.append(place / f"{number}.json")
        files[-1].write_text(pretty(host_object(host_of(name))), encoding="ascii")
    fleet_init(store)
    fleet_add(list(map(str, files)), store)
    fleet_pool_create("web", PoolPolicy(hosts=("neoverse-n2@7.x",)), store)
    assert fleet_accept("web", store, reason="first").moved
    checked = fleet_check("web", store, add=["neoverse-n2@6.12"])
    fleet_pool_edit("web", PoolPolicy(hosts=("*",)), store, reason="more")
    fleet_pool_create("both", PoolPolicy(hosts=("*",)), store)
    return [
        checked,
        fleet_level("web", store),
        fleet_accept("both", store, reason="refused"),
        fleet_evacuate(["neoverse-n2@7.x"], store),
        fleet_rollout("web", ["neoverse-n2@6.12"], store),
    ]


def of_guests() -> Result:
    words = ("qemu-system-aarch64", "-accel", "kvm", "-M", "virt-10.0,gic-version=3", "-cpu", "host")
    vm = RunningVm(pid=4, fd=9, program="/q/qemu-system-aarch64", words=words, levelled=False, apart=False)
    return guests(Running(vms=(vm,), kernel=NEW.software.kernel), NEW, [OLD])


def results(place: Path) -> list[Result]:
    guest = passthrough(NEW, CATALOGUE)
    verdict = check(guest, OLD, CATALOGUE)
    here = RunResult(answer="refused", side="arrive", findings=tuple(verdict.findings))
    return [
        baseline([host_of(name) for name in ("neoverse-n2@7.x", "neoverse-n2@6.12")]),
        check_hosts(guest, [OLD, NEW]),
        migrate([OLD, NEW]),
        drift([OLD], guest),
        explain("MIDR_EL1", [NEW, OLD]),
        here,
        show([verdict]),
        of_guests(),
        *of_a_fleet(place),
    ]


def test_no_answer_carries_a_remedy_beside_a_finding_that_nobody_tried(tell, tmp_path: Path):
    met: dict[str, int] = {}
    for result in results(tmp_path):
        found = list(findings_in(planted(result).document()))
        assert found, result.kind
        for one in found:
            assert [way["kind"] for way in one["remedies"]] == ["probe"], (result.kind, one["subject"])
        met[result.kind] = met.get(result.kind, 0) + len(found)
    room = {kind for kind, schema in SCHEMAS.items() if "FindingModel" in schema.get("$defs", {})}
    assert set(met) == room - {"verdict/1"}  # that one is a document, which these answers hold
    tell(f"remedies: {sum(met.values())} findings of {len(met)} kinds of answer hold none that nobody tried")
