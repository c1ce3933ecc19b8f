"""Validated verdicts to findings; what a document says in sentences is left aside, the data says it too."""

from __future__ import annotations

import re

from armlevel.documents import model_verdict as model
from armlevel.documents.maps import Faults
from armlevel.documents.structure import VALUE_PATTERN
from armlevel.engine.findings import Finding, Remedy, Verdict
from armlevel.engine.names import FieldName, HostName, Message, Name, RegisterName, hosts_of
from armlevel.engine.reasons import Reason
from armlevel.engine.subjects import Subject
from armlevel.engine.values import (
    Bound,
    Cores,
    Count,
    Events,
    FieldValues,
    Frequency,
    Implementations,
    Lowered,
    Lowering,
    NamedValues,
    RegisterValue,
    State,
    Value,
    VectorLengths,
    named,
)
from armlevel.profile import Implementation

__all__ = ["implementation_of", "verdict_of"]

_HEX = re.compile(VALUE_PATTERN)


def verdict_of(document: model.VerdictModel, faults: Faults) -> Verdict:
    """Build a verdict from its validated document; its two answers must be those of its parts."""
    parts = {part: (answers.start, answers.arrive) for part, answers in document.parts.items()}
    verdict = Verdict(document.guest, document.host, parts, tuple(map(_finding, document.findings)))
    for side, said, follows in (
        ("start", document.start, verdict.start),
        ("arrive", document.arrive, verdict.arrive),
    ):
        if said != follows:
            faults.add(side, f"{said!r}, but its parts say {follows!r}")
    return verdict


def implementation_of(document: model.ImplementationModel) -> Implementation:
    """Build what an implementation calls itself."""
    texts = (document.midr, document.revidr, document.aidr)
    return Implementation(*(None if text is None else int(text, 16) for text in texts))


def _finding(finding: model.FindingModel) -> Finding:
    return Finding(
        Subject(finding.about.kind, tuple(map(Name, finding.about.names))),
        finding.part,
        finding.severity,
        tuple(map(_value, finding.needs)),
        tuple((HostName(one.host), _value(one.offer)) for one in finding.offers),
        finding.cause,
        tuple(finding.applies),
        tuple(Reason(one.code, tuple(map(_argument, one.args))) for one in finding.because),
        tuple(
            Remedy(one.kind, tuple(map(_argument, one.args)), hosts_of(one.hosts)) for one in finding.remedies
        ),
        tuple(map(hosts_of, finding.sets)),
        tuple(map(Message, finding.messages)),
    )


def _number(number: int | str) -> int:
    return number if isinstance(number, int) else int(number, 16)


def _argument(argument: int | str) -> Name | int:
    if isinstance(argument, int):
        return argument
    return int(argument, 16) if _HEX.match(argument) else Name(argument)


def _value(document: model.AnyValueModel) -> Value:  # noqa: PLR0911 - one for each kind of value
    if isinstance(document, model.StateModel):
        return State(document.state)
    if isinstance(document, model.FieldModel):
        return FieldValues(tuple(map(_number, document.values)), document.open)
    if isinstance(document, model.RegisterModel):
        return RegisterValue(int(document.value, 16))
    if isinstance(document, model.NamedModel):
        values = tuple((RegisterName(one.name), int(one.value, 16)) for one in document.values)
        return NamedValues(values, document.others)
    if isinstance(document, model.BoundModel):
        return Bound(FieldName(document.field), document.limit, _number(document.value))
    if isinstance(document, model.ImplementationsModel):
        return Implementations(tuple(map(implementation_of, document.shown)))
    return _plain(document)


def _plain(  # noqa: PLR0911 - one for each kind of value
    document: model.LoweredModel
    | model.FrequencyModel
    | model.VectorLengthsModel
    | model.CountModel
    | model.EventsModel
    | model.CoresModel
    | model.NamesModel,
) -> Value:
    if isinstance(document, model.LoweredModel):
        return Lowered(tuple(Lowering(FieldName(one.field), one.own, one.told) for one in document.fields))
    if isinstance(document, model.FrequencyModel):
        return Frequency(document.hz)
    if isinstance(document, model.VectorLengthsModel):
        return VectorLengths(tuple(document.bits))
    if isinstance(document, model.CountModel):
        return Count(document.number)
    if isinstance(document, model.EventsModel):
        return Events(tuple(document.numbers))
    if isinstance(document, model.CoresModel):
        return Cores(tuple((who, part) for who, part in document.parts))
    return named(*document.names)
