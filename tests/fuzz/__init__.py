"""The fuzz run of the webhook."""
