"""Handlers: one file each; a handler knows no other."""
