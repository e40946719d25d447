"""`ringpost admin`: status and metrics over HTTP, read from Redis alone."""
