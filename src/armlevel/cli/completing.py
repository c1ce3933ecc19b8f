"""What values an option or an argument takes, for the shell's completion: lists of words, made when the script is."""

from __future__ import annotations

from armlevel.arch import load
from armlevel.lab import MODELS
from armlevel.lab.lines import LINES
from armlevel.machines import names
from armlevel.operations.export import TARGETS
from armlevel.operations.means import MEANS
from armlevel.profile.shape import SHAPE_FEATURES

__all__ = ["OF_ARGUMENT", "OF_OPTION", "SHELLS", "values"]

SHELLS = ("bash", "zsh", "fish")

#: An option -> the list that it takes a word of.
OF_OPTION: dict[str, str] = {
    "--tolerate": "tolerances",
    "--hide": "features",
    "--require": "features",
    "--pin": "fields",
    "--without": "shapes",
    "--to": "targets",
    "--form": "forms",
    "--vmm": "vmms",
    "--means": "means",
    "--color": "colors",
    **dict.fromkeys(("--host", "--guest", "--since", "--add", "--implementation"), "machines"),
}

#: The path of a verb -> the list that its arguments are words of; elsewhere they are files, and machines after an @.
OF_ARGUMENT: dict[tuple[str, ...], str] = {
    ("facts",): "terms",
    ("completion",): "shells",
    ("machines",): "machines",
    ("lab", "tcg"): "models",
    **{("lab", verb): "hosts" for verb in ("run", "probe", "verify", "hosts", "migrate")},
}


def values() -> dict[str, tuple[str, ...]]:
    """Return every list by its name."""
    catalogue = load()
    features = tuple(sorted(catalogue.features))
    registers = tuple(sorted(catalogue.registers))
    return {
        "machines": tuple(f"@{name}" for name in names()),
        "hosts": tuple(f"{model.name}@{line.name}" for model in MODELS for line in LINES),
        "models": tuple(model.name for model in MODELS),
        "features": features,
        "terms": (*features, *registers),
        "fields": tuple(f"{subject}=" for subject in sorted(catalogue.fields)),
        "tolerances": tuple(catalogue.tolerances),
        "shapes": tuple(SHAPE_FEATURES),
        "targets": tuple(TARGETS),
        "forms": tuple(dict.fromkeys(form for forms in TARGETS.values() for form in forms)),
        "vmms": tuple(dict.fromkeys(("kvm", "qemu", *(row.typed for row in catalogue.vmms.values())))),
        "means": tuple(MEANS),
        "colors": ("auto", "always", "never"),
        "shells": SHELLS,
    }
