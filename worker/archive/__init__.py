"""The archive as it lies on disk: reading it, its chains, verification, export and retention."""
