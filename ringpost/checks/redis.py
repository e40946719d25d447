"""Whether the Redis is there and keeps what it is given."""

from redis.asyncio import Redis
from redis.exceptions import RedisError

from ringpost.findings import Finding, fail, ok, warn
from ringpost.refusal import Refusal
from worker.problems import address
from worker.settings import Settings

_PATIENCE = 5


async def check_redis(settings: Settings) -> list[Finding]:
    """Look at REDIS_URL; without one, `ringpost run` brings a Redis of its own."""
    if settings.redis_url is None:
        return [ok("Redis", "REDIS_URL is not set: `ringpost run` brings its own")]
    try:
        async with _open(settings.redis_url) as redis:
            await redis.ping()
            facts = await redis.info("everything")
    except (RedisError, OSError, ValueError) as error:
        return [fail("Redis", f"REDIS_URL does not answer ({reason(error)})", START_IT)]
    version = facts.get("valkey_version") or facts.get("redis_version", "of unknown version")
    return [ok("Redis", f"answers, {version}"), _eviction(facts), _persistence(facts)]


async def insist_on_redis(url: str) -> None:
    """Raise Refusal if REDIS_URL does not answer."""
    try:
        async with _open(url) as redis:
            await redis.ping()
    except (RedisError, OSError, ValueError) as error:
        raise no_answer(url, error) from None


def no_answer(url: str, error: Exception, exit_code: int = 2) -> Refusal:
    """What to say when Redis does not answer."""
    words = f"REDIS_URL {address(url)}: no answer ({reason(error)}); {START_IT}"
    return Refusal(words, exit_code=exit_code)


def _open(url: str) -> Redis:
    return Redis.from_url(url, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE)


START_IT = "start it, correct REDIS_URL, or unset it for the embedded one"


def reason(error: Exception) -> str:
    """Why Redis does not answer, without the address, which may hold a password."""
    return type(error).__name__ if "://" in str(error) else " ".join(str(error).split())[:200]


def _eviction(facts: dict[str, object]) -> Finding:
    policy = facts.get("maxmemory_policy")
    if policy == "noeviction":
        return ok("Redis eviction", "noeviction")
    if policy is None:
        return warn("Redis eviction", "not told", "make sure that maxmemory-policy is noeviction")
    return fail(
        "Redis eviction",
        f"maxmemory-policy is {policy}: it may throw the ledger away",
        "set maxmemory-policy noeviction",
    )


def _persistence(facts: dict[str, object]) -> Finding:
    if facts.get("aof_enabled"):
        return ok("Redis persistence", "append-only file is on")
    return warn(
        "Redis persistence",
        "no append-only file: a restart of Redis loses what is open",
        "set appendonly yes",
    )
