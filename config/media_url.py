"""MEDIA_STORAGE as Django wants to hear it: a bucket of an S3-compatible store instead of the folder.

    s3://bucket[/prefix][?endpoint_url=https://minio:9000][&region=eu-central-1][&redirect=https://media.example.com]

Keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or their _FILE forms); without them boto3 looks where it
always looks, such as the role of the machine. With `redirect` browsers fetch files from that address of the store
themselves, by addresses signed for minutes; otherwise the web server passes them on. Knows no Django.
"""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from config.runtime import read_env

KNOWN = {"endpoint_url": "endpoint_url", "region": "region_name", "redirect": "public_endpoint"}


class MediaUrlError(ValueError):
    """Why an address cannot be used."""


def storage(url: str | None) -> dict[str, Any]:
    """The entry of Django's STORAGES; for None the folder. MediaUrlError says what is wrong with an address."""
    if not url:
        return {"BACKEND": "gallery.storage.DurableStorage"}
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise MediaUrlError(f"MEDIA_STORAGE is {url!r}; it has to look like s3://bucket/prefix")
    query = dict(parse_qsl(parts.query))
    if unknown := sorted(set(query) - set(KNOWN)):
        raise MediaUrlError(f"MEDIA_STORAGE knows no {', '.join(unknown)}; only {', '.join(KNOWN)}")
    options = {KNOWN[name]: value for name, value in query.items()}
    options |= {"bucket_name": parts.netloc, "location": parts.path.strip("/")}
    keys = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY"}
    keys |= {"security_token": "AWS_SESSION_TOKEN"}
    options |= {name: value for name, variable in keys.items() if (value := read_env(variable))}
    return {"BACKEND": "gallery.bucket.BucketStorage", "OPTIONS": options}


def origin(entry: dict[str, Any]) -> str | None:
    """Where browsers are sent for files, if they are sent anywhere: scheme, host and port."""
    if not (address := entry.get("OPTIONS", {}).get("public_endpoint")):
        return None
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
