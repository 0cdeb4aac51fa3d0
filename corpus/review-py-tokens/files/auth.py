"""Logins by password and by token."""

import hashlib
import hmac
import logging

log = logging.getLogger("auth")


def digest(text: str, salt: bytes) -> bytes:
    return hashlib.scrypt(text.encode(), salt=salt, n=2**14, r=8, p=1)


def check_password(user, password: str) -> bool:
    ok = hmac.compare_digest(digest(password, user.salt), user.password)
    log.info("login of %s: %s", user.name, "ok" if ok else "refused")
    return ok
