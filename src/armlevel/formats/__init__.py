"""Other tools' files: one module a tool, told apart by what is in them and never by their names."""

from armlevel.formats.recognise import FORMATS, Format, read_foreign, recognise

__all__ = ["FORMATS", "Format", "read_foreign", "recognise"]
