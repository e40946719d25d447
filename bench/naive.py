"""The naive version of our shape: a webhook that calls `.delay()`, a task that makes four calls.

`python -m bench.naive` is its webhook; `celery -A bench.naive worker -P prefork -c 2` its worker.
A message costs four blocking calls: list, get, content, mark as read. Nothing is de-duplicated,
made durable, retried or held back.
"""

import os
from pathlib import Path
from typing import Any

import requests
from aiohttp import web
from celery import Celery

CALLS_PER_MESSAGE = 4.0
WORKERS = 2

app = Celery("naive", broker=os.environ.get("BROKER_URL"), set_as_current=False)
app.conf.task_ignore_result = True

_token: dict[str, str] = {}


def _headers() -> dict[str, str]:
    if "access_token" not in _token:
        answer = requests.post(
            f"{os.environ['RC_SERVER_URL']}/restapi/oauth/token",
            auth=(os.environ["RC_CLIENT_ID"], os.environ["RC_CLIENT_SECRET"]),
            data={
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": os.environ["RC_JWT"],
            },
            timeout=30,
        )
        _token["access_token"] = answer.json()["access_token"]
    return {"Authorization": f"Bearer {_token['access_token']}"}


@app.task(name="naive.handle")
def handle(account: str, extension: str, message_id: str) -> None:
    """List, get, download, mark as read."""
    mailbox = f"/restapi/v1.0/account/{account}/extension/{extension}/message-store"
    store = f"{os.environ['RC_SERVER_URL']}{mailbox}"
    headers = _headers()
    requests.get(store, headers=headers, timeout=30).raise_for_status()
    message = requests.get(f"{store}/{message_id}", headers=headers, timeout=30).json()
    attachment = message["attachments"][0]
    content = requests.get(attachment["uri"], headers=headers, timeout=30).content
    (Path(os.environ["NAIVE_FOLDER"]) / message_id).write_bytes(content)
    requests.put(
        f"{store}/{message_id}", json={"readStatus": "Read"}, headers=headers, timeout=30
    ).raise_for_status()


async def receive(request: web.Request) -> web.Response:
    """Take a notification."""
    body: dict[str, Any] = (await request.json())["body"]
    for message_id in body["changes"][0]["newMessageIds"]:
        handle.delay(body["accountId"], body["extensionId"], str(message_id))
    return web.Response()


if __name__ == "__main__":
    webhook = web.Application()
    webhook.router.add_post("/webhook", receive)
    web.run_app(webhook, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
