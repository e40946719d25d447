"""What the emulated company holds: extensions, mailboxes, sessions, subscriptions. No HTTP."""
