"""Every processor that a file names counts, and what the file does not say of it is not known."""

from __future__ import annotations

import time

import pytest

from armlevel.documents import load
from armlevel.errors import BadDocument, NotRecognised
from armlevel.formats import read_foreign
from armlevel.formats.processors import counter_frequency
from armlevel.profile import Host, Implementation

LITTLE, BIG = Implementation(0x412FD050), Implementation(0x414FD0B0)


def block(cpu: int | None, part: int, variant: int, bogomips: str = "48.00") -> str:
    head = "" if cpu is None else f"processor\t: {cpu}\n"
    return (
        f"{head}BogoMIPS\t: {bogomips}\nFeatures\t: fp asimd aes\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
        f"CPU variant\t: {variant:#x}\nCPU part\t: {part:#x}\nCPU revision\t: 0\n\n"
    )


def identified(cpu: int, **registers: int) -> str:
    place = f"/sys/devices/system/cpu/cpu{cpu}/regs/identification"
    return "".join(f"{place}/{name}:{value:#018x}\n" for name, value in registers.items())


BOTH = "".join(block(cpu, 0xD05, 2) for cpu in range(4)) + "".join(
    block(cpu, 0xD0B, 4) for cpu in range(4, 8)
)


def read(text: str) -> Host:
    return read_foreign(text.encode(), "x.txt", "x")


def counted(host: Host) -> dict[Implementation, int | None]:
    return {cpu.implementation: cpu.count for cpu in host.cpus}


def test_registers_of_one_processor_say_nothing_of_the_others():
    host = read(BOTH + identified(0, midr_el1=0x412FD050, revidr_el1=0))
    assert counted(host) == {LITTLE: 3, Implementation(0x412FD050, 0): 1, BIG: 4}
    assert host.offers[0].limits == {}


@pytest.mark.parametrize(
    "named",
    [
        "/sys/devices/system/cpu/present:0-7\n",
        "/sys/devices/system/cpu/online:0-3\n"
        + "".join(f"/sys/devices/system/cpu/cpu{cpu}/topology/core_id:1\n" for cpu in (4, 5, 6))
        + "/sys/devices/system/cpu/cpu7/online:0\n",
    ],
)
def test_a_processor_that_sysfs_names_counts_as_one_that_is_not_known(named):
    little = "".join(block(cpu, 0xD05, 2) for cpu in range(4))
    host = read(little + named)
    assert counted(host) == {LITTLE: 4, Implementation(): 4}
    assert host.offers[0].limits == {}


def test_sysfs_alone_is_a_host():
    text = "".join(identified(cpu, midr_el1=0x411FD461 if cpu < 3 else 0x411FD4D0) for cpu in range(5))
    assert counted(read(text)) == {Implementation(0x411FD461): 3, Implementation(0x411FD4D0): 2}
    assert counted(read(text.replace("/sys", "sys"))) == counted(read(text))
    headed = "".join(f"==> {line.replace(':', ' <==' + chr(10), 1)}\n\n" for line in text.splitlines())
    assert counted(read(headed)) == counted(read(text))


def test_a_copied_tree_counts_the_processors_that_it_has_no_registers_of(tmp_path):
    tree = tmp_path / "sys/devices/system/cpu"
    for cpu in (0, 1):
        (tree / f"cpu{cpu}/regs/identification").mkdir(parents=True)
        (tree / f"cpu{cpu}/regs/identification/midr_el1").write_text("0x00000000412fd050\n")
    (tree / "cpu2").mkdir()
    (tree / "present").write_text("0-3\n")
    host = load(str(tmp_path))
    assert isinstance(host, Host)
    assert counted(host) == {LITTLE: 2, Implementation(): 2}


def test_a_processor_whose_first_line_is_missing_is_a_processor():
    text = BOTH.replace("processor\t: 4\n", "")
    assert counted(read(text)) == {LITTLE: 4, BIG: 4}
    joined = text.replace("\n\nBogoMIPS", "\nBogoMIPS")
    assert counted(read(joined)) == {LITTLE: 4, BIG: 4}


def test_a_processor_of_which_a_line_is_missing_is_not_known():
    text = BOTH.replace("CPU part\t: 0xd05\n", "", 1)
    assert counted(read(text)) == {LITTLE: 3, Implementation(): 1, BIG: 4}


def test_the_kernel_is_read_where_a_line_tells_it(tmp_path):
    version = "Linux version 6.8.0-31-generic (buildd@x) (gcc 13.2) #31-Ubuntu SMP PREEMPT_DYNAMIC\n"
    assert read(BOTH + version).software.kernel == "6.8.0-31-generic"
    assert (
        read("Linux n1 6.1.0-50-arm64 #1 SMP aarch64 GNU/Linux\n" + BOTH).software.kernel == "6.1.0-50-arm64"
    )
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(BOTH)
    (tmp_path / "proc/version").write_text(version)
    host = load(str(tmp_path))
    assert isinstance(host, Host)
    assert host.software.kernel == "6.8.0-31-generic"


OLD = (
    "Processor\t: AArch64 Processor rev 0 (aarch64)\n"
    + "".join(f"processor\t: {cpu}\n" for cpu in range(8))
    + "Features\t: fp asimd evtstrm \nCPU implementer\t: 0x50\nCPU architecture: AArch64\nCPU variant\t: 0x0\n"
    "CPU part\t: 0x000\nCPU revision\t: 0\n\nHardware\t: a board\n"
)
THIRTY_TWO = "".join(
    f"processor : {cpu}\nmodel name : ARMv7 Processor rev 4 (v7l)\nBogoMIPS : 38.40\nFeatures : half thumb vfp\n"
    "CPU implementer : 0x41\nCPU architecture: 7\nCPU variant : 0x0\nCPU part : 0xd03\nCPU revision : 4\n\n"
    for cpu in range(4)
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (OLD, "an arm64 kernel before 3.19 wrote it: it identifies one of 8 processors"),
        (OLD.replace("processor\t: 7\n", ""), "it identifies one of 7 processors"),
        (THIRTY_TWO, "a 32-bit Arm kernel wrote it"),
        (
            THIRTY_TWO.replace("ARMv7", "ARMv6").replace("architecture: 7", "architecture: 6TEJ"),
            "a 32-bit Arm kernel",
        ),
        ("Processor : ARMv7 Processor rev 2 (v7l)\n" + OLD.partition("\n")[2], "a 32-bit Arm kernel"),
    ],
)
def test_a_kernel_that_tells_too_little_is_one_sentence(text, sentence):
    with pytest.raises(BadDocument) as found:
        read(text)
    assert sentence in str(found.value)
    assert len(found.value.faults) == 1
    assert found.value.hint


def shown(hertz: int, hz: int) -> str:
    # arch/arm64: lpj_fine = rate / HZ; cpuinfo prints lpj / (500000 / HZ), and lpj / (5000 / HZ) % 100.
    ticks = hertz // hz
    return f"{ticks // (500_000 // hz)}.{ticks // (5_000 // hz) % 100:02}"


HERTZ = [19_200_000, 24_000_000, 31_250_000, 38_400_000, 54_000_000, 62_500_000, 1_050_000_000]


@pytest.mark.parametrize("hertz", HERTZ)
def test_a_figure_gives_the_frequency_or_nothing_whatever_hz_is(hertz):
    for hz in (100, 250, 300, 1000):
        assert counter_frequency(shown(hertz, hz)) in (hertz, None)
    assert counter_frequency(shown(hertz, 250)) == hertz


FIGURES = [
    "38.00",
    "76.00",
    "62.10",
    "125.20",
    "108.50",
    "0.00",
    "48",
    "9" * 5000 + ".00",
    "\N{SUPERSCRIPT TWO}8.00",
]


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_that_determines_nothing_is_unknown(figure):
    assert counter_frequency(figure) is None


def test_figures_that_differ_among_processors_are_unknown():
    assert read(block(0, 0xD05, 2) + block(1, 0xD05, 2, "50.00")).facts.cntfrq_hz is None
    assert read(block(0, 0xD05, 2) + block(1, 0xD05, 2)).facts.cntfrq_hz == 24_000_000


@pytest.mark.parametrize(
    "hostile",
    [
        "A" + " " * 600_000 + "!\n",
        "CPU implementer" * 100_000 + "\n",
        f"processor : {'9' * 5000}\n",
        f"/sys/devices/system/cpu/cpu{'9' * 5000}/regs/identification/midr_el1:0x1\n",
        "/sys/devices/system/cpu/present:0-99999999999\n",
        f"CPU part : {'1' * 5000}\n",
    ],
)
def test_a_line_that_was_made_to_hang_is_a_sentence_at_once(hostile):
    before = time.process_time()
    with pytest.raises((BadDocument, NotRecognised)) as found:
        read(BOTH + block(9, 0xD05, 2).replace("CPU part\t: 0xd05\n", hostile))
    assert time.process_time() - before < 5
    assert len(str(found.value)) < 1000
