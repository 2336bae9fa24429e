"""Synthesizers: text into sound. One file each, named as on `--voice`."""
