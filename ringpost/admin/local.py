"""The admin process's settings as `ringpost run` hands them on."""

import os

from ringpost.admin.settings import AdminSettings
from ringpost.probes import free_port


def local_admin() -> AdminSettings:
    """Its settings; ADMIN_PORT 0 is any free port. Raises Refusal with a line for each problem."""
    settings = AdminSettings()
    if settings.admin_port == 0:
        os.environ["ADMIN_PORT"] = str(free_port(0))
        settings = AdminSettings()
    return settings
