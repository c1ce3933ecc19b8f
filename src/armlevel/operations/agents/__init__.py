"""The keys by which hosts speak: who is known by which, and what a report of one is worth."""
