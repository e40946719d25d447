"""The handlers that come with Ringpost, by name; each is imported when a file first names it."""

BUILT_IN = {
    "archive": "worker.handlers.archive:Archive",
    "command": "worker.handlers.command:Command",
    "delete": "worker.handlers.delete:Delete",
    "email": "worker.handlers.email:Email",
    "files": "worker.handlers.files:Files",
    "forward-sms": "worker.handlers.forward_sms:ForwardSms",
    "mark-read": "worker.handlers.mark_read:MarkRead",
    "mark-unread": "worker.handlers.mark_unread:MarkUnread",
    "notify": "worker.handlers.notify:Notify",
    "reply": "worker.handlers.reply:SmsReply",
    "restore": "worker.handlers.restore:Restore",
    "webhook": "worker.handlers.webhook:Webhook",
}
