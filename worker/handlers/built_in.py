"""The handlers that come with Ringpost, by name; each is imported when a file first names it."""

BUILT_IN = {
    "archive": "worker.handlers.archive:Archive",
    "email": "worker.handlers.email:Email",
    "mark-read": "worker.handlers.mark_read:MarkRead",
    "notify": "worker.handlers.notify:Notify",
    "webhook": "worker.handlers.webhook:Webhook",
}
