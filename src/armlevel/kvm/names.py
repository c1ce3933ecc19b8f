"""The registers KVM lists beside the ID registers: encodings and Arm's names.

Encodings: Arm ARM DDI 0487 (system register encodings), as (op0, op1, CRn, CRm, op2). Which of them KVM lists: Linux
``arch/arm64/kvm/sys_regs.c`` and ``arch/arm64/include/uapi/asm/kvm.h``. ID registers and firmware
registers are rows of ``arch/data``, not of this table.

The same encodings are rows of ``arch/data/system_registers.toml``, among all that software can name. They stand here
too because the collector names what KVM lists on a host to which no catalogue travels; a test holds the two together.
"""

from __future__ import annotations

__all__ = ["CORE", "SVE", "SYSTEM", "Encoding"]

Encoding = tuple[int, int, int, int, int]

# One register a line: op0 op1 CRn CRm op2 name.
_ROWS = """
2 0 0 2 0 MDCCINT_EL1
2 0 0 2 2 MDSCR_EL1
2 0 0 6 2 OSECCR_EL1
2 0 1 1 4 OSLSR_EL1
2 4 0 7 0 DBGVCR32_EL2
3 0 1 0 0 SCTLR_EL1
3 0 1 0 1 ACTLR_EL1
3 0 1 0 2 CPACR_EL1
3 0 1 0 3 SCTLR2_EL1
3 0 1 0 5 RGSR_EL1
3 0 1 0 6 GCR_EL1
3 0 1 2 0 ZCR_EL1
3 0 2 0 0 TTBR0_EL1
3 0 2 0 1 TTBR1_EL1
3 0 2 0 2 TCR_EL1
3 0 2 0 3 TCR2_EL1
3 0 2 1 0 APIAKeyLo_EL1
3 0 2 1 1 APIAKeyHi_EL1
3 0 2 1 2 APIBKeyLo_EL1
3 0 2 1 3 APIBKeyHi_EL1
3 0 2 2 0 APDAKeyLo_EL1
3 0 2 2 1 APDAKeyHi_EL1
3 0 2 2 2 APDBKeyLo_EL1
3 0 2 2 3 APDBKeyHi_EL1
3 0 2 3 0 APGAKeyLo_EL1
3 0 2 3 1 APGAKeyHi_EL1
3 0 5 1 0 AFSR0_EL1
3 0 5 1 1 AFSR1_EL1
3 0 5 2 0 ESR_EL1
3 0 5 6 0 TFSR_EL1
3 0 5 6 1 TFSRE0_EL1
3 0 6 0 0 FAR_EL1
3 0 7 4 0 PAR_EL1
3 0 9 14 1 PMINTENSET_EL1
3 0 9 14 2 PMINTENCLR_EL1
3 0 9 14 6 PMMIR_EL1
3 0 10 2 0 MAIR_EL1
3 0 10 2 2 PIRE0_EL1
3 0 10 2 3 PIR_EL1
3 0 10 2 4 POR_EL1
3 0 10 3 0 AMAIR_EL1
3 0 12 0 0 VBAR_EL1
3 0 12 1 1 DISR_EL1
3 0 13 0 1 CONTEXTIDR_EL1
3 0 13 0 4 TPIDR_EL1
3 0 14 1 0 CNTKCTL_EL1
3 2 0 0 0 CSSELR_EL1
3 3 4 4 2 FPMR
3 3 9 12 0 PMCR_EL0
3 3 9 12 1 PMCNTENSET_EL0
3 3 9 12 2 PMCNTENCLR_EL0
3 3 9 12 3 PMOVSCLR_EL0
3 3 9 12 4 PMSWINC_EL0
3 3 9 12 5 PMSELR_EL0
3 3 9 13 0 PMCCNTR_EL0
3 3 9 13 1 PMXEVTYPER_EL0
3 3 9 13 2 PMXEVCNTR_EL0
3 3 9 14 0 PMUSERENR_EL0
3 3 9 14 3 PMOVSSET_EL0
3 3 10 2 4 POR_EL0
3 3 13 0 2 TPIDR_EL0
3 3 13 0 3 TPIDRRO_EL0
3 3 13 0 5 TPIDR2_EL0
3 3 14 0 1 CNTPCT_EL0
3 3 14 2 1 CNTP_CTL_EL0
3 3 14 2 2 CNTP_CVAL_EL0
3 3 14 3 1 CNTV_CTL_EL0
3 3 14 15 7 PMCCFILTR_EL0
3 4 0 0 0 VPIDR_EL2
3 4 0 0 5 VMPIDR_EL2
3 4 1 0 0 SCTLR_EL2
3 4 1 0 1 ACTLR_EL2
3 4 1 0 3 SCTLR2_EL2
3 4 1 1 0 HCR_EL2
3 4 1 1 1 MDCR_EL2
3 4 1 1 2 CPTR_EL2
3 4 1 1 3 HSTR_EL2
3 4 1 1 4 HFGRTR_EL2
3 4 1 1 5 HFGWTR_EL2
3 4 1 1 6 HFGITR_EL2
3 4 1 1 7 HACR_EL2
3 4 1 2 0 ZCR_EL2
3 4 1 2 2 HCRX_EL2
3 4 2 0 0 TTBR0_EL2
3 4 2 0 1 TTBR1_EL2
3 4 2 0 2 TCR_EL2
3 4 2 0 3 TCR2_EL2
3 4 2 1 0 VTTBR_EL2
3 4 2 1 2 VTCR_EL2
3 4 2 2 0 VNCR_EL2
3 4 3 0 0 DACR32_EL2
3 4 3 1 0 HDFGRTR2_EL2
3 4 3 1 1 HDFGWTR2_EL2
3 4 3 1 2 HFGRTR2_EL2
3 4 3 1 3 HFGWTR2_EL2
3 4 3 1 4 HDFGRTR_EL2
3 4 3 1 5 HDFGWTR_EL2
3 4 3 1 6 HAFGRTR_EL2
3 4 3 1 7 HFGITR2_EL2
3 4 4 0 0 SPSR_EL2
3 4 4 0 1 ELR_EL2
3 4 5 0 1 IFSR32_EL2
3 4 5 1 0 AFSR0_EL2
3 4 5 1 1 AFSR1_EL2
3 4 5 2 0 ESR_EL2
3 4 5 3 0 FPEXC32_EL2
3 4 6 0 0 FAR_EL2
3 4 6 0 4 HPFAR_EL2
3 4 10 2 0 MAIR_EL2
3 4 10 2 2 PIRE0_EL2
3 4 10 2 3 PIR_EL2
3 4 10 2 4 POR_EL2
3 4 10 3 0 AMAIR_EL2
3 4 12 0 0 VBAR_EL2
3 4 12 0 1 RVBAR_EL2
3 4 13 0 1 CONTEXTIDR_EL2
3 4 13 0 2 TPIDR_EL2
3 4 14 0 3 CNTVOFF_EL2
3 4 14 1 0 CNTHCTL_EL2
3 4 14 2 1 CNTHP_CTL_EL2
3 4 14 2 2 CNTHP_CVAL_EL2
3 4 14 3 1 CNTHV_CTL_EL2
3 4 14 3 2 CNTHV_CVAL_EL2
"""


def _system() -> dict[Encoding, str]:
    names: dict[Encoding, str] = {}
    for line in _ROWS.split("\n"):
        if line:
            *digits, name = line.split(" ")
            op0, op1, crn, crm, op2 = map(int, digits)
            names[op0, op1, crn, crm, op2] = name
    for n in range(16):
        for last, family in ((4, "DBGBVR"), (5, "DBGBCR"), (6, "DBGWVR"), (7, "DBGWCR")):
            names[2, 0, 0, n, last] = f"{family}{n}_EL1"
    for n in range(31):
        names[3, 3, 14, 8 + (n >> 3), n & 7] = f"PMEVCNTR{n}_EL0"
        names[3, 3, 14, 12 + (n >> 3), n & 7] = f"PMEVTYPER{n}_EL0"
    # uapi/asm/kvm.h: KVM_REG_ARM_TIMER_CVAL and KVM_REG_ARM_TIMER_CNT carry each other's encoding; that is ABI now.
    names[3, 3, 14, 0, 2] = "CNTV_CVAL_EL0"
    names[3, 3, 14, 3, 2] = "CNTVCT_EL0"
    return names


def _core() -> dict[tuple[int, int], str]:
    # Offsets are in units of 32 bits into struct kvm_regs; sizes are log2 of bytes.
    names = {(2 * n, 3): f"X{n}" for n in range(31)}
    names |= {
        (0x3E, 3): "SP_EL0",
        (0x40, 3): "PC",
        (0x42, 3): "PSTATE",
        (0x44, 3): "SP_EL1",
        (0x46, 3): "ELR_EL1",
    }
    names |= {(0x48 + 2 * n, 3): f"SPSR_{mode}" for n, mode in enumerate(("EL1", "abt", "und", "irq", "fiq"))}
    names |= {(0x54 + 4 * n, 4): f"V{n}" for n in range(32)}
    return names | {(0xD4, 2): "FPSR", (0xD5, 2): "FPCR"}


def _sve() -> dict[tuple[int, int], str]:
    names = {(n << 5, 8): f"Z{n}" for n in range(32)}
    names |= {(0x400 | n << 5, 5): f"P{n}" for n in range(16)}
    return names | {(0x600, 5): "FFR", (0xFFFF, 6): "SVE_VLS"}


SYSTEM: dict[Encoding, str] = _system()
CORE: dict[tuple[int, int], str] = _core()
SVE: dict[tuple[int, int], str] = _sve()
