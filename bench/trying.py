"""How long trying takes, beside a C program that makes the same calls (bench/trying.c), in the same host.

Run on the host itself, with the one-file probe on the path: prints microseconds a value, and writes the tries to FILE.

    python3 trying.py armlevel-probe.pyz FILE
"""

from __future__ import annotations

import struct
import sys
import time
from pathlib import Path


def main() -> int:
    """Try everything on the base shape once, timed; then write down what was tried."""
    archive, target = sys.argv[1:]
    for tree in (sys.implementation.cache_tag, "source"):
        sys.path.append(f"{archive}/{tree}")
    from armlevel.kvm.device import Kvm
    from armlevel.probe.compiled import PLAN  # type: ignore[import-not-found]
    from armlevel.probe.plan import values_for
    from armlevel.probe.shapes import feature_bits, vcpu_of
    from armlevel.probe.try_writes import try_register
    from armlevel.profile import Shape

    tries: list[tuple[int, int]] = []
    with Kvm() as kvm, vcpu_of(kvm, Shape()) as (_vm, vcpu):
        listed = set(vcpu.registers())
        limits = [(row, vcpu.get(row.kvm_id)) for row in PLAN.identity if row.kvm_id in listed]
        start = time.perf_counter()
        for row, limit in limits:
            try_register(vcpu, row, limit)
        seconds = time.perf_counter() - start
        for row, limit in limits:
            tries += [
                (row.kvm_id, run.put(limit, value)) for run in row.runs for value in values_for(run, limit)
            ]
            tries.append((row.kvm_id, limit))
    Path(target).write_bytes(b"".join(struct.pack("<QQ", *one) for one in tries))
    word = sum(1 << bit for bit in feature_bits(Shape()))
    print(
        f"Python: {len(tries)} values, {seconds:.3f} s, {seconds / len(tries) * 1e6:.2f} us a value; features {word:#x}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
