"""Bad input, kind by kind, each with the sentence that a person reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from armlevel.documents import load, load_guest, load_hosts, load_many, new_pool, read_document
from armlevel.errors import BadDocument, InputError, UnreadableFile, UsageError
from tests.documents.samples import GUEST, HOST, VERDICT, encoded, host, offer

HEX = "is not a value like '0x0000000000000011' (16 hex digits, lower case)"
RNDR = "offers[0].accepts.ID_AA64ISAR0_EL1.RNDR: "

BAD = {
    "an empty file": (b"", "the file is empty"),
    "truncated JSON": (encoded(HOST)[:300], "the JSON text ends too early"),
    "no JSON": (b'{"kind": nope}', "no JSON: expected ident"),
    "two documents in one file": (encoded(HOST) * 2, "no JSON: trailing characters"),
    "not UTF-8": (b'{"kind": "\xff\xfe"}', "no UTF-8 text: byte 0xff at offset 10"),
    "a byte order mark": (b"\xef\xbb\xbf" + encoded(HOST), "starts with a byte order mark"),
    "NaN": (b'{"kind": "host-profile/1", "name": NaN}', "no JSON"),
    "a thousand brackets": (
        b'{"kind": ' + b"[" * 1000 + b"]" * 1000 + b"}",
        "no JSON: recursion limit exceeded",
    ),
    "a list": (b'["kind"]', "JSON, but no document of ours; ours have a kind: host-profile/1"),
    "no kind": (b'{"name": "a"}', "JSON, but no document of ours"),
    "a wrong kind": (encoded(host(kind="recipe")), "kind: 'recipe' is unknown (known: host-profile/1"),
    "a newer kind": (encoded(host(kind="host-profile/7")), "a newer armlevel wrote it"),
    "a kind that is no text": (encoded(host(kind=["host-profile/1"])), "kind: ['host-profile/1'] is unknown"),
    "an unknown key": (encoded(host(colour="red")), "colour: unknown key"),
    "an unknown key below": (encoded(offer(limit={})), "offers[0].limit: unknown key"),
    "a missing key": (encoded({k: v for k, v in HOST.items() if k != "offers"}), "offers: is missing"),
    "a host without any offer": (
        encoded(host(offers=[])),
        "offers: a host that offers nothing was never probed",
    ),
    "a key twice": (
        b'{"kind": "host-profile/1", "name": "a", "name": "b", "offers": []}',
        "'name' stands twice",
    ),
    "a register twice": (
        encoded(HOST).replace(b'"S3_0_0_3_3"', b'"MIDR_EL1"'),
        "'MIDR_EL1' stands twice in one object",
    ),
    "a register id twice": (
        encoded(offer(register_list=["0x603000000013c000"] * 2)),
        "offers[0].register_list: register 0x603000000013c000 is listed twice",
    ),
    "a 65-bit value": (
        encoded(offer(limits={"MIDR_EL1": "0x1ffffffffffffffff"})),
        "offers[0].limits.MIDR_EL1: '0x1ffffffffffffffff' does not fit in 64 bits",
    ),
    "a 129-bit value": (
        encoded(offer(state={"V0": "0x1" + "f" * 32})),
        "does not fit in 128 bits",
    ),
    "bad hex": (encoded(offer(limits={"MIDR_EL1": "0x00000000411fd40g"})), f"'0x00000000411fd40g' {HEX}"),
    "short hex": (encoded(offer(limits={"MIDR_EL1": "0x411fd401"})), f"'0x411fd401' {HEX}"),
    "upper-case hex": (encoded(offer(limits={"MIDR_EL1": "0x00000000411FD401"})), HEX),
    "a number for a register": (encoded(offer(limits={"MIDR_EL1": 1092604929})), f"1092604929 {HEX}"),
    "an integer past 2^53": (
        encoded(offer(accepts={"REVIDR_EL1.IMPDEF": [2**53]})),
        "9007199254740992 is not below 2^53",
    ),
    "a huge integer": (
        encoded(host()).replace(b'"page_size": 4096', b'"page_size": 1' + b"0" * 6000),
        "no JSON: number out of range",
    ),
    "a field out of range": (
        encoded(offer(accepts={"ID_AA64ISAR0_EL1.RNDR": [0, 16]})),
        RNDR + "16 is out of range for a field of 4 bits (0 to 15)",
    ),
    "a negative field": (
        encoded(offer(accepts={"ID_AA64ISAR0_EL1.RNDR": [-1]})),
        RNDR + "-1 is out of range",
    ),
    "a field value twice": (
        encoded(offer(accepts={"ID_AA64ISAR0_EL1.RNDR": [1, 1]})),
        RNDR + "a value is listed twice",
    ),
    "a bool for a field": (
        encoded(offer(accepts={"ID_AA64ISAR0_EL1.RNDR": [True]})),
        RNDR + "True is not an integer",
    ),
    "a float for a field": (
        encoded(offer(accepts={"ID_AA64ISAR0_EL1.RNDR": [1.0]})),
        RNDR + "1.0 is not an integer",
    ),
    "accepted values of no kind": (
        encoded(offer(accepts={"ID_AA64ISAR0_EL1.RNDR": "any"})),
        RNDR + "'any' is neither a list of values nor a map",
    ),
    "accepted values with an unknown key": (
        encoded(offer(accepts={"ID_AA64ISAR0_EL1.RNDR": {"values": [], "maybe": []}})),
        RNDR + "unknown key 'maybe' (known: values, any, changed, unsure, others, how)",
    ),
    "any and values": (
        encoded(offer(accepts={"ID_AA64ISAR0_EL1.RNDR": {"any": True, "values": []}})),
        RNDR + 'needs either "values" or "any": true',
    ),
    "changed with a hex key": (
        encoded(offer(accepts={"ID_AA64ISAR0_EL1.RNDR": {"values": [], "changed": {"0x1": 0}}})),
        RNDR + "changed maps the asked value, in decimal, to the kept one",
    ),
    "changed with leading zeros": (
        encoded(offer(accepts={"ID_AA64ISAR0_EL1.RNDR": {"values": [], "changed": {"0" * 22 + "1": 0}}})),
        RNDR + "changed maps the asked value, in decimal, to the kept one",
    ),
    "a field in another spelling": (
        encoded(offer(accepts={"ID_AA64MMFR0_EL1.TGran4_2": [1]})),
        "a document spells this field ID_AA64MMFR0_EL1.TGRAN4_2",
    ),
    "a register in another spelling": (
        encoded(offer(limits={"id_aa64pfr0_el1": "0x" + "0" * 16})),
        "offers[0].limits.id_aa64pfr0_el1: a document spells this register ID_AA64PFR0_EL1",
    ),
    "a name that is no register": (encoded(offer(limits={"": "0x" + "0" * 16})), "is no name of a register"),
    "a subject that is no field": (
        encoded(offer(accepts={"RNDR": [1]})),
        "offers[0].accepts.RNDR: is no REG.FIELD",
    ),
    "bits that are none": (encoded(offer(accepts={"CCSIDR_EL1[0].3:9": [1]})), "has no such bits"),
    "an id of another architecture": (
        encoded(offer(register_list=["0x4030000000000000"])),
        "offers[0].register_list[0]: '0x4030000000000000' is no arm64 register id",
    ),
    "limits that are a list": (encoded(offer(limits=[])), "offers[0].limits: [] is not a map of registers"),
    "registers that are a map": (
        encoded(offer(register_list={})),
        "offers[0].register_list: {} is not a list",
    ),
    "like to itself": (encoded(offer(like=0)), "offers[0].like: 0 is no earlier offer"),
    "like below zero": (encoded(offer(like=-1)), "offers[0].like: -1 is below 0"),
    "without, but like nothing": (
        encoded(offer(register_list_without=["0x603000000013c000"])),
        "offers[0].register_list_without: has no meaning without like",
    ),
    "two offers of one shape": (
        encoded(host(offers=[HOST["offers"][0]] * 2)),
        "offers[1].shape: base is already the shape of offers[0]",
    ),
    "an unknown shape feature": (
        encoded(offer(shape={"features": ["svee"]})),
        "offers[0].shape.features[0]: no vCPU shape feature is called 'svee'",
    ),
    "a shape feature in QEMU's spelling": (
        encoded(offer(shape={"features": ["pauth"]})),
        "offers[0].shape.features[0]: a document spells 'pauth' ptrauth",
    ),
    "a way of learning that is none": (
        encoded(offer(how="guessed")),
        "offers[0].how: 'guessed' is not one of 'tried', 'masks' or 'predicted'",
    ),
    "a vector length that is none": (
        encoded(offer(sve_vls=[129])),
        "offers[0].sve_vls[0]: 129 is no multiple of 128",
    ),
    "a frequency of zero": (encoded(host(facts={"cntfrq_hz": 0})), "facts.cntfrq_hz: 0 is not above 0"),
    "a page size that is none": (
        encoded(host(facts={"page_size": 8192})),
        "8192 is not one of 4096, 16384 or 65536",
    ),
    "text for a number": (encoded(host(facts={"dczid": "4"})), "facts.dczid: '4' is not an integer"),
    "a digest that is none": (
        encoded(host(digest="md5:0")),
        "digest: 'md5:0' is not sha256: and 64 hex digits",
    ),
    "a MIDR that is none": (encoded(host(cpus=[{"midr": "0x1"}])), f"cpus[0].midr: '0x1' {HEX}"),
    "a guest without registers": (encoded({"kind": "guest-profile/1", "shape": {}}), "registers: is missing"),
    "a guest that carries a name": (
        encoded(GUEST | {"register_list": ["MIDR_EL1"]}),
        f"register_list[0]: 'MIDR_EL1' {HEX}",
    ),
    "a verdict that contradicts itself": (
        encoded(VERDICT | {"start": "runs"}),
        "start: 'runs', but its parts say 'refused'",
    ),
    "a lone surrogate": (encoded(host(name="x")).replace(b'"x"', b'"\\ud800"'), "no JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_its_sentence(name):
    data, sentence = BAD[name]
    with pytest.raises(InputError) as caught:
        read_document(data, "fleet/a.json")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("fleet/a.json: ")


@pytest.mark.parametrize("name", BAD)
def test_a_pool_that_has_read_good_documents_refuses_as_a_fresh_one_does(name):
    from armlevel.documents import new_pool

    data, sentence = BAD[name]
    pool = new_pool()
    for good in (HOST, GUEST, VERDICT):
        read_document(encoded(good), "good.json", pool)
    for _ in range(2):
        with pytest.raises(InputError, match=r"^bad\.json: ") as caught:
            read_document(data, "bad.json", pool)
        assert sentence in str(caught.value)
    assert read_document(encoded(HOST), "h", pool) == read_document(encoded(HOST), "h")


def test_all_faults_of_a_document_are_told_at_once():
    limits = {"MIDR_EL1": "x", "ID_AA64PFR0_EL1": "0x1ffffffffffffffff"}
    bad = offer(
        limits=limits, accepts={"ID_AA64ISAR0_EL1.RNDR": [99], "RNDR": []}, register_list=["?"], like=3
    )
    with pytest.raises(BadDocument) as caught:
        read_document(encoded(bad), "a.json")
    assert [fault.split(": ")[0] for fault in caught.value.faults] == [
        "offers[0].register_list[0]",
        "offers[0].limits.MIDR_EL1",
        "offers[0].limits.ID_AA64PFR0_EL1",
        "offers[0].accepts.ID_AA64ISAR0_EL1.RNDR",
        "offers[0].accepts.RNDR",
        "offers[0].like",
    ]
    with pytest.raises(BadDocument) as caught:
        read_document(encoded(host(colour="red", facts={"dczid": -1, "gmid": "x"}, digest=3)), "a.json")
    assert len(caught.value.faults) == 4


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UnreadableFile, match=r"nowhere\.json: no such file"):
        load(str(tmp_path / "nowhere.json"))


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    huge = tmp_path / "huge.json"
    with huge.open("wb") as stream:
        stream.truncate((64 << 20) + 1)
    with pytest.raises(UnreadableFile, match="is 64 MiB; nothing larger than 64 MiB is read"):
        load(str(huge))


def test_a_loop_of_symbolic_links_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(UnreadableFile, match="a loop of symbolic links"):
        load(str(tmp_path / "a"))
    with pytest.raises(UnreadableFile, match="a loop of symbolic links"):
        load_many([str(tmp_path)])


def test_a_directory_is_refused_where_a_file_is_needed(tmp_path):
    with pytest.raises(UnreadableFile, match="is a directory, and a file is needed here"):
        load(str(tmp_path))


def test_an_empty_directory_is_refused(tmp_path):
    (tmp_path / ".hidden.json").write_bytes(encoded(HOST))
    with pytest.raises(UnreadableFile, match="a directory without profiles"):
        load_many([str(tmp_path)])


def test_no_file_at_all_is_a_usage_error():
    with pytest.raises(UsageError, match="no file was named"):
        load_many([])


def test_a_name_with_a_zero_byte_is_refused():
    with pytest.raises(UnreadableFile, match="zero byte"):
        load("a\0b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path):
    locked = tmp_path / "locked.json"
    locked.write_bytes(encoded(HOST))
    locked.chmod(0)
    with pytest.raises(UnreadableFile, match="no permission to read it"):
        load(str(locked))


def test_a_file_of_no_known_tool_is_refused_and_says_what_is_known(tmp_path):
    readme = tmp_path / "README"
    readme.write_text("hosts of rack 7\n")
    with pytest.raises(
        InputError, match="neither a profile nor a file of a tool we know; known: Firecracker"
    ):
        load_many([str(tmp_path)])


def test_a_guest_is_refused_where_hosts_are_needed(tmp_path):
    (tmp_path / "g.json").write_bytes(encoded(GUEST))
    (tmp_path / "h.json").write_bytes(encoded(HOST))
    with pytest.raises(BadDocument, match="a host profile is needed here, this is a guest profile"):
        load_hosts([str(tmp_path)])
    with pytest.raises(BadDocument, match="a guest profile is needed here, this is a host profile"):
        load_guest(str(tmp_path / "h.json"))


def test_a_directory_means_every_profile_in_it_once_and_in_order(tmp_path: Path):
    below = tmp_path / "rack"
    below.mkdir()
    for number in (2, 1, 3):
        (below / f"h{number}.json").write_bytes(json.dumps(host(name="")).encode())
    (below / "again.json").symlink_to("h1.json")
    (below / "loop").symlink_to(tmp_path)
    hosts = load_hosts([str(tmp_path)])
    assert [one.name for one in hosts] == ["again", "h2", "h3"]


def test_names_of_hosts_are_unique(tmp_path: Path):
    for number in range(3):
        (tmp_path / f"{number}.json").write_bytes(encoded(HOST))
    assert [one.name for one in load_hosts([str(tmp_path)])] == ["a", "a#2", "a#3"]


def _other_types(value: object) -> Iterator[object]:
    # What equals a value, or spells it, and is of another JSON type.
    if isinstance(value, str) and value.startswith("0x"):
        yield from (int(value, 16), float(int(value, 16) % 2**50), [value])
    elif isinstance(value, int):
        yield from (float(value), str(value), hex(value))
        if value in (0, 1):
            yield bool(value)


def _with_other_types(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    # One change a document: one item of each map and list of its first offer, or all of them.
    for section, content in document["offers"][0].items():
        if isinstance(content, list):
            for index in range(len(content)):
                for other in _other_types(content[index]):
                    yield section, {section: [*content[:index], other, *content[index + 1 :]]}
            yield section, {section: [next(_other_types(one), one) for one in content]}
        elif isinstance(content, dict):
            for key, item in content.items():
                for other in _other_types(item):
                    yield section, {section: content | {key: other}}
                if isinstance(item, list):
                    for other in [next(_other_types(one), one) for one in item[:1]]:
                        yield section, {section: content | {key: [other, *item[1:]]}}
            yield section, {section: {key: next(_other_types(item), item) for key, item in content.items()}}


def test_what_is_refused_alone_is_refused_after_others(tell):
    good, count = json.loads(encoded(HOST)), 0
    for section, change in _with_other_types(good):
        first = good["offers"][0]
        if change[section] == first[section] and repr(change[section]) == repr(first[section]):
            continue
        changed = json.dumps(good | {"offers": [first | change, *good["offers"][1:]]}).encode()
        said = []
        for warm in (False, True):
            pool = new_pool()
            if warm:
                read_document(encoded(HOST), "good", pool)
            with pytest.raises(InputError) as caught:
                read_document(changed, "f", pool)
            said.append(str(caught.value))
        assert said[0] == said[1], section
        count += 1
    assert count > 20
    tell(
        f"{count} documents with values of another type: refused alone and after a good one, in the same words"
    )
