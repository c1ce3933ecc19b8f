"""Other tools' files: one module a tool, told apart by what is in them and never by their names."""

from armlevel.formats.recipe import Recipe
from armlevel.formats.recognise import FORMATS, Format, read_foreign, read_recipe, recognise

__all__ = ["FORMATS", "Format", "Recipe", "read_foreign", "read_recipe", "recognise"]
