"""Whether the Redis is there and keeps what it is given."""

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from ringpost.findings import Finding, fail, ok, warn
from ringpost.refusal import Refusal
from worker.ledger.keeping import SET_FILE, SET_POLICY, Keeping, read_keeping
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
            version = await _version(redis)
            keeping = await read_keeping(redis)
    except (RedisError, OSError, ValueError) as error:
        return [fail("Redis", f"REDIS_URL does not answer ({reason(error)})", START_IT)]
    return [ok("Redis", f"answers, {version}"), _eviction(keeping), _persistence(keeping)]


async def insist_on_redis(url: str) -> list[str]:
    """What somebody should know of this Redis; Refusal if it does not answer, or evicts keys."""
    try:
        async with _open(url) as redis:
            await redis.ping()
            keeping = await read_keeping(redis)
    except (RedisError, OSError, ValueError) as error:
        raise no_answer(url, error) from None
    if keeping.evicts:
        raise Refusal(f"REDIS_URL {address(url)}: {keeping.evicts}; {SET_POLICY}", exit_code=2)
    return keeping.warnings()


def no_answer(url: str, error: Exception, exit_code: int = 2) -> Refusal:
    """What to say when Redis does not answer, or refuses to do anything."""
    if isinstance(error, ResponseError):
        said = f"it refuses ({reason(error)}); mend that there, and everything goes on by itself"
    else:
        said = f"no answer ({reason(error)}); {START_IT}"
    words = f"REDIS_URL {address(url)}: {said}"
    return Refusal(words, exit_code=exit_code)


def _open(url: str) -> Redis:
    return Redis.from_url(url, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE)


START_IT = "start it, correct REDIS_URL, or unset it for the embedded one"


def reason(error: Exception) -> str:
    """Why Redis does not answer, without the address, which may hold a password."""
    return type(error).__name__ if "://" in str(error) else " ".join(str(error).split())[:200]


async def _version(redis: Redis) -> str:
    try:
        facts = await redis.info("server")
    except ResponseError:
        return "of unknown version"
    return str(facts.get("valkey_version") or facts.get("redis_version", "of unknown version"))


def _eviction(keeping: Keeping) -> Finding:
    if keeping.policy is None:
        return warn("Redis eviction", "not told", "make sure that maxmemory-policy is noeviction")
    if keeping.evicts:
        return fail("Redis eviction", keeping.evicts, SET_POLICY)
    return ok("Redis eviction", keeping.policy)


def _persistence(keeping: Keeping) -> Finding:
    if keeping.forgets:
        return warn("Redis persistence", keeping.forgets, SET_FILE)
    if keeping.has_file is None:
        return warn("Redis persistence", "not told", "make sure that it keeps an append-only file")
    return ok("Redis persistence", "append-only file is on")
