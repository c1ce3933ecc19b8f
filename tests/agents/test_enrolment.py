"""How a host comes to be known by a key: a session, a hand, the SSH host key or its certificate, a token."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from armlevel.documents.known_hosts import matches
from armlevel.errors import UsageError
from armlevel.onefile.openssh import make_key
from armlevel.onefile.sender import ask_to_be_known
from armlevel.operations.agents.accept import accept_report
from armlevel.operations.agents.enrol import Trust, enrol_key, enrol_request
from armlevel.operations.agents.tokens import LONGEST, may_enrol, new_token, token_object
from tests.agents.known import BOOT, NOW, hosts, known, public, report, ssh_key

PEPPER = b"p" * 64


def request(folder, name="n1", own="own", **more):
    target = folder / "enrolment.json"
    ask_to_be_known(folder / own, target, name=name, **more)
    return target.read_bytes()


def asked(data, agents=None, trust=None, now=NOW) -> Any:
    found = enrol_request(data, "enrolment.json", agents or {}, trust or Trust(), now=now)
    assert found.refused or found.agent is not None
    assert found.status == (1 if found.refused else 0)
    assert found.document()["answer"] == ("refused" if found.refused else "enrolled")
    return found


def kept(found: Any, agents=None) -> Any:
    return {
        one.key.fingerprint: one for one in (*(agents or {}).values(), found.replaced, found.agent) if one
    }


# ---- a session, a hand


@pytest.mark.parametrize("how", ["ssh session", "by hand"])
def test_a_person_s_word_is_enough(how, tmp_path):
    line = make_key(tmp_path / "agent_key")
    found: Any = enrol_key(f"{line} a comment", "n1", how, {}, now=NOW)
    assert (found.refused, found.agent.name, found.agent.how, found.agent.key.line) == ("", "n1", how, line)


@pytest.mark.parametrize("name", ["", "../n1", "n1\n", "-n1", "a" * 300, "\u202en1"])
def test_what_is_no_name_is_refused(name, tmp_path):
    with pytest.raises(UsageError, match="no name"):
        enrol_key(make_key(tmp_path / "agent_key"), name, "by hand", {}, now=NOW)


@pytest.mark.parametrize("line", ["", "x", "ssh-rsa AAAA", "ssh-ed25519 AAAA=="])
def test_what_is_no_key_is_refused(line):
    with pytest.raises(UsageError, match="not taken"):
        enrol_key(line, "n1", "by hand", {}, now=NOW)


# ---- the SSH host key


@pytest.mark.parametrize(
    "how", [("-t", "ed25519"), ("-t", "ecdsa", "-b", "384"), ("-t", "rsa", "-b", "3072")]
)
def test_the_host_key_vouches_for_the_name_that_it_is_known_by(how, tmp_path):
    key = ssh_key(tmp_path, "host", *how)
    data = request(tmp_path, host_key=key)
    assert asked(data, trust=Trust(hosts(f"n1,10.0.0.1 {public(key)}"))).agent.how == "host key"
    assert asked(data, trust=Trust(hosts(f"[n1]:2222 {public(key)}"))).agent.how == "host key"
    for line in (
        f"n2 {public(key)}",
        f"@revoked * {public(key)}\nn1 {public(key)}",
        "",
        f"!n1,* {public(key)}",
    ):
        assert asked(data, trust=Trust(hosts(*line.splitlines()))).refused == "unknown-host-key", line


def test_hashed_names_are_read(tmp_path):
    key = ssh_key(tmp_path, "host")
    (tmp_path / "known").write_text(f"n1 {public(key)}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(tmp_path / "known")], check=True, capture_output=True)
    line = (tmp_path / "known").read_text()
    assert line.startswith("|1|")
    assert not asked(request(tmp_path, host_key=key), trust=Trust(hosts(line))).refused
    assert (
        asked(request(tmp_path, "n2", host_key=key), trust=Trust(hosts(line))).refused == "unknown-host-key"
    )


def test_another_host_key_vouches_for_nothing(tmp_path):
    key, other = ssh_key(tmp_path, "host"), ssh_key(tmp_path, "other")
    found = asked(request(tmp_path, host_key=other), trust=Trust(hosts(f"n1 {public(key)}")))
    assert found.refused == "unknown-host-key"


# ---- its certificate


def certified(folder, *words, key="host", authority="ca", names="n1"):
    ssh_key(folder, key)
    if not (folder / authority).exists():
        ssh_key(folder, authority)
    more = words or ("-h", "-V", "20261101:20270101")
    command = ["ssh-keygen", "-q", "-s", str(folder / authority), "-I", "a", *more, "-n", names]
    subprocess.run([*command, str(folder / f"{key}.pub")], check=True)
    return folder / f"{key}-cert.pub"


def trusted(folder, pattern="n*"):
    return Trust(hosts(f"@cert-authority {pattern} {public(folder / 'ca')}"))


def test_a_host_certificate_vouches_for_the_names_in_it(tmp_path):
    data = request(tmp_path, host_key=certified(tmp_path))
    assert asked(data, trust=trusted(tmp_path)).agent.how == "host certificate"
    assert asked(data, trust=trusted(tmp_path, "web-*")).refused == "bad-certificate"
    assert asked(data, trust=Trust(hosts(f"n1 {public(tmp_path / 'ca')}"))).refused == "bad-certificate"
    assert asked(data, trust=trusted(tmp_path), now=NOW + 90 * 86400).refused == "bad-certificate"
    assert asked(data, trust=trusted(tmp_path), now=NOW - 90 * 86400).refused == "bad-certificate"
    revoked = (f"@cert-authority n* {public(tmp_path / 'ca')}", f"@revoked * {public(tmp_path / 'host')}")
    assert asked(data, trust=Trust(hosts(*revoked))).refused == "bad-certificate"


@pytest.mark.parametrize(
    "case",
    [
        {"names": "n2"},
        {"authority": "other"},
        {"words": ("-V", "20261101:20270101")},  # a user's
    ],
    ids=["another name", "another authority", "a user's"],
)
def test_another_certificate_vouches_for_nothing(case, tmp_path):
    ssh_key(tmp_path, "ca")
    words = case.pop("words", ())
    data = request(tmp_path, host_key=certified(tmp_path, *words, **case))
    assert asked(data, trust=trusted(tmp_path)).refused == "bad-certificate"


# ---- a token


def with_token(pattern="n*", now=NOW, **more):
    text, token = new_token(pattern, pepper=PEPPER, now=now, **more)
    return text, Trust(tokens={token.id: token}, pepper=PEPPER)


def test_a_token_enrols_one_host_once(tmp_path):
    text, trust = with_token()
    found = asked(request(tmp_path, token=text), trust=trust)
    assert (found.agent.how, found.token.used_by) == ("token", found.key.fingerprint)
    used = replace(trust, tokens={found.token.id: found.token})
    again = asked(request(tmp_path, "n2", "other", token=text), kept(found), used)
    assert (again.refused, again.token) == ("used-token", None)


def test_a_token_is_kept_as_an_hmac_and_needs_its_secret(tmp_path):
    text, trust = with_token()
    ((_, token),) = trust.tokens.items()
    said = json.dumps(token_object(token)) + repr(trust)
    assert text.split("_")[2] not in said
    assert PEPPER.decode() not in said
    assert may_enrol(text, "n1", trust.tokens, pepper=PEPPER, now=NOW) == token
    assert may_enrol(text, "n1", trust.tokens, pepper=b"q" * 64, now=NOW) == "unknown-token"


@pytest.mark.parametrize(
    ("name", "after", "why"),
    [("web-1", 0, "other-token"), ("n1", LONGEST, "late-token"), ("n1", -2, "late-token"), ("n1", 60, "")],
)
def test_a_token_is_for_some_names_and_a_day(name, after, why, tmp_path):
    text, trust = with_token()
    assert asked(request(tmp_path, name, token=text), trust=trust, now=NOW + after).refused == why


@pytest.mark.parametrize("text", ["al_", "al_0000000000000000_" + "0" * 64, "x", "al_\u0661", "A" * 200])
def test_what_is_no_token_is_refused(text, tmp_path):
    assert asked(request(tmp_path, token=text), trust=with_token()[1]).refused == "unknown-token"


def test_a_token_lives_for_a_day_at_most_and_has_a_pattern_of_names():
    for bad in ({"seconds": LONGEST + 1}, {"seconds": 0}, {"pattern": "n[1-9]"}, {"pattern": ""}):
        said: dict[str, Any] = {"pattern": "n1", **bad}
        with pytest.raises(UsageError):
            new_token(said.pop("pattern"), pepper=PEPPER, now=NOW, **said)
    assert matches("n?", "n1")
    assert not matches("n.", "n1")


# ---- and nothing else


def test_nothing_vouches_for_a_request_alone(tmp_path):
    found = asked(request(tmp_path))
    assert (found.refused, found.detail) == ("no-proof", found.key.fingerprint)


def test_a_key_that_did_not_sign_is_not_known(tmp_path):
    other = make_key(tmp_path / "other" / "agent_key")
    text, trust = with_token()
    from armlevel.documents.reports import ENROLMENT_SPACE, ENROLMENT_TYPE, enrolment_bytes
    from armlevel.onefile.openssh import sealed

    make_key(tmp_path / "mine")
    payload = enrolment_bytes("n1", other, at="2026-11-30T00:00:00Z", boot_id=BOOT, token=text)
    data = sealed(ENROLMENT_TYPE, ENROLMENT_SPACE, payload, [tmp_path / "mine"])
    assert asked(data, trust=trust).refused == "other-key"
    report_space = sealed(ENROLMENT_TYPE, "report.armlevel", payload, [tmp_path / "mine"])
    assert asked(report_space, trust=trust).refused == "signature"
    assert asked(data[:-40], trust=trust).refused == "no-request"


# ---- again


def test_a_reimaged_host_enrols_again_and_its_old_key_is_given_up(tmp_path):
    key = ssh_key(tmp_path, "host")
    trust = Trust(hosts(f"n1 {public(key)}"))
    before = request(tmp_path, own="before", host_key=key)
    agents = kept(asked(before, trust=trust))
    old = report(tmp_path / "before/agent_key")
    assert not accept_report(old, "r", agents, now=NOW).refused
    found = asked(request(tmp_path, own="after", host_key=key), agents, trust)
    assert (found.replaced.standing, found.agent.standing) == ("superseded", "enrolled")
    agents = kept(found, agents)
    assert accept_report(old, "r", agents, now=NOW).refused == "given-up-key"
    assert not accept_report(report(tmp_path / "after/agent_key"), "r", agents, now=NOW).refused
    # Whoever kept the first request cannot bring the old key back.
    assert asked(before, agents, trust).refused == "given-up-key"


def test_enrolling_again_never_lowers_the_mark(tmp_path):
    key = ssh_key(tmp_path, "host")
    trust = Trust(hosts(f"n1 {public(key)}"))
    data = request(tmp_path, host_key=key)
    agents = kept(asked(data, trust=trust))
    first = report(tmp_path / "own/agent_key", 5)
    agent: Any = accept_report(first, "r", agents, now=NOW).agent
    agents[agent.key.fingerprint] = agent
    again = asked(data, agents, trust)
    assert (again.refused, again.replaced, again.agent.mark) == ("", None, agent.mark)
    assert accept_report(first, "r", kept(again, agents), now=NOW).refused == "replayed"


def test_a_token_for_many_takes_nobody_s_place_and_one_for_this_name_does(tmp_path):
    there = known(tmp_path, "n1")
    text, trust = with_token("n*")
    found = asked(request(tmp_path, own="new", token=text), there.agents, trust)
    assert (found.refused, found.token) == ("name-taken", None)
    text, trust = with_token("n1")
    found = asked(request(tmp_path, own="new", token=text), there.agents, trust)
    assert (found.refused, found.replaced.name, found.replaced.standing) == ("", "n1", "superseded")


def test_a_key_that_was_copied_with_an_image_is_one_host_s(tmp_path):
    there = known(tmp_path, "n1")
    line = make_key(there.key)
    hows: tuple[Any, ...] = ("by hand", "ssh session")
    for how in hows:
        found = enrol_key(line, "n2", how, there.agents, now=NOW)
        assert (found.refused, found.detail) == ("key-elsewhere", "n1")


def test_a_given_up_key_comes_back_by_hand_alone_with_its_mark(tmp_path):
    there = known(tmp_path, "n1")
    (name,) = there.agents
    newer: Any = accept_report(report(there.key, 3), "r", there.agents, now=NOW).agent
    given_up: Any = {name: replace(newer, standing="retired")}
    line = make_key(there.key)
    assert enrol_key(line, "n1", "ssh session", given_up, now=NOW).refused == "given-up-key"
    back: Any = enrol_key(line, "n1", "by hand", given_up, now=NOW)
    assert (back.agent.standing, back.agent.mark.sequence) == ("enrolled", 3)
