"""A damaged file of another tool is read, or refused in a sentence: nothing else happens."""

from __future__ import annotations

import json
import random

import pytest

from armlevel.arch import load
from armlevel.engine import passthrough
from armlevel.errors import InputError, UsageError
from armlevel.formats import FORMATS, CpuRequest, recognise
from armlevel.formats.firecracker_write import export_fingerprint, export_template
from armlevel.formats.qemu_write import export, options_of
from armlevel.profile import Host
from tests.formats.profiles import baselines, host
from tests.formats.test_import_libvirt import CAPABILITIES, DOMAIN, DOMCAPABILITIES

CATALOGUE = load()
GUEST, ONE, _ = baselines()[-1]
FINGERPRINT = json.loads(export_fingerprint(host("graviton3-6.1")).text)
FINGERPRINT["guest_cpu_config"]["reg_modifiers"] = FINGERPRINT["guest_cpu_config"]["reg_modifiers"][::20]
PROPS = {"pmu": True, "sve": True, "sve128": True, "SYSREG_ID_AA64ISAR0_EL1_AES": 2}
SAMPLES = {
    "Firecracker fingerprint": json.dumps(FINGERPRINT),
    "Firecracker CPU template": export_template(GUEST, ONE, CATALOGUE).text,
    "QEMU query-cpu-model-expansion": json.dumps({"return": {"model": {"name": "host", "props": PROPS}}}),
    "QEMU -cpu option": export(GUEST, options_of(GUEST, CATALOGUE), CATALOGUE).text,
    "libvirt capabilities": CAPABILITIES,
    "libvirt domcapabilities": DOMCAPABILITIES,
    "libvirt domain": DOMAIN,
}
READERS = {one.name: one for one in FORMATS}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_recognised_by_its_content(name):
    found = recognise(SAMPLES[name].encode())
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("name", SAMPLES)
def test_damage_is_a_sentence(name, tell):
    random_ = random.Random(name)
    read = refused = 0
    for _ in range(400):
        text = bytearray(SAMPLES[name].encode())
        for _ in range(random_.randint(1, 3)):
            at = random_.randrange(len(text))
            match random_.randrange(3):
                case 0:
                    text[at] = random_.choice(b'<>{}[]":,=0x9ab/ \n')
                case 1:
                    del text[at : at + random_.randint(1, 30)]
                case _:
                    text[at:at] = text[at : at + random_.randint(1, 30)]
        try:
            found = recognise(bytes(text), "file")
            if found is None:
                continue
            content = json.loads(text) if found.kind == "json" else text.decode()
            outcome = found.read(content, "file", "x", CATALOGUE)
            if isinstance(outcome, CpuRequest):
                outcome.onto(passthrough(ONE, CATALOGUE, shape=outcome.shape_on(ONE)))
            else:
                assert isinstance(outcome, Host)
            read += 1
        except (InputError, UsageError):
            refused += 1
    assert refused > 10
    tell(f"damaged {name}: {read} read, {refused} refused in a sentence, of 400")


NESTED: list[object] = [[[]], {"a": {}}, None, 3, "x", True, []]


@pytest.mark.parametrize("name", [name for name in SAMPLES if SAMPLES[name].startswith("{")])
@pytest.mark.parametrize("wrong", NESTED, ids=str)
def test_a_value_of_another_kind_anywhere_is_a_sentence(name, wrong):
    def places(value, path=()):
        if isinstance(value, dict | list):
            for key in value if isinstance(value, dict) else range(len(value)):
                yield (*path, key)
                yield from places(value[key], (*path, key))

    refusals: list[str] = []
    for path in list(places(json.loads(SAMPLES[name])))[:60]:
        document = json.loads(SAMPLES[name])
        inner = document
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = wrong
        try:
            READERS[name].read(document, "file", "x", CATALOGUE)
        except (InputError, UsageError) as exc:
            refusals.append(exc.message)
    assert refusals
    for sentence in refusals:
        assert sentence.startswith("file: ")
        assert len(sentence.split()) > 3, sentence
