"""Programs that travel: each runs on a bare host, from one file, with Python 3.10 and its standard library alone."""
