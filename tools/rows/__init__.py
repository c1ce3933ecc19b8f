"""The readers of the rows of ``src/armlevel/arch/data``, a file a kind of fact; ``compile_rows`` asks them all."""
