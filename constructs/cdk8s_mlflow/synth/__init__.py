"""The machinery of synth: its command line, rendering, and the output tree."""
