"""The public face: verifies a notification, leaves a hint, answers."""
