"""The command line, and the root where all parts are put together."""
