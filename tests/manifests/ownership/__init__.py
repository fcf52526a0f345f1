"""Pairs of environments: which own one thing, and which only look as if they did."""
