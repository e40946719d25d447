"""Messages that look real, with files that open: built in code, no fixtures on disk."""
