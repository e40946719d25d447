"""Why a login was refused, and what an administrator does about it, in words."""

from message_store.errors import LoginRefused, RingCentralError

_APPS = "https://developers.ringcentral.com/my-account.html#/applications"
_JWTS = "https://developers.ringcentral.com/console/my-credentials"
_KEYS = (
    "RC_CLIENT_ID and RC_CLIENT_SECRET are not those of an app here; "
    f"copy both from the app's Credentials tab at {_APPS}"
)
_GRANT = f"the app may not log in by JWT; enable 'JWT auth flow' in its Settings tab at {_APPS}"
_JWT = f"RC_JWT is expired, revoked or from elsewhere; create a new JWT credential at {_JWTS}"
_APP = f"RC_JWT is not for this app; create one that includes the app's client id at {_JWTS}"
_USER = "the user of RC_JWT is disabled or may not log in; an administrator must enable it"
_LOCKED = (
    "the user of RC_JWT is locked after failed logins; wait, or let an administrator unlock it"
)

# Source: https://developers.ringcentral.com/guide/basics/errors and the OAuth words of the token
# endpoint's reference.
_BY_CODE = {
    "OAU-153": _KEYS,
    "OAU-146": _KEYS,
    "OAU-127": _KEYS,
    "OAU-250": _GRANT,
    "OAU-251": _GRANT,
    "OAU-125": _GRANT,
    "OAU-120": _APP,
    "OAU-140": _JWT,
    "OAU-210": _JWT,
    "OAU-213": _JWT,
    "OAU-149": _JWT,
    "OAU-141": _USER,
    "OAU-142": _USER,
    "OAU-232": _USER,
    "OAU-236": _USER,
    "OAU-147": _LOCKED,
    "OAU-148": _LOCKED,
    "invalid_client": _KEYS,
    "unauthorized_client": _GRANT,
    "unsupported_grant_type": _GRANT,
    "invalid_grant": _JWT,
}


def login_refused(answer: RingCentralError, word: str | None = None) -> LoginRefused:
    """The refusal that an answer of the token endpoint means, with its remedy."""
    remedy = _BY_CODE.get(answer.code or "") or _BY_CODE.get(word or "")
    if remedy is None and answer.status == 404:
        remedy = "RC_SERVER_URL is not a RingCentral server; see Server URL in the app's settings"
    if remedy is None:
        remedy = "check RC_CLIENT_ID, RC_CLIENT_SECRET, RC_JWT and RC_SERVER_URL"
    return LoginRefused(
        f"RingCentral refuses the login: {remedy}",
        status=answer.status,
        code=answer.code,
        request_id=answer.request_id,
    )
