"""Listeners: they see everything that happens in a conversation and change nothing."""
