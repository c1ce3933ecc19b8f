"""Codes to sentences: what the engine found, as a person reads it. The terminal, a file and a page say the same."""
