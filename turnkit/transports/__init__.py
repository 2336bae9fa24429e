"""Transports: how a caller's audio reaches us and ours the caller. One file each."""
