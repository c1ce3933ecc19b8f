"""What libvirt says of a host; the samples are valid by libvirt's own schemas."""

from __future__ import annotations

import pytest
from lxml import etree

from armlevel.errors import BadDocument
from armlevel.formats import read_foreign, read_request, recognise
from armlevel.profile import Shape
from tests.formats import judges

CAPABILITIES = """\
<capabilities>
  <host>
    <uuid>00000000-0000-0000-0000-000000000001</uuid>
    <cpu>
      <arch>aarch64</arch>
      <model>Neoverse-N1</model>
      <vendor>ARM</vendor>
      <topology sockets='1' dies='1' cores='2' threads='1'/>
      <feature name='fp'/>
      <feature name='asimd'/>
      <pages unit='KiB' size='64'/>
      <pages unit='KiB' size='2048'/>
    </cpu>
    <topology>
      <cells num='1'>
        <cell id='0'>
          <cpus num='2'>
            <cpu id='0' socket_id='0' die_id='0' cluster_id='0' core_id='0' siblings='0'/>
            <cpu id='1' socket_id='0' die_id='0' cluster_id='0' core_id='1' siblings='1'/>
          </cpus>
        </cell>
      </cells>
    </topology>
  </host>
  <guest>
    <os_type>hvm</os_type>
    <arch name='aarch64'>
      <wordsize>64</wordsize>
      <emulator>/usr/bin/qemu-system-aarch64</emulator>
      <machine maxCpus='512'>virt-10.0</machine>
      <domain type='kvm'/>
    </arch>
  </guest>
</capabilities>
"""
DOMCAPABILITIES = """\
<?xml version="1.0"?>
<!-- virsh domcapabilities -->
<domainCapabilities>
  <path>/usr/bin/qemu-system-aarch64</path>
  <domain>kvm</domain>
  <machine>virt-10.0</machine>
  <arch>aarch64</arch>
  <vcpu max='512'/>
  <os supported='yes'/>
  <cpu>
    <mode name='host-passthrough' supported='yes'/>
    <mode name='maximum' supported='yes'/>
    <mode name='host-model' supported='no'/>
    <mode name='custom' supported='no'/>
  </cpu>
  <devices/>
  <features>
    <gic supported='yes'>
      <enum name='version'>
        <value>3</value>
      </enum>
    </gic>
  </features>
</domainCapabilities>
"""
DOMAIN = """\
<domain type='kvm'>
  <name>vm</name>
  <memory>1048576</memory>
  <os><type arch='aarch64' machine='virt-10.0'>hvm</type></os>
  <features><pmu state='off'/></features>
  <cpu mode='host-passthrough'>
    <feature policy='require' name='sve'/>
    <feature policy='require' name='sve256'/>
    <feature policy='disable' name='pauth'/>
    <feature policy='optional' name='sve512'/>
  </cpu>
</domain>
"""


@pytest.mark.parametrize(
    ("schema", "text"), [("capability", CAPABILITIES), ("domaincaps", DOMCAPABILITIES), ("domain", DOMAIN)]
)
def test_the_samples_are_libvirts(schema, text):
    judges.libvirt_schema(schema).assertValid(etree.fromstring(text.encode()))


def test_capabilities_say_who_the_host_is_and_nothing_about_fields():
    host = read_foreign(CAPABILITIES.encode(), "c.xml", "c")
    assert host.facts.page_size == 64 << 10
    assert host.offers[0].limits == {}
    assert host.offers[0].default == "unknown"
    assert "ARM Neoverse-N1, 2 CPUs" in (host.made.source or "")
    assert "asimd fp" in (host.made.source or "")


def test_domcapabilities_are_known_behind_a_declaration_and_a_comment():
    found = recognise(DOMCAPABILITIES.encode())
    assert found is not None
    assert found.name == "libvirt domcapabilities"
    host = read_foreign(DOMCAPABILITIES.encode(), "d.xml", "d")
    assert "CPU modes host-passthrough maximum; GIC 3" in (host.made.source or "")


def test_a_domain_asks_and_its_qemu_commandline_wins():
    request = read_request(DOMAIN.encode(), "d.xml")
    assert request is not None
    assert request.choices == {"pmu_v3": False, "sve": True, "ptrauth": False}
    assert request.lengths == {256: True}
    line = (
        "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:arg value='-cpu'/>"
        "<q:arg value='host,sve=off,SYSREG_ID_AA64ISAR0_EL1_RNDR=0x0'/></q:commandline></domain>"
    )
    again = read_request(DOMAIN.replace("</domain>", line).encode(), "d.xml")
    assert again is not None
    assert again.choices == {"sve": False}
    assert [(one.register, one.value) for one in again.bits] == [("ID_AA64ISAR0_EL1", 0)]


def test_a_domain_is_no_host():
    with pytest.raises(BadDocument, match="armlevel import FILE --host HOST"):
        read_foreign(DOMAIN.encode(), "d.xml", "d")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            CAPABILITIES.replace("aarch64</arch>\n      <model", "x86_64</arch>\n      <model"),
            "aarch64 is needed",
        ),
        (CAPABILITIES.replace("size='64'", "size='many'"), "'many' 'KiB' is no size"),
        (CAPABILITIES[:-20], "no well-formed XML"),
        ("<capabilities/>", "host/cpu: is missing"),
        (DOMCAPABILITIES.replace("<domain>kvm", "<domain>qemu"), "domain: is 'qemu', and kvm is needed"),
        (DOMAIN.replace("host-passthrough", "custom"), "under KVM on Arm only host-passthrough"),
        (DOMAIN.replace("'disable'", "'never'"), "policy 'never' is none of libvirt's"),
        (DOMAIN.replace("name='sve256'", "name='SYSREG_X'"), "not an option of an Arm CPU"),
        (DOMAIN.replace("type='kvm'", "type='qemu'"), "type is 'qemu', and kvm is needed"),
        ('<domain type="kvm">&a;</domain>', "no well-formed XML"),
        ('<domain type="kvm"><!DOCTYPE x></domain>', "declares a document type"),
    ],
)
def test_xml_with_a_fault_says_which(text, sentence):
    with pytest.raises(BadDocument) as caught:
        read_foreign(text.encode(), "x.xml", "x")
    assert sentence in str(caught.value)


def test_a_host_of_libvirt_never_gets_a_yes():
    from armlevel.arch import load
    from armlevel.engine import check, level
    from tests.formats.profiles import host, naturals

    there = read_foreign(CAPABILITIES.encode(), "c.xml", "c")
    assert there.shapes == (Shape(),)
    for guest, _ in naturals()[:3]:
        assert check(guest, there, load()).arrive != "runs"
    assert level([there, host("neoverse-n1@7.x")], load()).answer != "runs"
