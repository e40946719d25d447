"""One running Ringpost: looks before it starts, starts all its parts, and says where things are."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from ringpost import embedded_redis, programs
from ringpost.admin.local import local_admin
from ringpost.admin.settings import AdminSettings, open_to_others
from ringpost.checks.redis import insist_on_redis
from ringpost.child import Program
from ringpost.data_directory import DataDirectory
from ringpost.demo import CONFIGURATION, Demo
from ringpost.links.settings import LinkSettings
from ringpost.local_webhook import local_webhook
from ringpost.probes import insist_on_port
from ringpost.supervisor import Supervisor
from ringpost.surroundings import (
    insist_on_credentials,
    is_without_credentials,
    read_configuration,
)
from ringpost.terminal import Terminal
from webhook.settings import Settings as WebhookSettings
from worker.settings import Settings

_SAME_SIGNAL = 1.0  # seconds


class Instance:
    """What `ringpost run` runs. Everything that can be refused is, before the first child."""

    def __init__(self, settings: Settings, config: Path | None) -> None:
        self._settings = settings
        self._data = DataDirectory(settings.data)
        self._terminal = Terminal()
        self._demo: Demo | None = None
        self._config = config or settings.config
        if is_without_credentials(settings, self._config):
            self._demo = Demo.in_folder(self._data.path)
            self._config = config or CONFIGURATION

    def run(self) -> None:
        """Run until SIGTERM, SIGHUP or Ctrl-C; a second one ends without waiting.

        Raises Refusal, in lines, for whatever stands in the way.
        """
        if self._demo:
            os.environ.update(self._demo.environ())
        else:
            insist_on_credentials(self._settings, self._config)
        configuration, _ = read_configuration(self._config)
        self._data.prepare()
        with self._data.held() as lock:
            children, webhook, admin = self._prepare(lock)
            secret = programs.secret_variables(configuration)
            children = [programs.discreet(child, secret) for child in children]
            if self._demo:
                self._announce_demo()
            asyncio.run(self._supervise(children, webhook, admin))
        self._terminal.say("Stopped.")

    def _prepare(self, lock: int) -> tuple[list[Program], WebhookSettings, AdminSettings]:
        """What to start, in order. From here on our environment is the children's."""
        os.environ["RINGPOST_CONFIG"] = str(self._config.absolute())
        os.environ["RINGPOST_DATA"] = str(self._data.path)
        if not self._settings.webhook_verification_token:
            os.environ["WEBHOOK_VERIFICATION_TOKEN"] = self._data.verification_token()
        children = [self._redis(lock)] if self._settings.redis_url is None else []
        if self._settings.redis_url is not None:
            os.environ["REDIS_URL"] = self._settings.redis_url
            for warning in asyncio.run(insist_on_redis(self._settings.redis_url)):
                self._terminal.say(f"Redis: {warning}")
        webhook = local_webhook(public=self._demo is None)
        insist_on_port(webhook.host, webhook.port)
        admin = local_admin()
        insist_on_port(admin.admin_host, admin.admin_port, "ADMIN_")
        links = LinkSettings()
        if links.links_url is not None:
            insist_on_port(links.links_host, links.links_port, "LINKS_")
        if self._demo:
            children += self._demo.programs()
        children += [programs.webhook(webhook), programs.worker(), programs.admin(admin)]
        children.append(programs.beat(self._data.path))
        return children, webhook, admin

    def _redis(self, lock: int) -> Program:
        folder = self._data.path
        if self._demo:
            self._demo.forget()
            folder = self._demo.redis_data
        redis = embedded_redis.prepare(folder)
        os.environ["REDIS_URL"] = redis.url
        return redis.program(lock)

    async def _supervise(
        self, children: list[Program], webhook: WebhookSettings, admin: AdminSettings
    ) -> None:
        stop, hurry = asyncio.Event(), asyncio.Event()

        first = 0.0

        def told() -> None:
            nonlocal first
            if stop.is_set():
                # A process group may hand the same signal on twice; that is no hurry yet.
                if time.monotonic() - first > _SAME_SIGNAL:
                    hurry.set()
                return
            first = time.monotonic()
            self._terminal.say("Stopping; once more to stop without waiting.")
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, told)
        shared = {"REDIS_URL": os.environ["REDIS_URL"], "PORT": str(webhook.port)}
        shared["ADMIN_PORT"] = str(admin.admin_port)
        shared["LINKS_PORT"] = str(LinkSettings().links_port)
        shared["RINGPOST_CONFIG"] = os.environ["RINGPOST_CONFIG"]
        if self._demo:
            shared |= self._demo.shared() | {"WEBHOOK_URL": os.environ["WEBHOOK_URL"]}
        self._data.describe(shared)

        async def up() -> None:
            self._say_where(webhook, admin)
            if self._demo:
                await self._demo.send_samples(self._terminal.say)

        supervisor = Supervisor(children, self._terminal.echo, self._terminal.say)
        await supervisor.run(stop, hurry, up)

    def _announce_demo(self) -> None:
        say = self._terminal.say
        say("No RingCentral credentials (RC_CLIENT_ID, RC_CLIENT_SECRET, RC_JWT) are set:")
        say(f"starting a sandbox on this machine, with {_near(self._config)}.")
        own = self._settings.config
        if self._config == CONFIGURATION and ("config" in self._settings.model_fields_set):
            say(f"RINGPOST_CONFIG={own} is not used in the demonstration; --config {own} would be.")

    def _say_where(self, webhook: WebhookSettings, admin: AdminSettings) -> None:
        say, data = self._terminal.say, _near(self._data.path)
        host = programs.reachable(webhook.host)
        say()
        say("Ringpost is running. Ctrl-C stops it.")
        say(f"  webhook        http://{host}:{webhook.port}{webhook.path}")
        if webhook.webhook_url is None:
            say("                 WEBHOOK_URL is not set: no subscription, mailboxes are polled")
        say(f"  status         {programs.address(admin)}/status")
        say(f"  metrics        {programs.address(admin)}/metrics")
        if self._settings.links_url:
            say(f"  links          {self._settings.links_url}")
        say(f"  configuration  {_near(self._config)}")
        say(f"  data           {data}")
        if self._demo:
            say(f"  sandbox        {self._demo.server}")
            say(f"  archive        {data}/archive")
            say(f"  mails          {data}/mail")
            program = _near(Path(sys.executable).with_name("ringpost"))
            say(f"Send another message from a second terminal (here: {program}):")
            say("  ringpost sandbox send fax      (--file sends a file of yours)")
        say("See how it goes: ringpost status")
        if not admin.is_private:
            say(open_to_others(admin))
        say()


def _near(path: Path) -> str:
    """The path as seen from the working directory, if it is below it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
