"""What a table of writable masks is worth on a kernel whose own line has no rule for a field."""

from __future__ import annotations

from dataclasses import replace

from armlevel.arch import load
from armlevel.profile import Shape
from tests.fidelity.hosts import masks_of, read
from tests.fidelity.masked import masked_offer

CATALOGUE = load()


def test_a_field_that_another_lines_kernels_let_be_written_is_unknown_where_the_mask_opens_it():
    # A kernel of 6.12 that took over what came later says so in its masks: no rule of 6.12 refuses it then.
    (host,) = read(["neoverse-n2@6.18"])
    masks = masks_of(host)
    assert masks is not None
    offer = host.offer(Shape())
    assert offer is not None
    own = masked_offer(replace(offer, accepts={}), masks, "6.18.15", CATALOGUE)
    newer = masked_offer(replace(offer, accepts={}), masks, "6.12.200", CATALOGUE)
    opened = [
        subject
        for subject in own.accepts
        if CATALOGUE.write_rule(subject, "6.18") is not None and CATALOGUE.write_rule(subject, "6.12") is None
    ]
    assert opened
    for subject in opened:
        field, given = CATALOGUE.fields[subject], newer.accepts[subject]
        limit = field.get(offer.limits[field.register])
        for value in range(1 << field.width):
            tried = offer.accepts.get(subject)
            kept = value == limit or (tried is not None and tried.outcome(value) == "same")
            assert not kept or given.outcome(value) in {"same", "unknown"}, (subject, value)


def test_a_mask_says_nothing_of_a_register_that_the_kernel_forgets():
    (host,) = read(["neoverse-n2@7.x"])
    masks, offer = masks_of(host), host.offer(Shape())
    assert masks is not None
    assert offer is not None

    def taken(release: str) -> list[str]:
        accepts = masked_offer(replace(offer, accepts={}), masks, release, CATALOGUE).accepts
        return [name for name in accepts if name.startswith("CLIDR_EL1.")]

    assert taken("6.12.117")
    assert taken("7.3.4")
    for release in ("6.7.12", "6.8.0-51-generic", "6.9.3", "6.10.1"):
        assert taken(release) == []
