"""The handlers that come with Ringpost, by name; each is imported when a file first names it."""

BUILT_IN = {
    "archive": "worker.handlers.archive:Archive",
    "email": "worker.handlers.email:Email",
    "files": "worker.handlers.files:Files",
    "mark-read": "worker.handlers.mark_read:MarkRead",
}
