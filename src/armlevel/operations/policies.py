"""A policy out of what a person writes: names of features and fields, pins, implementations, tolerances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from armlevel.arch import Catalogue, load
from armlevel.engine import Policy, tolerance_named
from armlevel.errors import UsageError
from armlevel.operations.given import whole_number
from armlevel.operations.implementations import implementation_named, target
from armlevel.profile import Given, Host, Implementation
from armlevel.profile.shape import shape_feature

__all__ = ["options_of", "pins_of", "policy_of"]


def policy_of(  # noqa: PLR0913 (one argument for each choice)
    hosts: Sequence[Host] = (),
    *,
    without: Sequence[str] | None = None,
    hide: Sequence[str] | None = None,
    require: Sequence[str] | None = None,
    pins: Sequence[str] | None = None,
    implementation: str = "",
    also_targets: Sequence[str] | None = None,
    tolerate: Sequence[str] | None = None,
    assume_same_impdef: bool = False,
    accept_weaker_mitigation: bool = False,
) -> Policy:
    """Read a policy; ``hosts`` are those whose implementation can be named.

    Raises:
        ArmlevelError: a choice names nothing, or is not of its form.

    >>> policy_of(hide=["aes"], tolerate=["el2-only"]).hide
    ('FEAT_AES',)
    """
    catalogue = load()
    return Policy(
        without=frozenset(map(shape_feature, without or ())),
        hide=tuple(catalogue.feature(text).name for text in hide or ()),
        require=tuple(catalogue.feature(text).name for text in require or ()),
        pins=pins_of(pins or (), catalogue),
        implementation=implementation_named(implementation, hosts),
        also_targets=tuple(target(text) for text in also_targets or ()),
        assume_same_impdef=assume_same_impdef,
        accept_weaker_mitigation=accept_weaker_mitigation,
        tolerate=_tolerances_of(tolerate),
    )


def _tolerances_of(texts: Sequence[str] | None) -> tuple[str, ...]:
    """Read classes of fields and fields that may differ.

    Raises:
        UnknownName: no class and no field is called so.

    """
    return tuple(tolerance_named(text, load()) for text in texts or ())


def pins_of(texts: Sequence[str], catalogue: Catalogue) -> Mapping[str, int]:
    """Read ``REG.FIELD=V``; V is a number, or a name that the field's row gives to a value.

    Raises:
        UsageError: not of that form, no value of the field, or pinned twice.
        UnknownName: no such field.

    """
    pins: dict[str, int] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or "." not in name:
            raise UsageError(
                f"--pin {text}: not of the form REG.FIELD=VALUE", hint="for instance ID_AA64ISAR0_EL1.RNDR=0"
            )
        field = catalogue.field(name)
        number = whole_number(value)
        if number is None:
            number = next((v for v, word in field.values.items() if word.lower() == value.lower()), None)
        if number is None or number >> field.width:
            known = ", ".join(f"{v} {word}".strip() for v, word in field.values.items())
            raise UsageError(
                f"--pin {text}: {field.subject} has {field.width} bits", hint=known and f"values: {known}"
            )
        if pins.setdefault(field.subject, number) != number:
            raise UsageError(f"--pin {text}: {field.subject} is pinned to {pins[field.subject]} already")
    return pins


def options_of(policy: Policy, given: Sequence[Given] = ()) -> list[str]:
    """Return the options of a command line that make these choices.

    >>> options_of(policy_of(hide=["aes"], pins=["ID_AA64ISAR0_EL1.TS=0"]))
    ['--hide FEAT_AES', '--pin ID_AA64ISAR0_EL1.TS=0']
    """
    shown = policy.implementation
    return [
        *(f"--without {name}" for name in sorted(policy.without)),
        *(f"--hide {name}" for name in policy.hide),
        *(f"--require {name}" for name in policy.require),
        *(f"--pin {subject}={value}" for subject, value in policy.pins.items()),
        *(f"--tolerate {name}" for name in policy.tolerate),
        *([] if shown is None else [f"--implementation {_written(shown)}"]),
        *(
            "--also-target " + ":".join(f"{number:#x}" for number in one.registers().values())
            for one in policy.also_targets
        ),
        *(["--assume-same-impdef"] if policy.assume_same_impdef else []),
        *(["--accept-weaker-mitigation"] if policy.accept_weaker_mitigation else []),
        *(f"--fact {one}" for one in given),
    ]


def _written(one: Implementation) -> str:
    numbers = one.registers().items()
    return ",".join(f"{register.removesuffix('_EL1')}={number:#x}" for register, number in numbers)
