"""What AppArmor and SELinux have to let the wrapper do that libvirt starts in QEMU's place: a policy of its own each.

Neither changes what libvirt gives to every domain. AppArmor's rules stand in an abstraction that only the profiles of
domains with the wrapper include; in SELinux the wrapper and its profiles have types of their own. Sources:
apparmor.d(5), libvirt src/security/apparmor (TEMPLATE.qemu, abstractions/libvirt-qemu), SELinux' CIL reference guide,
refpolicy policy/modules/services/virt.te.
"""

from __future__ import annotations

__all__ = ["APPARMOR", "CONFINEMENTS", "SELINUX"]

#: An abstraction: ``/etc/apparmor.d/abstractions/armlevel-run``. QEMU's own rule (``rmix``) stays as libvirt has it: a
#: second one with another way of starting it is a conflict, for which apparmor_parser refuses the whole profile.
APPARMOR = """\
# What `armlevel run` needs beyond QEMU. For the profile of a domain whose <emulator> is
# the wrapper, and for no other: include <abstractions/armlevel-run>
include <abstractions/python>

/usr/local/bin/qemu-armlevel mrix,
/usr/{,local/}bin/armlevel mrix,
/{,usr/}bin/{dash,sh} mrix,
/usr/{,local/}bin/python3.[0-9]* mrix,
/usr/{,local/}lib/python3*/{dist,site}-packages/armlevel/preload/libarmlevel.so mr,
# an environment of its own
/opt/armlevel/** mr,
/opt/armlevel/bin/* mrix,

/etc/armlevel/{,**} r,
/run/armlevel/{,**} r,
/sys/devices/system/cpu/{,**} r,
owner /var/log/libvirt/qemu/armlevel-*.log a,

include if exists <local/armlevel-run>
"""

#: A module in CIL, which ``semodule -i`` takes as it is.
SELINUX = """\
; What `armlevel run` needs beyond QEMU: the wrapper and the profiles have types of
; their own. semodule -i armlevel_run.cil; restorecon -RF /usr/local/bin /etc/armlevel
(type armlevel_exec_t)
(roletype object_r armlevel_exec_t)
(typeattributeset file_type (armlevel_exec_t))
(typeattributeset exec_type (armlevel_exec_t))
(typeattributeset entry_type (armlevel_exec_t))
(type armlevel_conf_t)
(roletype object_r armlevel_conf_t)
(typeattributeset file_type (armlevel_conf_t))

; a domain starts as the wrapper, which runs Python and becomes QEMU without a change of domain
(allow svirt_t armlevel_exec_t (file (entrypoint execute read open getattr map ioctl lock)))
(allow svirt_t bin_t (file (execute execute_no_trans read open getattr map ioctl lock)))
(allow svirt_t shell_exec_t (file (execute execute_no_trans read open getattr map ioctl lock)))
(allow svirt_t qemu_exec_t (file (execute execute_no_trans read open getattr map ioctl lock)))

; the profiles of the guest and the host, and what is read of the CPUs
(allow svirt_t armlevel_conf_t (dir (search getattr open read ioctl lock)))
(allow svirt_t armlevel_conf_t (file (read open getattr ioctl lock)))
(allow svirt_t sysfs_t (dir (search getattr open read ioctl lock)))
(allow svirt_t sysfs_t (file (read open getattr)))

; libvirt asks an emulator what it can do
(allow virtd_t armlevel_exec_t (file (read open getattr execute execute_no_trans map)))
(optional armlevel_run_virtqemud
    (allow virtqemud_t armlevel_exec_t (file (read open getattr execute execute_no_trans map))))

(filecon "/usr/local/bin/qemu-armlevel" file (system_u object_r armlevel_exec_t ((s0)(s0))))
(filecon "/etc/armlevel(/.*)?" any (system_u object_r armlevel_conf_t ((s0)(s0))))
(filecon "/run/armlevel(/.*)?" any (system_u object_r armlevel_conf_t ((s0)(s0))))
"""

#: form -> its text
CONFINEMENTS = {"apparmor": APPARMOR, "selinux": SELINUX}
