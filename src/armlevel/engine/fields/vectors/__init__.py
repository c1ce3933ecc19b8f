"""What hosts keep of fields as integers, one bit for each value of each field: yes or no is one ``&``.

``bits`` numbers values and holds masks; ``field_slots`` says what a host does with each value of a field.
"""

from __future__ import annotations

from armlevel.engine.fields.vectors.bits import REFUSED, RUNS, UNKNOWN, Kept, Marks, Numbering, Slot, worst_of
from armlevel.engine.fields.vectors.field_slots import ANY, FieldSlots, FieldView, field_marks, held_values

__all__ = [
    "ANY",
    "REFUSED",
    "RUNS",
    "UNKNOWN",
    "FieldSlots",
    "FieldView",
    "Kept",
    "Marks",
    "Numbering",
    "Slot",
    "field_marks",
    "held_values",
    "worst_of",
]
