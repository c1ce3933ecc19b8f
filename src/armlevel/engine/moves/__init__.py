"""One move from one host to another: judged, predicted as a VMM makes it, with what would let it through."""
