"""Ten thousand documents bent at random: each is read or refused with a sentence, none ends in a traceback."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from armlevel.documents import (
    Document,
    canonical,
    document_object,
    host_object,
    new_pool,
    pretty,
    read_document,
    read_host,
)
from armlevel.documents.read import KINDS, from_parsed, lines_of, parse
from armlevel.errors import InputError, NotRecognised
from armlevel.profile import Host
from tests.documents.samples import GUEST, HOST, VERDICT

COUNT = 10_000
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 16, 2**53, 2**64, 10**30, 0.5, 1e300, "", "x", "0x", "0x0", "0x" + "f" * 17, "\ud7ff",
    "0x000000000000000g", "0x6030000000140000", [], {}, [[]], [0], ["sve"], {"a": {}}, {"any": True}, "host-profile/1",
    'é:\\"', "\x00", "sha256:" + "0" * 64,
)  # fmt: skip
BYTES = (
    b"",
    b"\x00",
    b"\xff",
    b'"',
    b"\\",
    b"{",
    b"]",
    b",",
    b":",
    b"1",
    b"0x",
    b"\\u0022",
    b"\\ud800",
    b"NaN",
    b"-",
    b"e9",
)


def bent(document: dict[str, Any], rng: random.Random) -> bytes:
    """Return the document with one to three things changed, as a tree or as bytes."""
    document = copy.deepcopy(document)
    for _ in range(rng.randint(1, 3)):
        _bend(document, rng)
    data = json.dumps(document).encode()
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        at = rng.randrange(len(data))
        cut = rng.choice((0, 1, 1, rng.randrange(40)))
        data = data[:at] + rng.choice(BYTES) + data[at + cut :]
    return data[: rng.randrange(len(data))] if rng.random() < 0.02 else data


def _bend(document: dict[str, Any], rng: random.Random) -> None:
    node: Any = document
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = rng.choice(keys)
        if isinstance(node[key], dict | list) and node[key] and rng.random() < 0.8:
            node = node[key]
            continue
        what = rng.random()
        if what < 0.5:
            node[key] = copy.deepcopy(rng.choice(ODD))
        elif what < 0.7:
            del node[key]
        elif isinstance(node, dict):
            node[rng.choice(("", "x", "kind", "like", "MIDR_EL1", "any", "0", "é"))] = copy.deepcopy(
                node[key]
            )
        else:
            node.append(copy.deepcopy(node[key]))
        return


def answer(read: Callable[[], Document]) -> Document | str:
    """Return what reading gave: a document, or the sentence that refused it."""
    try:
        return read()
    except InputError as exc:
        return str(exc)


def at_large(data: bytes) -> Document:
    """Read a document as any JSON, without regard to its lines."""
    document = parse(data, "x")
    if not isinstance(document, dict) or "kind" not in document:
        raise NotRecognised(
            "x", "JSON, but no document of ours", hint="ours have a kind: " + ", ".join(KINDS)
        )
    return from_parsed(document, "x", new_pool())


def test_reading_by_lines_and_reading_at_large_say_the_same(tell):
    # What we wrote ourselves is read line by line; bent in any way, it still means what any JSON reader makes of it.
    rng = random.Random(20261124)
    texts = [pretty(host_object(read_host(json.dumps(HOST).encode(), "a"))).encode()]
    texts.append(texts[0].replace(b'"name": "a"', b'"name": "b", "software": {"vmms": {"limits": "x:y"}}'))
    recorded = Path(__file__).parents[2] / "src/armlevel/machines/graviton3-6.18.json"
    texts += [recorded.read_bytes()] * 3
    assert all(lines_of(text, new_pool()) for text in texts)
    pool = new_pool()
    by_lines = same = 0
    for number in range(COUNT // 5):
        text = rng.choice(texts)
        lines = text.split(b"\n")
        for _ in range(rng.choice((0, 1, 1, 2))):
            at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
            what = rng.randrange(6)
            if what == 0:
                lines[at] = lines[other]
            elif what == 1:
                lines.insert(at, lines[other])
            elif what == 2 and len(lines) > 2:
                del lines[at % len(lines)]
            elif what == 3:
                lines[at % len(lines)] += b"," + lines[other % len(lines)].strip()
            elif lines[at % len(lines)]:
                line = lines[at % len(lines)]
                cut = rng.randrange(len(line))
                lines[at % len(lines)] = line[:cut] + rng.choice(BYTES) + line[cut + rng.randrange(3) :]
        data = b"\n".join(lines)
        found = answer(partial(read_document, data, "x", pool))
        assert found == answer(partial(at_large, data)), number
        by_lines += lines_of(data, pool) is not None
        same += isinstance(found, Host)
    tell(
        f"profiles read by lines and at large: {COUNT // 5} agree, {same} of them good, {by_lines} laid out as we write"
    )
    assert same > COUNT / 50


def test_no_mutated_document_ends_in_a_traceback(tell):
    rng = random.Random(20261123)
    pool = new_pool()
    sentences: list[str] = []
    read = 0
    for number in range(COUNT):
        data = bent(rng.choice((HOST, HOST, GUEST, VERDICT)), rng)
        try:
            document = read_document(data, f"{number}.json", pool)
        except InputError as exc:
            sentences.append(str(exc))
            continue
        read += 1
        if number % 7 == 0:
            assert read_document(data, "again", new_pool()) == document
            assert read_document(canonical(document_object(document)), "written") == document
    tell(f"mutated documents: {len(sentences)} refused with a sentence, {read} read, 0 tracebacks")
    assert len(sentences) > COUNT / 2
    assert all(".json: " in one and "\n\n" not in one for one in sentences)
    assert read > COUNT / 50
