"""How emulated hosts and kernel lines are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armlevel.errors import UnknownName, UsageError
from armlevel.lab import LINES, MODELS, parse_host
from armlevel.lab.lines import newest, release_of

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
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_row_is_spelt_as_it_reads(model):
    for options in ("", *model.variants):
        text = ",".join(filter(None, (model.name, options))) + "@6.12"
        assert str(parse_host(text)) == text


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


def test_the_tests_need_three_lines():
    assert [line.name for line in LINES if line.needed] == ["6.1", "6.12", "7.x"]
    assert release_of("linux-image-6.1.0-50-cloud-arm64") == "6.1.0-50"
