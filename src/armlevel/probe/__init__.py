"""Reading a machine: sysfs, and KVM trial by trial, in scratch VMs that never touch a running one."""

from armlevel.probe.host import Probed, probe_host
from armlevel.probe.machine import Machine, read_machine
from armlevel.probe.plan import ProbePlan, plan_of
from armlevel.probe.vmms import vmms_of

__all__ = ["Machine", "ProbePlan", "Probed", "plan_of", "probe_host", "read_machine", "vmms_of"]
