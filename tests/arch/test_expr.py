"""The language of rules: read, printed, evaluated in three values."""

import itertools
import operator
import random

import pytest

from armlevel.arch import (
    And,
    Cmp,
    Const,
    Feat,
    Iff,
    Implies,
    Not,
    Or,
    evaluate,
    leaves,
    load,
    mentioned,
    parse,
)

NAMES = ("FEAT_A", "FEAT_B", "v8Ap1")
FIELDS = ("R.F", "R.G")
SIGNED = {"R.G": 4}
PLAIN = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}


def random_expr(rng, depth):
    kind = rng.randrange(8) if depth else rng.randrange(3)
    if kind == 0:
        return Feat(rng.choice(NAMES))
    if kind == 1:
        field = rng.choice(FIELDS)
        op = rng.choice((">=", ">", "<=", "<", "==", "!=", "in"))
        value = (
            tuple(rng.sample(range(4), 2)) if op == "in" else rng.randrange(-2 if field in SIGNED else 0, 4)
        )
        return Cmp(field, op, value, SIGNED.get(field, 0))
    if kind == 2:
        return Const(rng.random() < 0.5)
    if kind == 3:
        return Not(random_expr(rng, depth - 1))
    if kind in (4, 5):
        parts = tuple(random_expr(rng, depth - 1) for _ in range(rng.randrange(2, 4)))
        return And(parts) if kind == 4 else Or(parts)
    two = random_expr(rng, depth - 1), random_expr(rng, depth - 1)
    return Implies(*two) if kind == 6 else Iff(*two)


def plainly(expr, known):
    """The same question answered by Python itself, everything known."""
    if isinstance(expr, Const):
        return expr.value
    if isinstance(expr, Feat):
        return known[expr.name]
    if isinstance(expr, Cmp):
        have = known[expr.field]
        if expr.field in SIGNED and have > 7:
            have -= 16
        return have in expr.value if isinstance(expr.value, tuple) else PLAIN[expr.op](have, expr.value)
    if isinstance(expr, Not):
        return not plainly(expr.part, known)
    if isinstance(expr, And):
        return all(plainly(part, known) for part in expr.parts)
    if isinstance(expr, Or):
        return any(plainly(part, known) for part in expr.parts)
    if isinstance(expr, Implies):
        return plainly(expr.then, known) or not plainly(expr.when, known)
    return plainly(expr.left, known) == plainly(expr.right, known)


def test_what_is_printed_reads_back_the_same():
    rng = random.Random(1)
    for _ in range(2000):
        expr = random_expr(rng, 4)
        assert str(parse(str(expr), SIGNED)) == str(expr)
        assert plainly_everywhere(parse(str(expr), SIGNED)) == plainly_everywhere(expr)


def worlds():
    for a, b, v in itertools.product((False, True), repeat=3):
        for f, g in itertools.product((0, 1, 3), (0, 2, 14, 15)):
            yield {"FEAT_A": a, "FEAT_B": b, "v8Ap1": v, "R.F": f, "R.G": g}


WORLDS = tuple(worlds())


def plainly_everywhere(expr):
    return [plainly(expr, world) for world in WORLDS[::5]]


def test_evaluation_agrees_with_brute_force_where_all_is_known():
    rng = random.Random(2)
    for _ in range(500):
        expr = random_expr(rng, 4)
        for world in WORLDS:
            assert evaluate(expr, world) is plainly(expr, world)


def test_an_answer_given_with_little_known_holds_however_the_rest_turns_out():
    rng = random.Random(3)
    definite = 0
    for _ in range(1500):
        expr = random_expr(rng, 4)
        world = rng.choice(WORLDS)
        known = {name: value for name, value in world.items() if rng.random() < 0.5}
        answer = evaluate(expr, known)
        if answer is not None:
            definite += 1
            agreeing = (one for one in WORLDS if all(one[name] == value for name, value in known.items()))
            assert all(plainly(expr, one) == answer for one in agreeing)
    assert definite > 500


@pytest.mark.parametrize(
    "text",
    [
        "",
        "FEAT_A ->",
        "FEAT_A FEAT_B",
        "R.F",
        "R.F >= x",
        "R.F in {}",
        "(FEAT_A",
        "FEAT_A)",
        "1 >= R.F",
        "&",
        "R.F >= 1 >= 2",
    ],
)
def test_what_is_no_expression_is_refused_and_says_what_was_expected(text):
    with pytest.raises(ValueError, match="expected"):
        parse(text)


def test_implication_binds_to_the_right_and_and_before_or():
    assert parse("FEAT_A -> FEAT_B -> v8Ap1") == Implies(
        Feat("FEAT_A"), Implies(Feat("FEAT_B"), Feat("v8Ap1"))
    )
    assert parse("FEAT_A | FEAT_B & v8Ap1") == Or((Feat("FEAT_A"), And((Feat("FEAT_B"), Feat("v8Ap1")))))


def test_names_and_fields_of_an_expression_can_be_told():
    expr = parse("FEAT_A & R.F >= 1 -> !(R.G in {2, 3})")
    assert [str(leaf) for leaf in leaves(expr)] == ["FEAT_A", "R.F >= 1", "R.G in {2, 3}"]
    assert mentioned(expr) == {"R.F", "R.G"}


def test_every_rule_and_condition_of_the_table_prints_as_its_row():
    for rule in load().rules:
        assert str(rule.expr) == rule.text
