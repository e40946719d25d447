"""Say in a chat channel that a message has come."""

from typing import Annotated

from pydantic import AfterValidator, HttpUrl, SecretStr

from ringpost.handlers import (
    Context,
    Handler,
    Message,
    PermanentError,
    TemplateText,
    TransientError,
)


def _whole(token: SecretStr) -> SecretStr:
    if len(token.get_secret_value()) < 8:
        raise ValueError("is too short; copy the whole token from the channel's settings")
    return token


class Chat(Handler):
    """Says in a chat channel that a message has come."""

    url: HttpUrl
    """Where the channel takes messages: https://chat.example.com/channels/4711."""
    token: Annotated[SecretStr, AfterValidator(_whole)]
    """The channel's token; take it from the environment: "${CHAT_TOKEN}"."""
    text: TemplateText = "{{ message.type }} from {{ message.sender }}"
    """A template for what is said."""

    async def handle(self, message: Message, context: Context) -> str:
        """Say it; what may be cured is tried again, anything else is listed as failed."""
        headers = {
            "Authorization": f"Bearer {self.token.get_secret_value()}",
            # the same in every attempt, so that the channel can recognise a repeat
            "Idempotency-Key": context.idempotency_key,
        }
        said = {"text": context.render(self.text, message)}
        reply = await context.post_json(self.url, said, headers=headers)
        if reply.status == 429 or reply.status >= 500:
            raise TransientError(f"the chat answered {reply.status}", after=reply.retry_after)
        if reply.status >= 400:
            raise PermanentError(f"the chat answered {reply.status}; see whether `token` is right")
        return f"posted to {self.url.host}"

    async def check(self) -> str:
        """Look at the options only: this channel cannot be asked without posting."""
        return f"posts to {self.url.host}"
