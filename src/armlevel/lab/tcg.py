"""What a TCG guest reads from its ID registers: QEMU's models without KVM, by the guest's own instructions.

The name of a CPU model means another CPU under TCG than a host of that name shows under KVM. A guest of a few
instructions reads each register by MRS and says it on its serial line; it runs inside an emulated host, where both
QEMUs of the lab are.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from armlevel.arch import load
from armlevel.errors import LabError
from armlevel.lab.hosts import MODELS, EmulatedHost
from armlevel.lab.jobs import Job
from armlevel.lab.laboratory import Laboratory
from armlevel.lab.tcg_guest import CACHES, Encoding, guest_code
from armlevel.profile import Facts, Host, Implementation, Made, Offer, Shape, Software
from armlevel.profile.host import Cpu

__all__ = ["TCG_MODELS", "read_lines", "tcg_host", "tcg_hosts"]

#: The models that can be asked for: those of the lab's emulated hosts.
TCG_MODELS = tuple(model.name for model in MODELS)
_WHERE = EmulatedHost(cpu="neoverse-n1", line="7.x", memory=1024)
_LONGEST = 300  # seconds for one guest of some hundred instructions, which an idle machine runs in one
_FACTS: Mapping[str, Encoding] = {
    "CNTFRQ_EL0": (3, 3, 14, 0, 0),
    "DCZID_EL0": (3, 3, 0, 0, 7),
    "GMID_EL1": (3, 1, 0, 0, 4),
}
_ADDRESS_AUTHENTICATION = ("ID_AA64ISAR1_EL1.APA", "ID_AA64ISAR1_EL1.API", "ID_AA64ISAR2_EL1.APA3")
_LINE = re.compile(r"^(\d{1,4})=([0-9a-f]{16}|U)$", re.MULTILINE)


def read_lines(said: str, count: int) -> dict[int, int | None]:
    r"""Return what a guest said: number -> value, None for a register whose reading is UNDEFINED.

    Raises:
        LabError: it did not come to its end.

    >>> read_lines("0000=0000000000000041\n0001=U\n", 2)
    {0: 65, 1: None}
    """
    found = {int(number): None if text == "U" else int(text, 16) for number, text in _LINE.findall(said)}
    if sorted(found) != list(range(count)):
        raise LabError(f"the guest said {len(found)} of its {count} registers")
    return found


def _asked() -> dict[str, Encoding]:
    rows = {name: row.encoding for name, row in load().registers.items() if not row.derived}
    return {**rows, **_FACTS}


def tcg_hosts(lab: Laboratory, models: Sequence[str], qemu: str) -> dict[str, Host]:
    """Return what a guest of each model reads under TCG of QEMU ``qemu``, as host profiles that no KVM is behind.

    Raises:
        LabError: a guest did not come to its end.

    """
    asked = _asked()
    program = f"/opt/qemu-{qemu}/qemu-system-aarch64"
    lines = [f"{program} --version | head -1 > $OUT/version"]
    for model in models:
        cpu = shlex.quote(model)
        lines.append(
            f"timeout {_LONGEST} {program} -M virt,gic-version=3 -accel tcg -cpu {cpu} -m 64M -nodefaults "
            f"-display none -serial file:$OUT/{model} -kernel /job/guest > $OUT/{model}.said 2>&1 || exit 1"
        )
    job = Job("\n".join(lines), {"guest": guest_code(list(asked.values()))})
    result = lab.run(_WHERE, job, extra=lab.vmm_images(_WHERE, qemu))
    texts = {name: data.decode(errors="replace") for name, data in result.files.items()}
    if result.status:
        why = [text.strip() for name, text in texts.items() if name.endswith(".said") and text.strip()]
        raise LabError(
            f"QEMU {qemu} did not run a TCG guest: {why[-1] if why else f'exit status {result.status}'}"
        )
    release = re.search(r"version (\d+\.\d+\.\d+)", texts.get("version", ""))
    version = release[1] if release else qemu
    found = {}
    for model in models:
        values = read_lines(texts.get(model, ""), len(asked) + CACHES)
        named = {name: values[number] for number, name in enumerate(asked)}
        caches = [values[len(asked) + cache] for cache in range(CACHES)]
        found[model] = tcg_host(model, version, named, caches)
    return found


def tcg_host(model: str, version: str, named: Mapping[str, int | None], caches: Sequence[int | None]) -> Host:
    """Return the host profile of what one TCG guest read: registers by name, and CCSIDR_EL1 of each cache."""
    limits = {name: value for name, value in named.items() if value is not None and name not in _FACTS}
    for cache, value in enumerate(caches):
        if value is not None and _is_there(limits.get("CLIDR_EL1", 0), cache):
            limits[f"CCSIDR_EL1[{cache}]"] = value
    shape = Shape(frozenset(_features(limits)))
    shown = Implementation.from_registers(limits)
    mte = _field(limits, "ID_AA64PFR1_EL1.MTE") >= 2
    facts = Facts(
        cntfrq_hz=named["CNTFRQ_EL0"],
        dczid=named["DCZID_EL0"],
        gmid=named["GMID_EL1"] if mte else None,
    )
    return Host(
        f"{model}@tcg-{version}",
        accelerator="tcg",
        offers=(Offer(shape, limits=limits),),
        cpus=() if shown is None else (Cpu(shown),),
        facts=facts,
        software=Software(vmms={"qemu": version}),
        made=Made(source=f"what a TCG guest of QEMU {version} reads with -cpu {model}"),
    )


def _is_there(clidr: int, cache: int) -> bool:
    # CSSELR_EL1 is level - 1 and whether it is the instruction cache; CLIDR_EL1 has three bits a level.
    kind = clidr >> 3 * (cache >> 1) & 7
    return kind in (1, 3) if cache & 1 else kind >= 2


def _field(limits: Mapping[str, int], subject: str) -> int:
    field = load().field(subject)
    return field.get(limits.get(field.register, 0))


def _features(limits: Mapping[str, int]) -> Iterator[str]:
    if 0 < _field(limits, "ID_AA64DFR0_EL1.PMUVer") < 0xF:
        yield "pmu_v3"
    if _field(limits, "ID_AA64PFR0_EL1.SVE"):
        yield "sve"
    if any(_field(limits, name) for name in _ADDRESS_AUTHENTICATION):
        yield "ptrauth"
