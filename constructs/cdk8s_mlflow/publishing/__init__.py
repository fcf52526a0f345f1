"""Builds the container image and pushes it, with whichever container engine answers."""
