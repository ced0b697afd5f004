"""What environment variables become: read as a process reads them when it starts."""

import json
import os
import subprocess
import sys

import pytest

from tests.installation import ROOT

SHOWN = """
import json, sys
from config import settings
print(json.dumps({name: getattr(settings, name, None) for name in sys.argv[1:]}, default=str))
"""


@pytest.fixture
def settings_with(tmp_path):
    """`settings_with(["NAME"], DATABASE_URL=...)`: those settings in a process with these variables."""

    def read(names: list[str], **variables: str) -> dict:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment = {**kept, "ATELIER_HOME": str(tmp_path), **variables}
        command = [sys.executable, "-c", SHOWN, *names]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return read


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail.example.com:25", 25, None, None),
        ("smtp+tls://me:p%40ss@mail.example.com:587", 587, True, None),
        ("smtp+ssl://me:p%40ss@mail.example.com:465", 465, None, True),
    ],
)
def test_mail(url, port, tls, ssl, settings_with):
    names = ["EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS", "EMAIL_USE_SSL", "EMAIL_CONFIGURED"]
    found = settings_with(names, EMAIL_URL=url)
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.example.com", port)
    assert (found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"], found["EMAIL_CONFIGURED"]) == (tls, ssl, True)
    assert not found["EMAIL_HOST_PASSWORD"] or found["EMAIL_HOST_PASSWORD"] == "p@ss"


def test_postgres_has_a_pool_of_the_wanted_size_and_keeps_options(settings_with):
    url = "postgres://me:word@db/atelier?sslmode=verify-full&sslrootcert=/ca.pem"
    found = settings_with(["DATABASES"], DATABASE_URL=url, DATABASE_POOL_SIZE="3")["DATABASES"]["default"]
    assert found["OPTIONS"]["pool"] == {"min_size": 1, "max_size": 3, "timeout": 10}
    assert (found["OPTIONS"]["sslmode"], found["OPTIONS"]["sslrootcert"]) == ("verify-full", "/ca.pem")
    assert found["CONN_HEALTH_CHECKS"] is True


def test_every_secret_can_be_a_file(settings_with, tmp_path):
    values = {
        "DATABASE_URL": "postgres://me:word@db/atelier",
        "REDIS_URL": "redis://:word@broker:6380/3",
        "SECRET_KEY": "a secret key",
        "EMAIL_URL": "smtp://mail.example.com:25",
        "METRICS_TOKEN": "a token",
    }
    files = {}
    for name, value in values.items():
        (tmp_path / name).write_text(f"{value}\n")
        files[f"{name}_FILE"] = str(tmp_path / name)
    found = settings_with(["DATABASES", "CELERY_BROKER_URL", "SECRET_KEY", "EMAIL_HOST", "METRICS_TOKEN"], **files)
    assert found["DATABASES"]["default"]["PASSWORD"] == "word"
    assert found["CELERY_BROKER_URL"] == "redis://:word@broker:6380/3"
    assert (found["SECRET_KEY"], found["METRICS_TOKEN"]) == ("a secret key", "a token")
    assert found["EMAIL_HOST"] == "mail.example.com"


def test_an_empty_file_counts_as_nothing(settings_with, tmp_path):
    (tmp_path / "empty").write_text("")
    found = settings_with(["EMAIL_CONFIGURED", "METRICS_TOKEN"], EMAIL_URL_FILE=str(tmp_path / "empty"))
    assert found["EMAIL_CONFIGURED"] is False


def test_no_proxy_is_asked_to_send_what_is_in_a_bucket(settings_with):
    given = {"MEDIA_STORAGE": "s3://studio", "ACCEL_REDIRECT": "/_media/"}
    assert settings_with(["ACCEL_REDIRECT", "MEDIA_REDIRECT"], **given) == {
        "ACCEL_REDIRECT": "",
        "MEDIA_REDIRECT": False,
    }
