"""Domains of libvirt: its own schema is the judge."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from lxml import etree

from armlevel.arch import load
from armlevel.formats.libvirt_confine import CONFINEMENTS
from armlevel.formats.libvirt_write import FORMS, export
from armlevel.formats.qemu_write import options_of
from tests.formats import judges
from tests.formats.profiles import back, baselines, host, naturals

CATALOGUE = load()
DOMAINS = [form for form in FORMS if form not in {"wrapper-script", *CONFINEMENTS}]


def written(guest, form, there=None, **more):
    return export(guest, options_of(guest, CATALOGUE, **more), CATALOGUE, form=form, host=there)


@pytest.mark.parametrize("form", DOMAINS)
def test_libvirts_schema_accepts_every_domain(form, tell):
    schema = judges.libvirt_schema("domain")
    guests = [*(guest for guest, _ in naturals()), *(guest for guest, *_ in baselines())]
    for guest in guests:
        schema.assertValid(etree.fromstring(written(guest, form).text))
    assert len(guests) >= 20
    tell(f"libvirt {form}: {len(guests)} domains accepted by libvirt's schema")


def test_the_schema_is_a_judge():
    guest, _ = naturals()[0]
    text = written(guest, "cpu").text.replace('policy="', 'polity="')
    assert not judges.libvirt_schema("domain").validate(etree.fromstring(text))


@pytest.mark.parametrize("form", ["cpu", "commandline"])
def test_a_domain_read_back_asks_for_the_same_cpu(form):
    for guest, there in naturals():
        assert back(written(guest, form).text, there) == guest


def test_vector_lengths_are_capped_as_the_profile_says():
    for guest, *hosts in baselines():
        for there in hosts:
            again = back(written(guest, "cpu").text, there)
            assert again.shape.features == guest.shape.features
            assert again.sve_vls == guest.sve_vls


def test_what_libvirt_cannot_say_is_listed_with_the_way_out():
    v1 = host("neoverse-v1@7.x")
    guest = next(
        guest
        for guest, one, other in baselines()
        if {one.name, other.name} == {"neoverse-v1@7.x", "neoverse-n2@7.x"}
    )
    left = {one.subject: one for one in written(guest, "cpu", v1).left}
    assert left["ID_AA64MMFR0_EL1.TGRAN4_2"].ways == ("run",)
    assert left["-cpu kvm-steal-time"].ways == ("commandline", "run")
    assert "-cpu kvm-steal-time" not in {one.subject for one in written(guest, "commandline", v1).left}
    assert not [one for one in written(guest, "wrapper", v1).left if one.certain]


def test_the_commandline_form_has_the_whole_option_and_it_wins():
    guest, _ = naturals()[0]
    words = [one.get("value") for one in etree.fromstring(written(guest, "commandline").text).iter("{*}arg")]
    assert words[0] == "-cpu"
    assert words[1] == options_of(guest, CATALOGUE).cpu_option


@pytest.mark.parametrize("probed", [True, False])
def test_the_wrapper_has_armlevel_start_qemu_with_the_words_of_libvirt(tmp_path, probed):
    (tmp_path / "armlevel").write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    (tmp_path / "armlevel").chmod(0o755)
    guest, _ = naturals()[0]
    (tmp_path / "wrapper").write_text(written(replace(guest, name="it's; rm -rf"), "wrapper-script").text)
    there = tmp_path / "host.json"
    if probed:
        there.touch()
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "ARMLEVEL_QEMU": "/q", "ARMLEVEL_HOST": str(there)}
    words = ["-machine", "virt-10.0", "-name", "a b"]
    done = subprocess.run(
        ["/bin/sh", str(tmp_path / "wrapper"), *words], env=environment, capture_output=True, text=True
    )
    known = ["--host", str(there)] if probed else []
    said = ["run", "--guest", "/etc/armlevel/it-s-rm--rf.json", *known, "--", "/q", *words]
    assert done.stdout == "".join(f"{word}|" for word in said)
