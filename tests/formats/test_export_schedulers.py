"""Kubernetes and OpenStack: labels, affinity, traits; judged by their published schemas and libraries."""

from __future__ import annotations

import re

import jsonschema
import kubernetes_validate
import os_traits
import pytest
import yaml

from armlevel.arch import load
from armlevel.documents import digest, guest_object
from armlevel.engine import check
from armlevel.errors import UsageError
from armlevel.formats import kubernetes_write, openstack_write
from armlevel.formats.yaml_text import yaml_lines
from tests.formats import judges
from tests.formats.profiles import baselines, naturals

GUESTS = [*(guest for guest, _ in naturals()), *(guest for guest, *_ in baselines())]
MARKS = {guest.name: digest(guest_object(guest)) for guest in GUESTS}
VERSION = "1.34"
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")


def pod(guest):
    wish = yaml.safe_load(kubernetes_write.export(MARKS[guest.name], guest.name).text)["spec"]["template"][
        "spec"
    ]
    container = {"name": "compute", "image": "compute"}
    spec = {"affinity": wish["affinity"], "containers": [container]}
    return {"metadata": {"name": "vm"}, "spec": spec}


def validate(kind, items):
    document = {"apiVersion": "v1", "kind": kind, "items": items}
    kubernetes_validate.validate(document, VERSION, strict=True)


def test_kubernetes_schema_accepts_the_affinity_and_the_labels(tell):
    nodes = []
    for guest in GUESTS:
        labels = kubernetes_write.labels(MARKS[guest.name], guest.name, start=True, arrive=True)
        nodes.append({"metadata": {"name": "n", "labels": labels}})
        for key, value in labels.items():
            prefix, _, name = key.partition("/")
            assert prefix == kubernetes_write.PREFIX
            assert len(name) <= 63
            assert NAME.fullmatch(name)
            assert not value or (len(value) <= 63 and NAME.fullmatch(value))
    validate("PodList", [pod(guest) for guest in GUESTS])
    validate("NodeList", nodes)
    tell(f"Kubernetes: {len(GUESTS)} affinities and label sets accepted by the schema of {VERSION}")


def test_the_schema_is_a_judge():
    broken = pod(GUESTS[0])
    broken["spec"]["affinity"]["nodeAffinity"]["preferredDuringSleep"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        validate("PodList", [broken])


@pytest.mark.parametrize("name", ["", "...", "a" * 200, "V1 & V2 / common", "é", "-x-"])
def test_any_name_gives_a_label_value(name):
    value = kubernetes_write.label_value(name)
    assert value == "" or (len(value) <= 63 and NAME.fullmatch(value))


def test_a_node_that_cannot_run_the_guest_gets_no_label_and_no_trait():
    mark = MARKS[GUESTS[0].name]
    assert kubernetes_write.labels(mark, "x", start=False, arrive=False) == {}
    lines = kubernetes_write.feature_file(mark, "x", "h", start="refused", arrive="refused").text.splitlines()
    assert all(line.startswith("#") for line in lines)
    text = openstack_write.provider(mark, "x", "h", start="refused", arrive="refused").text
    assert "providers" not in yaml.safe_load(text)
    jsonschema.validate(yaml.safe_load(text), judges.nova_schema())


def test_a_feature_file_says_what_the_verdict_says():
    catalogue = load()
    for guest, *hosts in baselines():
        for there in hosts:
            verdict = check(guest, there, catalogue)
            start, arrive = verdict.start == "runs", verdict.arrive == "runs"
            mark = MARKS[guest.name]
            text = kubernetes_write.feature_file(
                mark, guest.name, there.name, start=verdict.start, arrive=verdict.arrive
            ).text
            labels = dict(line.split("=") for line in text.splitlines() if not line.startswith("#"))
            wanted = "start" if start else "arrive" if arrive else None
            assert labels.get(kubernetes_write.label_key(mark)) == wanted


def test_nova_accepts_every_provider_file(tell):
    judge = jsonschema.Draft7Validator(judges.nova_schema())
    for guest in GUESTS:
        for start in ("runs", "refused"):
            text = openstack_write.provider(
                MARKS[guest.name], guest.name, "h", start=start, arrive="runs"
            ).text
            document = yaml.safe_load(text)
            judge.validate(document)
            traits = document["providers"][0]["traits"]["additional"]
            assert len(traits) == (2 if start == "runs" else 1)
            assert all(os_traits.is_custom(one) and len(one) <= 255 for one in traits)
    tell(
        f"OpenStack: {2 * len(GUESTS)} provider files accepted by nova's schema, their traits custom by os-traits"
    )


def test_novas_schema_is_a_judge():
    document = yaml.safe_load(
        openstack_write.provider(MARKS[GUESTS[0].name], "x", "h", start="runs", arrive="runs").text
    )
    document["providers"][0]["traits"]["additional"] = ["armlevel-start"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, judges.nova_schema())


def test_a_flavor_has_extra_specs_that_nova_knows():
    hw, traits = (judges.nova_file(f"api/validation/extra_specs/{name}.py") for name in ("hw", "traits"))
    assert "name='hw:pmu'" in hw
    assert "name='trait{group}:CUSTOM_{trait}'" in traits
    pattern = re.compile(re.findall(r"'name': 'trait',\s+'pattern': r'([^']+)'", traits)[0])
    for guest in GUESTS:
        specs = {
            line.partition("=")[0]: line.partition("=")[2]
            for line in openstack_write.flavor(guest, MARKS[guest.name]).text.splitlines()
        }
        wish, pmu = sorted(specs, reverse=True)
        assert specs[wish] == "required"
        assert pattern.fullmatch(wish.removeprefix("trait:CUSTOM_"))
        assert (pmu, specs[pmu]) == ("hw:pmu", "true" if "pmu_v3" in guest.shape.features else "false")


def test_what_is_no_digest_is_refused():
    with pytest.raises(UsageError, match="no SHA-256 digest"):
        kubernetes_write.label_key("abc")
    with pytest.raises(UsageError, match="is no name of a trait"):
        openstack_write.trait("sha256:", "start")


@pytest.mark.parametrize(
    "value",
    [{"a": []}, {"a": {"b": ["no", "1.0", "x y", {"c": None, "d": True}]}}, {"on": "é\n"}, [["a"], {}]],
)
def test_yaml_is_read_as_it_was_meant(value):
    assert yaml.safe_load("\n".join(yaml_lines(value))) == value
