"""Whatever the API's description allows, and much that it does not, sent with the key of each role: no answer is an
error of ours or another than described, and nobody is told of, or changes, what is not theirs to see.

A few requests of each kind here, with the keys of those who differ most; `make fuzz` sends more, with everyone's
(API_EXAMPLES says how many). Each caller sends other ones, and the same each time.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.db.models import Model
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from accounts.services import create_api_key, ensure_personal_team
from gallery import services
from gallery.models.album import AlbumQuerySet
from gallery.search import alike
from generator.models import Training
from tests import deliveries

PEOPLE = ("alice", "mona", "bob", "rita", "victor", "charlie")
TEAMS = ("trainings", "picture")  # whatever else: those of a team are all its members'
OWN = ("exports", "uploads", "file")  # whose they are is all who see them
EXAMPLES = int(os.environ.get("API_EXAMPLES", "4"))  # half as many of what is not allowed
CALLERS = PEOPLE if "API_EXAMPLES" in os.environ else ("alice", "bob", "charlie")
LASTING = "/events$"  # a stream that ends with its job: generator/api/test_generations.py
# Ours: a valid request may be refused for what the description cannot say (a style that does not exist); who is let in
# without a key is asked for every address in test_api.py.
NOT_ASKED = [checks.positive_data_acceptance, checks.ignored_auth, checks.unsupported_method]
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
]
QUIET = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass
class House:
    """What there is: by the first part of its address, and by who may not know of it."""

    things: dict[str, list[Model]] = field(default_factory=dict)
    hidden: dict[str, list[Model]] = field(default_factory=dict)

    def ids(self, kind: str) -> list[str]:
        """Of all that stands under `kind`."""
        return [str(thing.pk) for thing in self.things.get(kind, [])]


@pytest.fixture
def house(alice, mona, bob, rita, victor, charlie, studio, make_media, make_job, make_batch, checkpoint) -> House:
    """bob's things that the studio sees, his private ones, and those of charlie's own team."""
    found, own = House(), ensure_personal_team(charlie)
    for person, team, visibility, word in (
        (bob, studio, "team", "studioword"),
        (bob, studio, "private", "bobsword"),
        (charlie, own, "team", "charliesword"),
    ):
        media = make_media(person, team=team, visibility=visibility, prompt=word)
        album = services.create_album(user=person, team=team, name=word, visibility=visibility, media=[media.pk])
        comment = services.add_comment(user=person, media=media, text=word)
        job = make_job(person, team=team, visibility=visibility, prompt=word)
        export = deliveries.make_export(person, [media])
        upload = services.begin_upload(user=person, team=team, whose="own")
        file = services.add_file(user=person, upload=upload, name=f"{word}.png", size=4)
        some = {"media": media, "albums": album, "comments": comment, "jobs": job, "exports": export}
        some |= {"uploads": upload, "file": file}
        if visibility == "team" and team == studio:
            some["reviews"] = services.ask_review(user=bob, media=media, role="reviewer")
            some["batches"] = make_batch(bob, prompts=1)
        facts = {"name": word, "noun": "pear", "word": word, "checkpoint": checkpoint}
        training = some["trainings"] = Training.objects.create(team=team, owner=person, **facts)
        some["picture"] = training.pictures.create(name=f"{word}.png", width=256, height=256)
        for kind, thing in some.items():
            found.things.setdefault(kind, []).append(thing)
            for name in PEOPLE:
                is_shared = team == studio and (kind in TEAMS or (visibility == "team" and kind not in OWN))
                if name != person.name.lower() and (name == "charlie" or not is_shared):
                    found.hidden.setdefault(name, []).append(thing)
    return found


@pytest.fixture
def description(db, settings, monkeypatch) -> Iterator[schemathesis.BaseSchema]:
    """The API as it describes itself, called within this process."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.API_REQUESTS_PER_MINUTE = 10**9
    monkeypatch.setattr(alike, "WAITS", 0.0)
    config = SchemathesisConfig.from_dict({"generation": {"allow-x00": True}})
    # As Django's own test client does: the test's transaction outlives its requests.
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_old_connections)
    found = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application(), config=config)
    yield found.exclude(path_regex=LASTING)
    signals.request_started.connect(close_old_connections)
    signals.request_finished.connect(close_old_connections)


def _state(thing: Model) -> tuple[Any, ...]:
    """Its row, and how many others are of it."""
    row = type(thing)._base_manager.filter(pk=thing.pk).values_list().first()
    related = [one for one in thing._meta.related_objects if one.one_to_many or one.many_to_many]
    return row, [one.related_model._base_manager.filter(**{one.field.name: thing.pk}).count() for one in related]


def _nothing_hidden(hidden: list[Model]):
    words = [str(thing.pk) for thing in hidden]

    def nothing_hidden_is_told(ctx, response, case) -> None:
        """What the caller may not know of is not there for them, and its id in no answer."""
        if response.status_code < 400:
            told = response.content.decode(errors="replace") + str(case.path_parameters.get("pk"))
            assert not [word for word in words if word in told], f"{case.method} {case.path} tells of what is hidden"

    return nothing_hidden_is_told


def _headers(user) -> dict[str, str]:
    _key, token = create_api_key(user=user, name="At random", scope="write")
    return {"Authorization": f"Bearer {token}"}


def _pool(house: House, path: str) -> list[str]:
    """The ids that an address of this kind may be called with."""
    return house.ids(path.split("/")[3])


def _operations(description) -> Iterator[Any]:
    for result in description.get_all_operations():
        yield result.ok()


@pytest.mark.parametrize("person", CALLERS)
def test_each_address_with_anything(request, house, description, person):
    headers, hidden = _headers(request.getfixturevalue(person)), house.hidden[person]
    before = {thing: _state(thing) for thing in hidden}
    watch, failed = _nothing_hidden(hidden), []
    for operation in _operations(description):
        pool = _pool(house, operation.path) if "{pk}" in operation.path else []
        for mode in GenerationMode:

            @seed(PEOPLE.index(person))
            @settings(QUIET, max_examples=EXAMPLES if mode is GenerationMode.POSITIVE else (EXAMPLES + 1) // 2)
            @given(
                case=operation.as_strategy(generation_mode=mode),
                pk=st.sampled_from(pool or [""]),
                file=st.sampled_from(house.ids("file")),
                media=st.sampled_from(house.ids("media")),
                picture=st.sampled_from(house.ids("picture")),
                mode=st.just(mode),
            )
            def send(case, pk, file, media, picture, mode) -> None:
                if mode is GenerationMode.POSITIVE:
                    known = {"pk": pk, "file": file, "media": media, "picture": picture}
                    case.path_parameters = {**case.path_parameters} | {
                        name: known[name] for name in case.path_parameters if known.get(name)
                    }
                    if isinstance(case.body, dict) and "media" in case.body:
                        case.body = case.body | {"media": [media] if isinstance(case.body["media"], list) else media}
                case.call_and_validate(headers=headers, checks=[*CHECKS, watch], excluded_checks=NOT_ASKED)

            try:
                send()
            except (Exception, FailureGroup) as error:  # which is no Exception
                failed.append(f"{operation.label}, {mode.value}: {type(error).__name__}: {error}")
    assert not failed, "\n\n".join(failed)
    assert [thing for thing in hidden if _state(thing) != before[thing]] == []


def _calls(description, house: House, person: str, headers: dict[str, str]):
    """A machine that calls with the key of one person, each run in the house as it was: Hypothesis counts on that."""
    hidden = house.hidden[person]
    before = {thing: _state(thing) for thing in hidden}
    watched = [*CHECKS, checks.use_after_free, checks.ensure_resource_availability, _nothing_hidden(hidden)]

    @seed(PEOPLE.index(person))
    class Calls(description.as_state_machine()):
        """What is made or found is used in what follows, by the links of the description."""

        def setup(self) -> None:
            """What follows is undone by `teardown`."""
            super().setup()
            self.told, self.called = "", 0
            self.undone = transaction.atomic()
            self.undone.__enter__()

        def teardown(self) -> None:
            """Looks for what was changed before it is undone."""
            changed = [thing for thing in hidden if _state(thing) != before[thing]]
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)
            super().teardown()
            assert changed == [], "what is hidden was changed"

        def before_call(self, case) -> None:
            """An id that nobody has told stands for something that exists: the next thing in the house of its kind."""
            self.called += 1
            pool = _pool(house, case.path)
            if pool and "pk" in case.path_parameters and str(case.path_parameters["pk"]) not in self.told:
                case.path_parameters = {**case.path_parameters, "pk": pool[self.called % len(pool)]}

        def get_call_kwargs(self, case) -> dict[str, Any]:
            """What each is sent with."""
            return {"headers": headers}

        def validate_response(self, response, case, *_more, **_options) -> None:
            """Each answer by all that is checked."""
            self.told += response.content.decode(errors="replace")
            case.validate_response(response, checks=watched)

    return Calls


@pytest.mark.parametrize("person", CALLERS)
def test_one_after_the_other(request, house, description, person):
    """What is made or found is used in what follows."""
    machine = _calls(description, house, person, _headers(request.getfixturevalue(person)))
    run_state_machine_as_test(machine, settings=settings(QUIET, stateful_step_count=8))


def test_a_forgotten_permission_is_seen(house, description, charlie, monkeypatch):
    """Of what would tell of things that are not the caller's."""
    monkeypatch.setattr(AlbumQuerySet, "visible_to", lambda albums, user: albums)
    machine = _calls(description.include(path_regex=r"/albums(/\{pk\})?$"), house, "charlie", _headers(charlie))
    with pytest.raises(FailureGroup, match="hidden"):
        run_state_machine_as_test(machine, settings=settings(QUIET, max_examples=8, stateful_step_count=6))


def test_a_change_that_nobody_tells_of_is_seen_and_undone(house, description, charlie):
    """As a call would make it that changes more than it says."""
    calls = _calls(description, house, "charlie", _headers(charlie))()  # which sets it up
    media = house.hidden["charlie"][0]
    services.set_title(user=media.owner, media=media, title="Not yours")
    with pytest.raises(AssertionError, match="hidden"):
        calls.teardown()
    media.refresh_from_db()
    assert media.title != "Not yours"
