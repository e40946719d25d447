"""Links: contents that a mail only points to, encrypted on disk, opened with the link alone."""
