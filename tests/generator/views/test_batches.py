"""Asking for a batch, seeing it, and what can be done with all of it."""

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import User
from generator.models import Batch, Generation, Job, Prompt, State

HTMX = {"HX-Request": "true"}
ASKED = {"format": "square", "count": "2", "checkpoint": "starter", "visibility": "team", "steps": "3"}


def matrix(prompt: str) -> dict[str, str]:
    return {**ASKED, "origin": "matrix", "prompt": prompt, "batch": str(uuid4())}


def table(text: str) -> dict[str, str]:
    return {**ASKED, "origin": "table", "table": text, "batch": str(uuid4())}


@pytest.fixture
def bobs(as_, bob, checkpoint):
    return as_(bob)


def test_choices_are_confirmed_before_anything_starts(bobs):
    response = bobs.post(reverse("generator:submit"), matrix("{red|blue} shoe on {a beach|snow}"), headers=HTMX)
    assert (response.status_code, response["HX-Retarget"]) == (200, "#confirm")
    assert response.context["estimate"].pictures == 8
    assert "4 prompts as one batch" in response.content.decode()
    assert not Job.objects.exists()


def test_what_was_confirmed_starts_as_one(bobs, bob):
    response = bobs.post(reverse("generator:start_batch"), matrix("{red|blue} shoe"))
    batch = Batch.objects.get()
    assert response.url == reverse("generator:batch", args=[batch.pk])
    assert (batch.name, batch.template, batch.origin) == ("{red|blue} shoe", "{red|blue} shoe", "matrix")
    assert [g.prompt for g in Generation.objects.order_by("job__position")] == ["red shoe", "blue shoe"]
    assert Prompt.objects.get(user=bob).text == "{red|blue} shoe"


def test_a_double_click_starts_one(bobs):
    asked = matrix("{red|blue} shoe")
    addresses = {bobs.post(reverse("generator:start_batch"), asked).url for _click in range(2)}
    assert len(addresses) == Batch.objects.count() == 1
    assert Job.objects.count() == 2


def test_one_combination_is_an_ordinary_job(bobs):
    bobs.post(reverse("generator:submit"), matrix(r"a \{red\} {shoe}"), headers=HTMX)
    assert not Batch.objects.exists()
    assert Generation.objects.get().prompt == "a {red} shoe"
    assert Prompt.objects.get().text == r"a \{red\} shoe"


@pytest.mark.parametrize("prompt", ["a {red|blue", "{red|}", "a }", "{a|b|c|d|e|f|g|h|i|j}" * 3])
def test_a_matrix_that_means_nothing_is_refused_with_the_text_kept(bobs, prompt):
    response = bobs.post(reverse("generator:submit"), matrix(prompt), headers=HTMX)
    assert response.status_code == 422
    assert response.context["form"].errors["prompt"]
    assert prompt in response.content.decode()
    assert not Job.objects.exists()


def test_a_file_is_read_with_all_its_columns(bobs):
    text = "Prompt;Title;Style;Format;Count;Steps;Guidance;Seed;Model;Negative prompt\r\n"
    text += "a shoe;Shoe;3D icon;9:16;1;7;2.5;11;Starter;text\r\na boot;;;;;;;;;\r\n"
    file = SimpleUploadedFile("shoes.csv", b"\xef\xbb\xbf" + text.encode(), "text/csv")
    response = bobs.post(reverse("generator:new_batch"), {**ASKED, "file": file})
    assert response.status_code == 200
    sent = dict(response.context["sent"])
    assert sent["name"] == "shoes"
    bobs.post(reverse("generator:start_batch"), {"origin": "table", "batch": str(uuid4()), **sent})
    first, second = Generation.objects.order_by("job__position")
    assert (first.title, first.style.slug, first.format, first.count, first.steps) == ("Shoe", "3d-icon", "story", 1, 7)
    assert (first.guidance, first.seed, first.negative_prompt) == (2.5, 11, "text")
    assert (second.prompt, second.count, second.steps, second.format, second.title) == ("a boot", 2, 3, "square", "")


def test_a_row_of_many_pictures_is_several_jobs(bobs):
    sent = table("prompt,title,count,seed\na scan with a shadow,shadow,20,5\na scan,none,3,5\n")
    bobs.post(reverse("generator:start_batch"), sent | {"origin": "table", "batch": str(uuid4())})
    made = Generation.objects.order_by("job__position")
    assert [(one.title, one.count, one.seed) for one in made] == [
        ("shadow", 8, 5),
        ("shadow", 8, 13),
        ("shadow", 4, 21),
        ("none", 3, 5),
    ]


def test_more_pictures_than_a_batch_takes_are_told_with_the_row(bobs):
    response = bobs.post(reverse("generator:new_batch"), table("prompt,count\na,4000\nb,1\nc,1\n"))
    assert [(one.line, "501" in one.reason) for one in response.context["problems"]] == [(3, True)]


def test_every_bad_row_is_named_and_nothing_starts(bobs):
    text = "prompt,count,style\na,1,\n,2,\nb,nine,\nc,1,oil\nd,9999,\n"
    for name in ("new_batch", "start_batch"):
        response = bobs.post(reverse(f"generator:{name}"), table(text))
        assert response.status_code == 422
        assert [problem.line for problem in response.context["problems"]] == [3, 4, 5, 6]
        assert text in response.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize("data", [b"\xff\xfe", b"", b"a" * (1024 * 1024 + 1)])
def test_a_file_of_another_kind_is_refused(bobs, data):
    file = SimpleUploadedFile("shoes.csv", data, "text/csv")
    response = bobs.post(reverse("generator:new_batch"), {**ASKED, "file": file})
    assert response.status_code == 422
    assert response.context["form"].errors["file"]


def test_more_than_the_quota_says_so_at_once_and_at_the_start(bobs, bob):
    bob.pictures_per_day = 3
    bob.save()
    shown = bobs.post(reverse("generator:submit"), matrix("{a|b} shoe"))
    assert "disabled" in shown.content.decode()
    response = bobs.post(reverse("generator:start_batch"), matrix("{a|b} shoe"))
    assert response.status_code == 422
    assert "3" in response.context["error"]
    assert not Batch.objects.exists()


def test_a_batch_is_one_card_among_the_jobs(bobs, bob, make_job, make_batch):
    make_job(bob, prompt="before")
    batch = make_batch(bob, prompts=20)
    make_job(bob, prompt="after")
    page = bobs.get("/").content.decode()
    assert page.count('<article class="job') == 2
    assert page.index("after") < page.index(f'id="batch-{batch.pk}"') < page.index(">before<")
    assert "0 of 20 ended" in page


def test_pages_of_earlier_things_hold_jobs_and_batches(bobs, bob, make_job, make_batch):
    make_batch(bob)
    for number in range(9):
        make_job(bob, prompt=f"job {number}")
    first = bobs.get("/")
    assert len(first.context["cards"]) == 8
    rest = bobs.get("/", {"before": first.context["next"]})
    assert len(rest.context["cards"]) == 2
    assert rest.context["next"] is None


def test_its_page_costs_the_same_for_3_and_for_48(bobs, bob, make_batch, django_assert_max_num_queries):
    small, large = make_batch(bob, prompts=3), make_batch(bob, prompts=48)
    for batch in (small, large):
        with django_assert_max_num_queries(30):
            bobs.get(reverse("generator:batch", args=[batch.pk]))


def test_reasons_are_told_and_counted(bobs, bob, make_batch):
    batch = make_batch(bob)
    for job in batch.jobs.all()[:2]:
        job.move(State.FAILED, reason="No lamp.")
    page = bobs.get(reverse("generator:batch", args=[batch.pk]), {"show": "failed"})
    assert page.context["reasons"] == [{"reason": "No lamp.", "n": 2}]
    assert len(page.context["cells"]) == 2


@pytest.mark.parametrize("action", ["cancel_batch", "pause_batch", "resume_batch", "retry_batch", "hide_batch"])
@pytest.mark.parametrize(("who", "status"), [("alice", 200), ("victor", 403), ("charlie", 404)])
def test_who_may(as_, alice, bob, victor, charlie, make_batch, action, who, status):
    batch = make_batch(bob)
    client = as_(User.objects.get(email=f"{who}@example.com"))
    answer = client.post(reverse(f"generator:{action}", args=[batch.pk]), headers=HTMX)
    expected = 403 if action == "hide_batch" and who == "alice" else status
    assert answer.status_code == expected


def test_an_answer_is_the_part_of_the_page_that_changes(bobs, bob, make_batch):
    batch = make_batch(bob)
    page = bobs.post(reverse("generator:cancel_batch", args=[batch.pk]), headers=HTMX).content.decode()
    assert 'id="batch"' in page
    assert "<html" not in page
    assert "3 cancelled" in page


def test_staff_read_the_traceback_and_others_do_not(as_, bob, make_job):
    job = make_job(bob)
    job.move(State.FAILED, reason="No.", trace="Traceback: the lamp", log="last words")
    address = reverse("generator:job", args=[job.pk])
    assert "the lamp" not in as_(bob).get(address).content.decode()
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    page = as_(bob).get(address).content.decode()
    assert "the lamp" in page
    assert "last words" in page


def test_a_job_is_moved_in_its_line(bobs, bob, make_job):
    jobs = [make_job(bob, prompt=f"job {number}") for number in range(4)]

    def order() -> list[int]:
        return [jobs.index(job) for job in Job.objects.in_line_with(jobs[0])]

    for number, to, expected in (
        (2, "front", [2, 0, 1, 3]),
        (1, "up", [2, 1, 0, 3]),
        (2, "down", [1, 2, 0, 3]),
        (0, "down", [1, 2, 3, 0]),
    ):
        assert bobs.post(reverse("generator:move", args=[jobs[number].pk]), {"to": to}, headers=HTMX).status_code == 200
        assert order() == expected
    refused = bobs.post(reverse("generator:move", args=[jobs[0].pk]), {"to": "down"}, headers=HTMX)
    assert refused.status_code == 422


def test_pause_and_resume_answer_with_the_card(bobs, bob, make_job):
    job = make_job(bob)
    for action, state in (("pause", "paused"), ("resume", "queued")):
        page = bobs.post(reverse(f"generator:{action}", args=[job.pk]), headers=HTMX).content.decode()
        assert f'data-state="{state}"' in page
