from __future__ import annotations

from armlevel.lab.link import link


def test_what_one_end_sends_the_other_gets():
    with link() as (one, two):
        assert (one.here, one.there) == (two.there, two.here)
        assert one.address != two.address
        assert one.here.parent.is_dir()
        words = " ".join(one.devices)
        assert f"local.path={one.here},remote.type=unix,remote.path={two.here}" in words
    assert not one.here.parent.exists()


def test_the_cards_of_both_ends_have_addresses_of_their_own():
    with link() as ends:
        macs = {end.devices[-1].partition("mac=")[2] for end in ends}
    assert len(macs) == 2


def test_a_socket_path_is_short_enough_for_one():
    with link() as (one, two):
        assert max(len(str(one.here)), len(str(two.here))) < 108
