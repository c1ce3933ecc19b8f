"""Planning a fleet: the fewest groups of hosts that share a baseline, what they cost, and what would change them."""
