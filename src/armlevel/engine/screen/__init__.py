"""Kinds of hosts compiled to integers, so that a yes or a no costs microseconds; reasons are for who reads a pair."""
