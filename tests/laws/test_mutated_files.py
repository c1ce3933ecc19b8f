"""Files of other tools with something taken away or changed: less is never a yes, and nothing is a traceback.

A yes is a part of a verdict that says *runs*, an import that says the guest is known whole, and a *no difference*.
Mutant: a reader that counts the processors it can identify and forgets the others.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from armlevel.arch import load as load_catalogue
from armlevel.documents import load
from armlevel.engine import passthrough
from armlevel.errors import ArmlevelError
from armlevel.operations.check import check
from armlevel.operations.diff import diff
from armlevel.operations.import_ import import_guest
from armlevel.profile import Guest, Host, Implementation
from tests.formats.profiles import host
from tests.formats.test_import_libvirt import CAPABILITIES, DOMAIN
from tests.formats.test_processors import BOTH, block, identified
from tests.formats.test_recognise import LSCPU, QEMU

N1 = host("graviton2-6.1")
V1 = host("graviton3-6.1")
ODD = ["", "0", "f", "\n", ":", "'", '"', "<", "}", "-", "\N{LATIN SMALL LETTER E WITH ACUTE}", "\0"]
EACH = 40  # mutants of a sample: 5 hosts and 3 guests make more than 200


def _dump() -> str:
    offer = V1.offers[0]
    values = {**offer.limits, **offer.firmware}
    return json.dumps(
        {**{name: hex(value) for name, value in values.items()}, "kernel": V1.software.kernel}, indent=1
    )


def _sysfs() -> str:
    alike = "".join(block(cpu, 0xD40, 1, "2100.00") for cpu in range(4))
    return alike + "".join(identified(cpu, midr_el1=0x411FD400, revidr_el1=1, aidr_el1=0) for cpu in range(4))


HOSTS = {
    "cpuinfo": BOTH + identified(0, midr_el1=0x412FD050, revidr_el1=0),
    "sysfs": _sysfs(),
    "lscpu": LSCPU.format(total=8),
    "xml": CAPABILITIES,
    "json": _dump(),
}
KEPT = {"addr": "0x603000000013c020", "bitmap": "0b" + "x" * 64}
PLAIN = "<feature policy='disable' name='sve'/><feature policy='disable' name='pauth'/>"
GUESTS = {
    "xml": DOMAIN.partition("    <feature")[0] + PLAIN.replace("/>", "/>\n") + "  </cpu>\n</domain>\n",
    "command line": f"{QEMU} -cpu host,pmu=off,sve=off,pauth=off -M mte=off -name guest=x".replace(
        " ", " \\\n"
    ),
    "json": json.dumps({"vcpu_features": [], "reg_modifiers": [KEPT] * 2}, indent=1),
}


def _asked() -> list[Guest]:
    catalogue = load_catalogue()
    found = [passthrough(one, catalogue) for one in (N1, V1)]
    plain = replace(found[1], facts=replace(found[1].facts, cntfrq_hz=1_050_000_000), name="timed")
    return [*found, plain]


def yeses(there: Host, original: Host) -> set[str]:
    """Return what is a yes about a host."""
    found = set()
    for guest in _asked():
        (verdict,) = check(guest, [there]).verdicts
        for part, answers in verdict.parts.items():
            found |= {
                f"{guest.name} {part} {way}"
                for way, one in zip(("start", "arrive"), answers, strict=True)
                if one == "runs"
            }
    found |= {"no difference"} if diff([there, original]).status == 0 else set()
    return found


def _lines_taken_away(text: str, rng: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    del lines[at : at + rng.choice((1, 1, 1, 2, 3))]
    return "".join(lines)


def _changed(text: str, rng: random.Random) -> str:
    data = list(text)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        data[at] = rng.choice(
            [
                "",
                "0",
                "f",
                "9" * rng.choice((1, 30, 5000)),
                "\n",
                ":",
                "'",
                '"',
                "<",
                "}",
                "-",
                "é",
                "\0",
                data[at] * 3,
            ]
        )
    return "".join(data)


def _mutants(name: str, text: str, change: Callable[[str, random.Random], str]) -> Iterator[str]:
    rng = random.Random(f"{name} {change.__name__}")
    for _ in range(EACH):
        yield change(text, rng)


def _read(path: Path, text: str) -> Host | None:
    path.write_bytes(text.encode())
    try:
        found = load(str(path))
    except ArmlevelError:
        return None
    assert isinstance(found, Host)
    return found


@pytest.mark.parametrize("name", HOSTS)
def test_taking_lines_away_adds_no_yes(name, tmp_path, tell):
    path = tmp_path / "x"
    original = _read(path, HOSTS[name])
    assert original is not None
    before, read = yeses(original, original), 0
    for text in _mutants(name, HOSTS[name], _lines_taken_away):
        there = _read(path, text)
        if there is None:
            continue
        read += 1
        assert yeses(there, original) <= before, text
        known = dict(there.offers[0].limits)
        assert known.items() <= dict(original.offers[0].limits).items(), text
    assert read > EACH // 5
    tell(
        f"{name}: {read} of {EACH} files with lines taken away were read, with no yes more; {len(before)} yeses whole"
    )


@pytest.mark.parametrize("name", HOSTS)
def test_changing_values_gives_a_host_or_a_sentence(name, tmp_path, tell):
    path = tmp_path / "x"
    read = 0
    for text in _mutants(name, HOSTS[name], _changed):
        there = _read(path, text)
        if there is not None:
            read += 1
            yeses(there, there)
    tell(f"{name}: {read} of {EACH} files with values changed were read, the others refused in a sentence")


@pytest.mark.parametrize("name", GUESTS)
def test_a_request_that_is_cut_or_changed_makes_a_guest_or_a_sentence(name, tmp_path, tell):
    path = tmp_path / "x"
    made = 0
    for change in (_lines_taken_away, _changed):
        for text in _mutants(
            name, GUESTS[name].replace(" ", " \\\n") if "cpu host" in GUESTS[name] else GUESTS[name], change
        ):
            path.write_bytes(text.encode())
            try:
                guest = import_guest(str(path), V1).guest
            except ArmlevelError:
                continue
            made += 1
            assert guest.id_registers
    assert made
    tell(f"{name}: {made} of {2 * EACH} requests that were cut or changed made a guest")


def test_taking_keys_away_adds_no_yes(tmp_path):
    path = tmp_path / "x"
    whole = json.loads(HOSTS["json"])
    original = _read(path, HOSTS["json"])
    assert original is not None
    before = yeses(original, original)
    rng = random.Random("keys")
    for _ in range(EACH):
        left = {key: value for key, value in whole.items() if rng.random() < 0.9}
        there = _read(path, json.dumps(left))
        assert there is not None
        assert yeses(there, original) <= before, set(whole) - set(left)


def test_taking_files_away_adds_no_yes(tmp_path):
    tree = tmp_path / "tree"
    files = {"proc/cpuinfo": HOSTS["sysfs"].partition("/sys")[0], "sys/devices/system/cpu/present": "0-3\n"}
    for cpu in range(4):
        place = f"sys/devices/system/cpu/cpu{cpu}/regs/identification"
        files |= {
            f"{place}/midr_el1": "0x411fd400\n",
            f"{place}/revidr_el1": "0x1\n",
            f"{place}/aidr_el1": "0x0\n",
        }

    def written(left: dict[str, str]) -> Host:
        for name in files:
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if name in left:
                path.write_text(left[name])
        found = load(str(tree))
        assert isinstance(found, Host)
        return found

    original = written(files)
    before = yeses(original, original)
    assert original.offers[0].limits == {"MIDR_EL1": 0x411FD400, "REVIDR_EL1": 1, "AIDR_EL1": 0}
    rng = random.Random("files")
    for _ in range(EACH):
        there = written({name: text for name, text in files.items() if rng.random() < 0.8 or "cpu0" in name})
        assert yeses(there, original) <= before
        assert sum(cpu.count or 0 for cpu in there.cpus) == 4


def test_a_reader_that_forgets_processors_is_caught():
    one = host("graviton3-6.1")
    whole = replace(one, cpus=(*one.cpus, replace(one.cpus[0], implementation=Implementation())))
    assert yeses(one, whole) > yeses(whole, whole) or yeses(one, one) > yeses(whole, whole)
