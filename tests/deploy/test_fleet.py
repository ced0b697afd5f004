"""A fleet by the compose file's own commands: web server, two workers, small tasks, clock, PostgreSQL and a bucket.

Forty jobs from five people all end, both workers take part, every file is in the bucket, and people see it.
"""

import re
import uuid
from collections.abc import Iterator

import boto3
import psycopg
import pytest
from moto.server import ThreadedMotoServer

from benchmarks.visitor import Visitor
from tests.deploy.stack import Stack
from tests.installation import free_port
from tests.servers import postgres, wait_for

PEOPLE, JOBS = 5, 8
PASSWORD = "a rather long password"
SEED = f"""
from accounts.models import Membership, Team
from accounts.roles import Role
from accounts.services import create_person
team = Team.objects.create(name="Studio")
for number in range({PEOPLE}):
    person = create_person(email=f"person{{number}}@example.com", name=f"Person {{number}}", password="{PASSWORD}")
    Membership.objects.create(team=team, user=person, role=Role.CREATOR)
"""
ASKED = {"prompt": "a red apple", "checkpoint": "starter", "format": "square", "count": "1", "steps": "4"}
ASKED |= {"guidance": "4", "scheduler": "dpmpp_2m", "negative_prompt": "", "style": "", "seed": ""}


@pytest.fixture(scope="module")
def bucket(tmp_path_factory) -> Iterator:
    """A bucket in an S3-compatible store."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    made = boto3.resource("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", **keys).Bucket("studio")
    made.create()
    yield made
    server.stop()


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Iterator[str]:
    """The address of a database of its own."""
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="module")
def fleet(tmp_path_factory, bucket, database) -> Iterator[Stack]:
    """All services but the database, which is given, and the proxy, which a bucket does not need."""
    store = f"s3://studio/media?endpoint_url={bucket.meta.client.meta.endpoint_url}&region=us-east-1"
    variables = {"ALLOWED_HOSTS": "127.0.0.1", "MEDIA_STORAGE": store, "AWS_ACCESS_KEY_ID": "key"}
    with Stack(tmp_path_factory.mktemp("fleet"), variables) as stack:
        stack.secret("database_url").write_text(database)
        stack.secret("aws_secret_access_key").write_text("secret")
        stack.start("broker")
        stack.prepare(SEED)
        for service, number in (("web", 1), ("worker", 1), ("worker", 2), ("light", 1), ("beat", 1)):
            stack.start(service, number)
        wait_for(lambda: stack.is_well("web"), "the web server answers", 60)
        wait_for(
            lambda: _count(database, "SELECT count(*) FROM generator_worker WHERE device <> ''") == 2, "workers", 120
        )
        yield stack


def _count(database: str, query: str) -> int:
    with psycopg.connect(database) as connection:
        return connection.execute(query).fetchone()[0]


def _rows(database: str, query: str) -> list[tuple]:
    with psycopg.connect(database) as connection:
        return connection.execute(query).fetchall()


def _sign_in(fleet: Stack, number: int) -> Visitor:
    visitor = Visitor(fleet.url("web"))
    visitor.get("/account/login/")
    answer = visitor.post("/account/login/", {"login": f"person{number}@example.com", "password": PASSWORD})
    assert answer.status_code == 302
    return visitor


def test_forty_jobs_from_five_people(fleet, bucket, database):
    people = [_sign_in(fleet, number) for number in range(PEOPLE)]
    asked = {uuid.UUID(person.generate(ASKED)) for _number in range(JOBS) for person in people}
    assert len(asked) == PEOPLE * JOBS
    unfinished = "SELECT count(*) FROM generator_job WHERE finished IS NULL"
    wait_for(lambda: _count(database, unfinished) == 0, "all jobs have ended", 240)

    jobs = _rows(database, "SELECT id, state, worker FROM generator_job")
    assert {job for job, _state, _worker in jobs} == asked
    assert {state for _job, state, _worker in jobs} == {"done"}
    shares = [sum(worker == name for *_job, worker in jobs) for name in {worker for *_job, worker in jobs}]
    assert len(shares) == 2
    assert min(shares) >= 5, shares

    originals = {name for (name,) in _rows(database, "SELECT file FROM gallery_media")}
    derived = {name for (name,) in _rows(database, "SELECT file FROM gallery_rendition")}
    assert len(originals) == PEOPLE * JOBS
    assert {found.key for found in bucket.objects.all()} == {f"media/{name}" for name in originals | derived}

    for person in people:
        tiles = re.findall(r"/media/[^\"?\s]+/tile/[^\"?\s]+", person.get("/gallery/").text)
        assert tiles
        answer = person.get(tiles[0])
        assert answer.status_code == 200
        assert answer.content[8:12] == b"WEBP"
    assert Visitor(fleet.url("web")).get(tiles[0]).status_code == 302


@pytest.mark.parametrize("service", ["web", "worker", "light", "beat"])
def test_health_checks_pass(service, fleet):
    wait_for(lambda: fleet.is_well(service), f"{service} is well", 60)


def test_nobody_complains(fleet):
    for service, number in (("web", 1), ("worker", 1), ("worker", 2), ("light", 1), ("beat", 1)):
        assert not re.search(r'"level": "(ERROR|CRITICAL)"', fleet.log(service, number)), service
