"""Each kind of document has a JSON Schema that says as much as the reader asks for."""

from __future__ import annotations

import json

from armlevel.documents import schemas
from tests.documents.samples import GUEST, HOST, VERDICT


def test_every_kind_has_a_schema_that_is_json():
    found = schemas()
    assert set(found) == {"host-profile/1", "guest-profile/1", "frozen-profile/1", "verdict/1"}
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
