"""Backfill: messages from before Ringpost began are delivered as well, behind live work."""
