"""The standard library's tables and pydantic's models say the same of every document, bound by bound."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from armlevel.documents import specs
from armlevel.documents.model_report import EnrolmentModel, ReportModel
from armlevel.documents.models import FrozenModel, GuestModel, HostModel
from armlevel.documents.read import parse
from armlevel.documents.reports import ENROLMENT, REPORT
from armlevel.documents.schema import schema_of
from armlevel.documents.structure import FROZEN, GUEST, HOST
from armlevel.documents.validated import faults_of, json_at_large
from armlevel.errors import BadDocument
from tests.documents import samples
from tests.documents.test_mutations import BYTES, bent

KINDS: dict[str, tuple[specs.Record, type[BaseModel]]] = {
    "host-profile/1": (HOST, HostModel),
    "guest-profile/1": (GUEST, GuestModel),
    "frozen-profile/1": (FROZEN, FrozenModel),
    "report/1": (REPORT, ReportModel),
    "enrolment/1": (ENROLMENT, EnrolmentModel),
}
FROZEN_SAMPLE: dict[str, Any] = {
    "kind": "frozen-profile/1",
    "name": "web",
    "version": "1",
    "digest": "sha256:" + "0" * 64,
    "guest": samples.GUEST,
    "lineage": {
        "hosts": [{"name": "a", "digest": "sha256:" + "1" * 64}],
        "policy": {
            "pins": {"CTR_EL0.DIC": "0x0000000000000000"},
            "without": ["sve"],
            "assume_same_impdef": True,
        },
        "given": [{"host": "a", "fact": "cntfrq_hz", "value": 25_000_000}],
        "at": "2026-11-23T10:00:00Z",
    },
}
REPORT_SAMPLE: dict[str, Any] = {
    "kind": "report/1",
    "name": "n1",
    "boot_id": "11111111-1111-4111-8111-111111111111",
    "sequence": 3,
    "at": "2026-11-30T20:00:00Z",
    "host": {"digest": "sha256:" + "0" * 64, "content": "sha256:" + "1" * 64},
    "guests": {"content": "sha256:" + "2" * 64},
    "events": [{"number": 1, "at": "2026-11-30T20:00:00Z", "code": "booted", "words": {"boot_id": "x"}}],
}


def said_by_table(spec: Any) -> Any:
    """What a table demands, in the words of JSON Schema."""
    match spec:
        case specs.LongPart():
            return "long"
        case specs.Truth():
            return {"type": "boolean"}
        case specs.Whole():
            return {"type": "integer", "from": spec.least, "below": spec.below, "multiple": spec.multiple}
        case specs.Text():
            return {"type": "string", "pattern": spec.pattern, "longest": spec.longest}
        case specs.OneOf():
            return {"one of": spec.values}
        case specs.Either():
            return {"either": [said_by_table(one) for one in spec.specs]}
        case specs.OrNull():
            return {"either": [said_by_table(spec.spec), {"type": "null"}]}
        case specs.Many():
            return {"items": said_by_table(spec.spec), "least": spec.least, "most": spec.most}
        case specs.Table():
            return {"names": said_by_table(spec.key), "each": said_by_table(spec.spec), "most": spec.most}
        case specs.Record():
            return {
                "keys": {key: said_by_table(one) for key, one in spec.keys.items()},
                "needed": spec.needed,
            }
    raise AssertionError(spec)


def said_by_schema(schema: dict[str, Any], kinds: dict[str, Any]) -> Any:
    """What a JSON Schema demands, in the same words."""
    if "$ref" in schema:
        return said_by_schema(kinds[schema["$ref"].rpartition("/")[2]], kinds)
    if "const" in schema or "enum" in schema:
        return {"one of": frozenset(schema.get("enum", [schema.get("const")]))}
    if "anyOf" in schema:
        return {"either": [said_by_schema(one, kinds) for one in schema["anyOf"]]}
    match schema["type"]:
        case "string":
            return {
                "type": "string",
                "pattern": schema.get("pattern", ""),
                "longest": schema.get("maxLength"),
            }
        case "integer":
            least = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
            below = schema.get("exclusiveMaximum", schema.get("maximum", -1) + 1)
            return {"type": "integer", "from": least, "below": below, "multiple": schema.get("multipleOf", 1)}
        case "array":
            return {
                "items": said_by_schema(schema["items"], kinds),
                "least": schema.get("minItems", 0),
                "most": schema.get("maxItems"),
            }
        case "object" if "properties" in schema:
            assert schema["additionalProperties"] is False
            keys = {key: said_by_schema(one, kinds) for key, one in schema["properties"].items()}
            return {"keys": keys, "needed": frozenset(schema.get("required", ()))}
        case "object":
            names, each = schema.get("propertyNames", {}), schema.get("additionalProperties", {})
            if "patternProperties" in schema:
                ((pattern, each),) = schema["patternProperties"].items()
                names = {"pattern": pattern}
            return {
                "names": said_by_schema({"type": "string", **names}, kinds),
                "each": said_by_schema(each, kinds),
                "most": schema.get("maxProperties"),
            }
    return {"type": schema["type"]}


def without_long_parts(said: Any, table: Any) -> Any:
    """What is decoded item by item is checked there: the table only knows that it is there."""
    if table == "long":
        return "long"
    if isinstance(said, dict) and isinstance(table, dict):
        return {key: without_long_parts(one, table.get(key)) for key, one in said.items()}
    if isinstance(said, list) and isinstance(table, list) and len(said) == len(table):
        return [without_long_parts(one, other) for one, other in zip(said, table, strict=True)]
    return said


@pytest.mark.parametrize("kind", KINDS)
def test_the_tables_say_what_the_published_schema_says(kind: str):
    structure, model = KINDS[kind]
    schema = schema_of(kind, model)
    table = said_by_table(structure)
    assert without_long_parts(said_by_schema(schema, schema.get("$defs", {})), table) == table


def test_whatever_is_bent_both_take_or_both_refuse(tell):
    rng = random.Random(20261130)
    count, taken = 8_000, 0
    whole = (samples.HOST, samples.GUEST, FROZEN_SAMPLE, REPORT_SAMPLE)
    for sample in whole:
        structure, model = KINDS[sample["kind"]]
        assert structure.fits(sample)
        model.model_validate(sample)
    for number in range(count):
        structure, model = KINDS[(sample := rng.choice(whole))["kind"]]
        try:
            document = json.loads(bent(sample, rng))
        except ValueError:
            continue
        fits = structure.fits(document)
        try:
            model.model_validate(document)
        except ValidationError:
            assert not fits, (number, document)
            faults: list[str] = []
            structure.blame(document, "", faults)
            assert faults, "what does not fit has a fault"
        else:
            assert fits, (number, document)
            taken += 1
    tell(f"documents bent at random: the tables and pydantic agree on {count}, {taken} of them good")
    assert taken > count / 50


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.partition("/")[0].endswith("-profile")])
def test_what_only_the_table_refused_would_be_refused(kind: str):
    structure, _ = KINDS[kind]
    narrower = specs.Record({"kind": structure.keys["kind"]}, frozenset(["nothing has it"]))
    sample = {"host-profile/1": samples.HOST, "guest-profile/1": samples.GUEST}.get(kind, FROZEN_SAMPLE)
    assert faults_of(kind, sample, narrower)


TEXTS = (
    *(b"[" * 150 + b"]" * 150, b"[" * 5000, b"[1]\n", b"[1,]", b"[Infinity]", b'"[[["', b'"]"'),
    *(b"NaN", b"1e999", b"-0", b"01", b"1" * 5000, b"", b"  ", b"{} {}", b'"\x01"'),
    *(
        b'{"a": "\\ud800"}',
        b'{"a": "\\ud83d\\ude00"}',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
    ),
)


def test_a_text_is_json_for_both_readers_or_for_none():
    rng = random.Random(7)
    texts = [*TEXTS]
    for _ in range(3_000):
        whole = rng.choice(TEXTS)
        at = rng.randrange(len(whole) + 1)
        texts.append(whole[:at] + rng.choice(BYTES) + whole[at:])
    read = 0
    for text in texts:
        try:
            expected = json_at_large(text)
        except ValueError:
            with pytest.raises(BadDocument):
                parse(text, "x")
            continue
        assert repr(parse(text, "x")) == repr(expected), text
        read += 1
    assert read > len(texts) / 20


READING = """
import sys
from pathlib import Path
from armlevel.documents import read_document
for path in sys.argv[1:]:
    read_document(Path(path).read_bytes(), path)
print(*(name for name in ("pydantic", "pydantic_core", "typing_extensions") if name in sys.modules))
"""


def test_a_document_without_a_fault_is_read_without_pydantic(tmp_path):
    paths = [tmp_path / "host.json", tmp_path / "guest.json"]
    for path, sample in zip(paths, (samples.HOST, samples.GUEST), strict=True):
        path.write_bytes(samples.encoded(sample))
    done = subprocess.run([sys.executable, "-c", READING, *paths], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
