"""Runs what dist/ describes as local processes, with the real servers around it."""
