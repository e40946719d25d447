"""`ringpost admin`: status and metrics over HTTP."""


def admin() -> None:
    """Serve /status, /metrics and /healthz on ADMIN_HOST and ADMIN_PORT until told to stop.

    It reads Redis only and needs no RingCentral credentials.
    """
    import asyncio

    from ringpost.admin.process import serve
    from ringpost.admin.settings import AdminSettings
    from webhook.logs import configure_logs

    configure_logs()
    asyncio.run(serve(AdminSettings()))
