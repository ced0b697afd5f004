"""Which studio, and by which key: from the environment, else as `atelier login` left it in the user's own folder."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import typer

from atelier_cli.told import NO_KEY, USAGE, Told

USUAL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Account:
    """The address of a studio, without a slash at its end, and a key."""

    url: str
    key: str


def path() -> Path:
    """The file that keeps it."""
    return Path(typer.get_app_dir("atelier")) / "login.json"


def load() -> Account:
    """ATELIER_URL and ATELIER_API_KEY before what was kept. Told when there is no key.

    A kept key goes to no other studio than the one that it was kept for.
    """
    kept = _kept()
    url = checked(os.environ.get("ATELIER_URL") or (kept.url if kept else USUAL))
    if key := os.environ.get("ATELIER_API_KEY"):
        return Account(url, key.strip())
    if kept is None:
        raise Told(f"No key is known yet. Make one under {url}/account/keys/, then: atelier login {url}", NO_KEY)
    if url != kept.url:
        raise Told(f"The key that is kept is for {kept.url}. For {url}: atelier login {url}", NO_KEY)
    return kept


def save(account: Account) -> Path:
    """Keeps it where only this user reads it; the file is never there half written or open to others."""
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".login-")  # made with 0600
    with os.fdopen(handle, "w") as new:
        json.dump({"url": account.url, "key": account.key}, new)
    Path(name).replace(file)
    return file


def forget() -> bool:
    """Whether anything was kept."""
    file = path()
    was_there = file.exists()
    file.unlink(missing_ok=True)
    return was_there


def checked(url: str) -> str:
    """An address as it is kept. Told for what is none."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise Told(f"“{url}” is no address of a studio. It has to look like {USUAL}", USAGE)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _kept() -> Account | None:
    try:
        read = json.loads(path().read_text())
        return Account(checked(read["url"]), read["key"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Told(f"{path()} cannot be read. Log in again: atelier login", NO_KEY) from error
