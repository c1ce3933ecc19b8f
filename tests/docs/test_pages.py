"""The made pages say everything there is to say, and point only at pages that there are."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path, PurePosixPath
from posixpath import normpath

import pytest

from armlevel.arch import load
from armlevel.cli.app import VERBS
from armlevel.documents.schema import schemas
from armlevel.machines import names
from make_docs import made_pages
from pages.keys import ANY, MEANINGS
from tests.fidelity.hosts import CPUS, HOSTS, added_names, recorded_names
from tests.repository.frame import ROOT

CATALOGUE = load()
WRITTEN = {str(page.relative_to(ROOT / "docs")): page for page in (ROOT / "docs").rglob("*.md")}


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return made_pages()


def test_every_verb_has_a_page_with_each_of_its_options(pages: dict[str, str]):
    for verb in VERBS:
        assert "## Synopsis" in pages[f"reference/commands/armlevel-{verb}.md"]
    for option in (
        "--implementation HOST",
        "--also-target MIDR:REVIDR",
        "--tolerate CLASS",
        "-o, --output FILE",
    ):
        assert f"`{option}`\n:" in pages["reference/commands/armlevel-baseline.md"]


def test_every_kind_of_document_has_a_page(pages: dict[str, str]):
    assert {f"reference/documents/{kind.replace('/', '-')}.md" for kind in schemas()} <= set(pages)


def test_every_key_of_a_document_has_a_meaning_and_no_other_has():
    keys: dict[str, set[str]] = {}
    for kind, schema in schemas().items():
        keys[kind] = set(schema["properties"])
        for name, one in schema.get("$defs", {}).items():
            keys[name.removesuffix("Model")] = set(one.get("properties", ()))
    keys["Guest"] = set()  # the page points at guest-profile/1
    assert set(MEANINGS) == set(keys)
    for name, told in MEANINGS.items():
        assert set(told) | (set(ANY) & keys[name]) == keys[name], name


def test_every_register_field_feature_rule_and_erratum_is_in_the_catalogue_with_its_source(
    pages: dict[str, str],
):
    for name, one in CATALOGUE.registers.items():
        text = pages[f"reference/catalogue/registers/{name.lower()}.md"]
        assert all(f"| `{field.name}` |" in text for field in one.fields)
        assert one.see.replace("*", "\\*") in text
    features = pages["reference/catalogue/features.md"]
    assert all(f"| {name} |" in features for name in CATALOGUE.features)
    rules = "".join(text for path, text in pages.items() if path.startswith("reference/catalogue/rules/"))
    assert rules.count("\n| ") > CATALOGUE.rules_total
    assert all(f"| `{rule.text}` |".replace("| `", "`") in rules for rule in CATALOGUE.rules)
    kvm = pages["reference/catalogue/kvm.md"]
    told = [one.why for one in CATALOGUE.line_changes]
    told += [one.why for one in CATALOGUE.stable]
    told += [one.why for one in CATALOGUE.leaks]
    told += [one.why for one in CATALOGUE.ignored]
    told += [one.why for one in CATALOGUE.drops]
    told += [one.why for one in CATALOGUE.couplings]
    assert [why for why in told if why.replace("*", "\\*").replace("<", "&lt;") not in kvm] == []
    errata = pages["reference/catalogue/errata.md"]
    assert all(f"| {one.name} |" in errata and one.see in errata for one in CATALOGUE.errata)
    tolerances = pages["reference/catalogue/tolerances.md"]
    assert all(f"## {name}\n" in tolerances for name in CATALOGUE.tolerances)


def test_every_recorded_machine_has_a_page(pages: dict[str, str]):
    machines = [page for page in pages if page.startswith("machines/")]
    assert len(machines) == len(names()) + len(list((ROOT / "tests/machines/hosts").glob("*.json"))) + len(
        recorded_names()
    )
    assert "Neoverse N1 r3p1" in pages["machines/graviton2-6.18.md"]


def test_the_atlas_has_each_step_between_kernels_and_each_cpu(pages: dict[str, str]):
    atlas = pages["atlas.md"]
    lines = {name.partition("@")[2] for name in (*HOSTS, *added_names()) if "," not in name}
    named = sorted(lines, key=lambda line: [int(part) if part.isdigit() else 99 for part in line.split(".")])
    assert named[0] == "6.1"
    assert named[-1] == "7.x"
    assert re.findall(r"^## From (\S+) to (\S+)$", atlas, re.MULTILINE) == [*pairwise(named)]
    cpus = {name.partition("@")[0] for name in HOSTS if "," not in name}
    assert {f"atlas/{cpu}.md" for cpu in cpus} <= set(pages)
    assert "| `TCR2_EL1` | no longer | " in atlas.partition("From 6.12 to ")[2]  # gone where TCRX is 0
    n1 = pages["atlas/neoverse-n1.md"]
    here = [line for line in named if f"neoverse-n1@{line}" in recorded_names()]
    assert f"| field | {' | '.join(here)} |" in n1


def test_each_kernel_line_has_a_page_of_the_atlas_with_its_cpus_and_nothing_foretold_wrongly(
    pages: dict[str, str],
):
    found = {path: text for path, text in pages.items() if path.startswith("atlas/linux-")}
    assert len(found) == len({name.partition("@")[2] for name in recorded_names() if "," not in name}) > 3
    for path, text in found.items():
        cpus = re.findall(r"^\| `([a-z0-9-]+)` \| .* \| (\d+) \|$", text, re.MULTILINE)
        line = path.removeprefix("atlas/linux-").removesuffix(".md")
        there = [cpu for cpu in CPUS if f"{cpu}@{line}" in recorded_names()]
        assert [cpu for cpu, _ in cpus] == there, path
        assert there == list(CPUS) or f"{there[0]}@{line}" not in HOSTS, path
        assert {wrong for _, wrong in cpus} == {"0"}, path
        assert ("## Writable bits" in text, "measured on " in text.splitlines()[0]) == (True, True), path
        assert ("## What it changed since " in text) is (path != "atlas/linux-6.1.md")


def test_a_made_page_points_only_at_pages(pages: dict[str, str]):
    there = {*pages, *WRITTEN}
    for path, text in pages.items():
        here = PurePosixPath(path).parent
        roots = {"": here, "/": PurePosixPath()}
        links = re.findall(r"\]\(([^)#\s:]+\.md)\)", text)
        for block in re.findall(r"```\{toctree\}\n(.*?)```", text, re.DOTALL):
            links += [f"{line}.md" for line in block.splitlines() if line and not line.startswith(":")]
        found = {link: normpath(roots[link[: link.startswith("/")]] / link.lstrip("/")) for link in links}
        assert [link for link, target in found.items() if target not in there] == [], path


def test_every_made_page_is_reached_from_another(pages: dict[str, str]):
    reached = set()
    texts = {**pages, **{name: page.read_text(encoding="utf-8") for name, page in WRITTEN.items()}}
    for path, text in texts.items():
        listed = [
            line
            for block in re.findall(r"```\{toctree\}\n(.*?)```", text, re.DOTALL)
            for line in block.split()
        ]
        links = [*re.findall(r"\]\(/?([^)#\s:]+\.md)\)", text), *(f"{line}.md" for line in listed)]
        reached |= {normpath(PurePosixPath(path).parent / link) for link in links} | set(links)
    assert set(pages) - reached == set()


def test_a_written_page_points_at_made_ones_by_their_names(pages: dict[str, str]):
    there = {*pages, *WRITTEN}
    for page in (WRITTEN[name] for name in WRITTEN if "decisions" not in name):
        text = page.read_text(encoding="utf-8")
        made = [link[1:] for link in re.findall(r"\]\((/[^)#\s]+\.md)\)", text)]
        assert [link for link in made if link not in there] == [], page
        assert Path(page).stat().st_size > 400 or page.name == "README.md"
