r"""The library that makes stock QEMU show a guest profile: what it is told, how QEMU is started with it, what it saw.

The library itself is C (``preload/`` of the repository) and is built by ``make preload`` into this directory. Standard
library only: this room runs on bare hosts.

Where there is no armlevel, as inside the lab's hosts, the environment is all it takes::

    LD_PRELOAD=/where/libarmlevel.so ARMLEVEL_CONFIG=/where/config ARMLEVEL_LOG=/where/log ARMLEVEL_DUMP=/where/dump \
        qemu-system-aarch64 -accel kvm,device=/dev/kvm-armlevel ...

with what :func:`config_of` gives in the file. With :func:`observing` in it, a stock QEMU (``-accel kvm``) is left as it
is: the log then has each KVM_SET_ONE_REG that failed, with the value it wanted and the one KVM has. The dump is the
registers of vCPU 0 right before it first ran, on the destination of a migration what arrived: :func:`read_dump`.
"""

from armlevel.preload.config import config_of, observing
from armlevel.preload.dump import read_dump
from armlevel.preload.fit import Fitted, fit
from armlevel.preload.launch import Launch, launch
from armlevel.preload.library import DEVICE, library, library_fault
from armlevel.preload.start import execute

__all__ = [
    "DEVICE",
    "Fitted",
    "Launch",
    "config_of",
    "execute",
    "fit",
    "launch",
    "library",
    "library_fault",
    "observing",
    "read_dump",
]
