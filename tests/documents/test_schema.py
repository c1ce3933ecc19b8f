"""Each kind of document has a JSON Schema that says as much as the reader asks for."""

from __future__ import annotations

import json

import write_schemas
from armlevel.documents import schemas
from tests.documents.samples import GUEST, HOST, VERDICT


def test_every_kind_has_a_schema_that_is_json():
    found = schemas()
    profiles = {"host-profile/1", "guest-profile/1", "frozen-profile/1"}
    assert set(found) == {*profiles, "verdict/1", "report/1", "enrolment/1"}
    for kind, schema in found.items():
        assert json.loads(json.dumps(schema)) == schema
        assert schema["title"] == kind
        assert schema["properties"]["kind"]["const"] == kind
        assert schema["additionalProperties"] is False


def test_a_schema_names_every_key_of_its_documents():
    for sample in (HOST, GUEST, VERDICT):
        assert set(sample) <= set(schemas()[sample["kind"]]["properties"])
    offers = schemas()["host-profile/1"]["$defs"]["OfferModel"]["properties"]
    assert set(HOST["offers"][0]) | set(HOST["offers"][1]) <= set(offers)
    assert offers["limits"]["additionalProperties"]["pattern"] == "^0x[0-9a-f]{16}$"


def test_the_schemas_in_the_documentation_are_those_of_the_models():
    """A reader of /1 reads every /1 ever written: what changes these files after a release belongs to /2."""
    assert {path.name for path in write_schemas.FOLDER.iterdir()} == {
        path.name for path in write_schemas.texts()
    }
    for path, text in write_schemas.texts().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: see tools/write_schemas.py"
