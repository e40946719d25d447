"""`ringpost run`: everything in one go, on this machine."""

from ringpost.commands.options import ConfigFile


def run(config: ConfigFile = None) -> None:
    """Start webhook, worker, beat and, unless REDIS_URL is set, Redis; keep them running.

    Without RingCentral credentials a sandbox is started and a few messages arrive, so that the
    whole line can be seen at work.
    """
    from ringpost.instance import Instance
    from ringpost.surroundings import read_settings

    Instance(read_settings(), config).run()
