"""dpkg installs, removes and purges the package on a copy of this machine; its hook does what a hook of libvirt may."""

from __future__ import annotations

import pytest

import make_deb
from tests.packaging.copies import copy_of_this_machine, run_in_a_copy

pytestmark = pytest.mark.slow

SCRIPT = r"""
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
hook=/etc/libvirt/hooks/qemu.d/50-armlevel
package=$(echo /mnt/*.deb)
dpkg -i $package
test -x $hook
getent passwd _armlevel
# As if this Python were newer than the archive's: what the package made for it goes with the package.
touch /usr/lib/armlevel/guard-cpython-399-0.zip
/usr/share/python3/runtime.d/armlevel-agent.rtupdate rtupdate python3.0 python3.99
test ! -e /usr/lib/armlevel/guard-cpython-399-0.zip
touch /usr/lib/armlevel/guard-cpython-399-0.zip
# A stranger, and every call that libvirt makes for a guest that runs.
echo '<domain><name>a</name></domain>' | $hook a migrate begin -
for call in 'reconnect begin' 'started begin' 'stopped end' 'release end'; do $hook a $call - < /dev/null; done
dpkg -r armlevel-agent
test ! -e $hook
test ! -e /usr/lib/armlevel
dpkg -i $package
echo '# mine' >> $hook
dpkg -i $package 2> /mnt/kept
tail -n 1 $hook
dpkg -r armlevel-agent 2> /mnt/removed
test ! -e $hook
tail -n 1 /var/lib/armlevel/qemu-hook.changed
dpkg --purge armlevel-agent
test ! -e /var/lib/armlevel
test ! -e /var/lib/armlevel-sender
"""


def test_dpkg_installs_removes_and_purges_it(tmp_path):
    place, shared = copy_of_this_machine(tmp_path)
    make_deb.build_deb(shared)
    done = run_in_a_copy(place, shared, SCRIPT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("# mine") == 2
    assert "stays as it is" in (shared / "kept").read_text()
    assert "a copy of it" in (shared / "removed").read_text()
