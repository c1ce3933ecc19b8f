"""The guest CPUs of libvirt's domains are tried before anybody asks; what is no domain is passed over."""

from __future__ import annotations

import json
from pathlib import Path

from armlevel.onefile.known import known_guests, try_known

_MARK = (
    '<a:guest xmlns:a="https://armlevel.dev/guest/1" digest="sha256:{d}" known="idregs">{packed}</a:guest>'
)


def domain(packed: str, emulator: str = "/usr/bin/qemu-system-aarch64") -> str:
    mark = _MARK.format(d="0" * 64, packed=packed)
    return (
        f"<domain><name>web</name><metadata>{mark}</metadata>"
        f"<devices><emulator>{emulator}</emulator></devices></domain>"
    )


def libvirt(root: Path, **files: str) -> None:
    for folder in ("etc/libvirt/qemu", "run/libvirt/qemu"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / "etc/libvirt/qemu" / f"{name}.xml").write_text(text)


def test_every_guest_of_every_domain_is_known_once(tmp_path):
    libvirt(tmp_path, a=domain("1:abc"), b=domain("1:abc"), c=domain("1:abc", "/opt/qemu"), d="<domain/>")
    running = f"<domstatus state='running'><x/>{domain('1:def')}</domstatus>"
    (tmp_path / "run/libvirt/qemu/web.xml").write_text(running)
    assert known_guests(str(tmp_path)) == (
        ("1:abc", "/usr/bin/qemu-system-aarch64"),
        ("1:abc", "/opt/qemu"),
        ("1:def", "/usr/bin/qemu-system-aarch64"),
    )


def test_what_is_no_domain_is_passed_over(tmp_path):
    assert known_guests(str(tmp_path)) == ()
    libvirt(tmp_path, a="", b="<domain", c="\0", d="<!DOCTYPE x><domain/>", e=domain("1:abc"))
    (tmp_path / "etc/libvirt/qemu/f.xml").mkdir()
    (tmp_path / "etc/libvirt/qemu/g.xml").symlink_to("g.xml")
    assert [packed for packed, _ in known_guests(str(tmp_path))] == ["1:abc"]


def test_the_guard_tries_each_and_its_failures_are_counted(tmp_path):
    guard = tmp_path / "guard.py"
    guard.write_text(
        "import json, sys\n"
        "said = sys.stdin.read()\n"
        "open(sys.argv[3], 'a').write(said + ' ' + ' '.join(sys.argv[4:]) + '\\n')\n"
        "print('no JSON' if said == 'bad' else json.dumps({'answer': said}))\n"
    )
    guests = [("runs", ""), ("refused", "/opt/qemu"), ("runs", ""), ("bad", "")]
    answers = try_known(guests, guard, tmp_path / "cache")
    assert answers == {"runs": 2, "refused": 1, "failed": 1}
    assert (tmp_path / "cache").read_text().splitlines()[1] == "refused --emulator /opt/qemu"
    assert try_known([("runs", "")], tmp_path / "absent", tmp_path / "cache") == {"failed": 1}
    assert json.dumps(answers)
