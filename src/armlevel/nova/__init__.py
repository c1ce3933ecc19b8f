"""A scheduler filter for OpenStack's Nova: one file, which nova loads and which takes nothing else of armlevel."""
