"""The package on an emulated host: dpkg installs it, the units' commands run, the report is taken, and it goes away.

systemd does not boot there: what it would do is done by hand, in its order, with the commands and users of the units.
"""

from __future__ import annotations

import json
import re
import shlex
import time
from pathlib import Path

import pytest

import make_deb
from armlevel.lab import cpio, parse_host
from armlevel.lab.archive import deb_files
from armlevel.lab.images import write_archive
from armlevel.lab.jobs import Job
from armlevel.lab.store import content_key
from armlevel.operations.agents.enrol import enrol_key
from armlevel.operations.agents.store import AgentStore, read_spool
from tests.emulated import fetched
from tests.packaging.test_package import unit

NAMES = ["dpkg", "openssh-client", "passwd", "diffutils", "coreutils", "tar"]
SCRIPT = r"""
set -e
echo 'root:x:0:0:root:/root:/bin/sh' > /etc/passwd
echo 'root:x:0:' > /etc/group
mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/dpkg/triggers /var/log /root
: > /var/lib/dpkg/status
: > /var/lib/dpkg/available
export PATH=/usr/sbin:/usr/bin
ln -s ../bin/true /usr/sbin/ldconfig  # dpkg wants one on PATH; no library comes with this package
# The shell here would take its own dpkg. Python, OpenSSH and passwd are there, and dpkg knows of none of them.
/usr/bin/dpkg --force-depends -i agent.deb >&2
ls -l /etc/libvirt/hooks/qemu.d/50-armlevel
grep _armlevel /etc/passwd
# armlevel-prober.service
mkdir -p /var/lib/armlevel
{probe}
# armlevel-sender.service: another user, and no device
install -d -o _armlevel -g _armlevel -m 755 /var/lib/armlevel-sender
chmod 600 /dev/kvm
cat > as.py <<'END'
import os, pwd, sys
user = pwd.getpwnam("_armlevel")
os.setgroups([]); os.setgid(user.pw_gid); os.setuid(user.pw_uid)
try:
    open("/dev/kvm", "r+b")
except PermissionError:
    os.execv(sys.argv[1], sys.argv[1:])
sys.exit("the sender has /dev/kvm")
END
python3 as.py {send}
python3 as.py {send}
cp -r /var/lib/armlevel-sender/spool "$OUT/spool"
cp /var/lib/armlevel-sender/agent_key.pub "$OUT/agent_key.pub"
ls -l /var/lib/armlevel-sender >&2
# And it goes away, the hook first.
/usr/bin/dpkg -r armlevel-agent >&2
[ ! -e /etc/libvirt/hooks/qemu.d/50-armlevel ]
[ ! -e /usr/lib/armlevel ]
[ -e /var/lib/armlevel/host.json ]
/usr/bin/dpkg --force-depends -i agent.deb >&2
[ -x /etc/libvirt/hooks/qemu.d/50-armlevel ]
echo changed >> /etc/libvirt/hooks/qemu.d/50-armlevel
/usr/bin/dpkg --force-depends -i agent.deb 2> again >&2
tail -n 1 /etc/libvirt/hooks/qemu.d/50-armlevel
/usr/bin/dpkg --purge armlevel-agent >&2
[ ! -e /var/lib/armlevel ] && [ ! -e /var/lib/armlevel-sender ]
"""


def debian_image(laboratory) -> Path:
    """Return an archive of Debian packages, whole, as they lie on a disk; their scripts did not run."""
    archive = laboratory._archive()
    found = archive.find("agent-host", "arm64", ("trixie",), lambda root: root.closure(NAMES))

    def make(place: Path) -> None:
        entries = []
        with archive.files(found, place) as debs:
            for deb in debs.values():
                for member, data in deb_files(deb, lambda path: not path.startswith("usr/share/")):
                    path = re.sub(r"^(bin|sbin|lib)/", r"usr/\1/", member.name)
                    if member.issym():
                        entries.append(cpio.link(path, member.linkname))
                    else:
                        entries.append(cpio.file(path, data, executable=bool(member.mode & 0o111)))
        write_archive(place / "debian.cpio", cpio.parents(entries))

    entry = archive.store.entry("vmms", content_key("agent-host-1", found.key), make)
    return Path(entry / "debian.cpio")


@pytest.mark.slow
def test_the_package_installs_runs_and_goes_away_on_an_emulated_host(laboratory, tmp_path, tell):
    host = parse_host("neoverse-n1@6.12,memory=1024")
    with fetched():
        image = debian_image(laboratory)
        laboratory.prepare(host)
    package = make_deb.build_deb(tmp_path)
    started = [unit(f"armlevel-{one}.service")["Service"]["ExecStart"] for one in ("prober", "sender")]
    probe, send = (shlex.join(shlex.split(one)) for one in started)
    script = SCRIPT.replace("{probe}", probe).replace("{send}", send)
    result = laboratory.run(host, Job(script, {"agent.deb": package.read_bytes()}), extra=(image,))
    assert result.status == 0, (result.stdout, result.stderr[-3000:])
    assert "changed" in result.stdout

    spool = tmp_path / "spool"
    spool.mkdir()
    for path, data in result.files.items():
        if path.startswith("spool/"):
            (spool / Path(path).name).write_bytes(data)
    with AgentStore(tmp_path / "store").held() as store:
        line = result.files["agent_key.pub"].decode()
        store.enrol(enrol_key(line, "n1", "ssh session", store.agents(), now=time.time()))
        found = store.accept(read_spool(str(spool)), "spool", now=time.time())
    assert (found.refused, found.profile, found.lost) == ("", "taken", 0)
    assert found.report is not None
    assert found.report.sequence == 2
    assert [one.code for one in found.events] == ["booted"]
    assert found.report.host is not None
    kept = json.loads((tmp_path / "store/profiles" / f"{found.report.host[0][7:]}.json").read_bytes())
    assert len(kept["offers"]) > 3
    tell(f"armlevel-agent on {host}: {result.seconds:.0f} s from power-on to purge; clock {found.clock}")
