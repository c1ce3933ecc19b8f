"""How emulated hosts and kernel lines are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.arch import load
from armlevel.errors import UnknownName, UsageError
from armlevel.lab import LINES, MODELS, parse_host
from armlevel.lab.lines import FLAVOURS, newest, release_of

KERNELS = [
    "linux-image-6.1.0-47-cloud-arm64",
    "linux-image-6.1.0-50-cloud-arm64",
    "linux-image-6.12.107+deb13-cloud-arm64",
    "linux-image-6.12.117+deb13-cloud-arm64",
    "linux-image-6.18.9+deb13-cloud-arm64",
    "linux-image-6.18.15+deb13-cloud-arm64",
    "linux-binary-7.1.13+deb13-cloud-arm64",
    "linux-image-7.3.4+deb13-cloud-arm64",
    "linux-binary-7.3.4+deb13-cloud-arm64",
    "linux-image-cloud-arm64",
    "linux-image-6.12.117+deb13-rt-arm64",
    "linux-image-6.12.118+deb13-arm64-16k-unsigned",
    "linux-image-6.12.118+deb13-arm64-16k",
    "linux-image-7.3.5+deb13-arm64-16k",
    "linux-binary-7.3.5+deb13-arm64-16k",
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_row_is_spelt_as_it_reads(model):
    for options in ("", *model.variants):
        text = ",".join(filter(None, (model.name, options))) + "@6.12"
        assert str(parse_host(text)) == text


@pytest.mark.parametrize(
    ("text", "same"),
    [("max@7.x,pages=16k,gic=2", "max@7.x,gic=2,pages=16k"), ("max@7.x,gic=3,pages=4k", "max@7.x")],
)
def test_what_is_as_usual_is_left_out_and_the_rest_has_an_order(text, same):
    assert str(parse_host(text)) == same
    assert parse_host(same) == parse_host(text)


@given(
    st.permutations(["sve=off", "pauth-qarma5=on", "cntfrq=62500000"]),
    st.sampled_from(["", ",mte=on", ",smp=2,boot=arm64.nosve,boot=kvm-arm.mode=nested"]),
)
def test_a_host_has_one_spelling(options, machine):
    host = parse_host(f"max,{','.join(options)}@7.x{machine}")
    assert str(host) == f"max,cntfrq=62500000,pauth-qarma5=on,sve=off@7.x{machine}"
    assert parse_host(str(host)) == host


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("neoverse-n2", "names no kernel line"),
        ("neoverse-n2@", "is no kernel line"),
        ("neoverse-n2@v6.1", "is no kernel line"),
        ("neoverse-n2,sve@6.1", "is no CPU option"),
        ("neoverse-n2,sve=off,sve=on@6.1", "sets sve twice"),
        ("neoverse-n2@6.1,smp=0", "is no machine option"),
        ("neoverse-n2@6.1,boot=a b", "is no machine option"),
        ("neoverse-n2@6.1,gic=4", "is no machine option"),
        ("neoverse-n2@6.1,pages=64k", "is no machine option"),
        ("max,sve=off -monitor@6.1", "is no CPU option"),
    ],
)
def test_a_misspelt_host_is_refused_in_a_sentence(text, sentence):
    with pytest.raises(UsageError, match=sentence):
        parse_host(text)


def test_an_unknown_model_is_told_its_neighbours():
    with pytest.raises(UnknownName, match="neoverse-n2") as caught:
        parse_host("neoverse-n3@6.12")
    assert "neoverse-n2" in caught.value.near


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("6.1", "linux-image-6.1.0-50-cloud-arm64"),
        ("6.12", "linux-image-6.12.117+deb13-cloud-arm64"),
        ("6.18", "linux-image-6.18.15+deb13-cloud-arm64"),
        ("7.x", "linux-binary-7.3.4+deb13-cloud-arm64"),
        ("7.1", "linux-binary-7.1.13+deb13-cloud-arm64"),
        ("6.18.9", "linux-image-6.18.9+deb13-cloud-arm64"),
        ("6.6", None),
    ],
)
def test_a_line_means_its_newest_kernel(line, package):
    assert newest(line, KERNELS) == package


def test_a_flavour_has_kernels_of_its_own():
    assert newest("6.12", KERNELS, FLAVOURS["16k"]) == "linux-image-6.12.118+deb13-arm64-16k"
    assert newest("7.x", KERNELS, FLAVOURS["16k"]) == "linux-binary-7.3.5+deb13-arm64-16k"
    assert newest("6.1", KERNELS, FLAVOURS["16k"]) is None
    assert release_of("linux-binary-7.3.5+deb13-arm64-16k") == "7.3.5+deb13"


def test_every_measured_line_has_a_name_and_the_tests_need_three():
    assert [line.name for line in LINES if line.needed] == ["6.1", "6.12", "7.x"]
    measured = [line.name for line in load().lines if line.name != "before-6.1"]
    assert [line.name.replace("7.x", "7.3") for line in LINES] == measured
    assert release_of("linux-image-6.1.0-50-cloud-arm64") == "6.1.0-50"
