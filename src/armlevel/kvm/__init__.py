"""KVM's userspace ABI: the names of its registers, and (``device``, ``vm``, ``vcpu``) KVM itself.

The names are for everybody; ``armlevel.kvm.device`` is imported by whoever has a /dev/kvm.
"""

from armlevel.kvm.ids import RegisterId, group_of, id_of, name_of
from armlevel.kvm.spelling import SpelledRegister, encoding_of, spelled

__all__ = ["RegisterId", "SpelledRegister", "encoding_of", "group_of", "id_of", "name_of", "spelled"]
