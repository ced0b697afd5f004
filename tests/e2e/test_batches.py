"""Batches as a person makes them: from choices in a prompt, from a table; stopped, and followed to the pictures."""

import json
import re
import zipfile

from playwright.sync_api import Page, expect

from tests.e2e.studio import fill, generate, violations, wait_for


def confirm(page: Page, prompt: str, **settings: int) -> None:
    """Sends a prompt with choices, up to the step that says what it costs."""
    fill(page, prompt, **settings)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".confirm")).to_be_visible()


def start(page: Page) -> str:
    """Starts what was confirmed; the address of the batch."""
    page.get_by_role("button", name=re.compile(r"^Start \d+ job")).click()
    page.wait_for_url(re.compile(r"/batches/[0-9a-f-]{36}/"))
    return page.url


def test_a_prompt_with_choices_becomes_all_its_pictures(page: Page):
    confirm(page, "a {red|green} {apple|car}, 3d icon", count=1, steps=3)
    expect(page.locator(".confirm")).to_contain_text("4 prompts as one batch")
    assert violations(page) == []
    page.get_by_role("button", name="Change it").click()
    expect(page.locator(".confirm")).to_have_count(0)
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a {red|green} {apple|car}, 3d icon")
    page.get_by_role("button", name="Generate").click()
    address = start(page)
    expect(page.locator(".cell img[alt^='a ']")).to_have_count(4, timeout=240_000)
    expect(page.locator(".batch-words")).to_contain_text("4 of 4 ended")
    for words in ("a red apple, 3d icon", "a green car, 3d icon"):
        expect(page.locator(".cells")).to_contain_text(words)
    assert violations(page) == []
    page.get_by_role("link", name=re.compile("Details")).first.click()
    expect(page.locator(".timeline")).to_contain_text("Stored the files")
    assert violations(page) == []
    page.goto("/")
    card = page.locator(f".batch:has(a[href='/{address.split('/', 3)[3]}'])")
    expect(card.locator(".thumbs img")).to_have_count(4)


def test_an_open_brace_is_named_with_its_place(page: Page):
    fill(page, "a {red|blue shoe")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#prompt-error")).to_contain_text("At sign 3")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a {red|blue shoe")


def test_a_table_names_its_bad_row_and_starts_once_it_is_mended(page: Page):
    page.get_by_role("link", name="From a table").click()
    rows = "prompt;count\na yellow star, 3d icon;1\na moon;nine\n"
    page.get_by_label("CSV file").set_input_files(
        {"name": "shapes.csv", "mimeType": "text/csv", "buffer": b"\xef\xbb\xbf" + rows.encode()}
    )
    page.get_by_role("button", name="Check the table").click()
    expect(page.locator(".problems")).to_contain_text("Line 3")
    text = page.get_by_label("or its rows as text")
    expect(text).to_have_value(rows)
    assert violations(page) == []
    text.fill(rows.replace("nine", "2"))
    page.get_by_role("button", name="Check the table").click()
    expect(page.locator(".confirm")).to_contain_text("2 prompts as one batch")
    expect(page.locator(".facts")).to_contain_text("3")
    start(page)
    expect(page.locator(".cell img[alt]:not([data-cell-preview])")).to_have_count(3, timeout=240_000)


def test_a_finished_batch_is_exported_as_a_data_set(page: Page):
    page.get_by_role("link", name="From a table").click()
    rows = "prompt;title;count;steps;seed\na red star, 3d icon;star;9;2;5\na blue moon, 3d icon;moon;1;2;5\n"
    page.get_by_label("or its rows as text").fill(rows)
    page.get_by_role("button", name="Check the table").click()
    start(page)
    expect(page.locator(".batch-words")).to_contain_text("3 of 3 ended", timeout=240_000)
    page.get_by_text("As a data set", exact=True).click()
    expect(page.locator("#data-set")).to_contain_text("What it has learned from is not known here")
    assert violations(page) == []
    page.get_by_role("button", name="Export as a data set").click()
    export = page.locator(".delivery").first
    with page.expect_download() as download:
        export.get_by_role("link", name="Download").click()
    expect(export).to_contain_text("remark")
    with zipfile.ZipFile(download.value.path()) as archive:
        names = archive.namelist()
        table = [json.loads(line) for line in archive.read("metadata.jsonl").splitlines()]
    assert names[:2] == ["star/00001.png", "star/00002.png"]
    assert {"moon/00001.png", "manifest.json", "README.md"} < {*names}
    assert [row["seed"] for row in table] == [*range(5, 14), 5]


def test_a_batch_rests_goes_on_and_is_cancelled(page: Page):
    confirm(page, "a slow {elephant|whale|tree}", count=8, steps=150)
    start(page)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Resume")).to_have_count(0)  # the answer has drawn the page anew
    page.get_by_role("button", name="Cancel all").click()
    page.get_by_role("button", name="Let them go on").click()
    page.get_by_role("button", name="Cancel all").click()
    page.get_by_role("button", name="Cancel them").click()
    expect(page.locator(".batch-words")).to_contain_text("3 cancelled", timeout=240_000)
    page.get_by_role("link", name=re.compile("^Cancelled")).click()
    expect(page.locator(".cell")).to_have_count(3)


def test_what_failed_is_named_and_made_anew(page: Page, studio_at):
    confirm(page, "a {lemon|plum}, 3d icon", count=1, steps=2)
    address = start(page)
    expect(page.locator(".batch-words")).to_contain_text("2 of 2 ended", timeout=240_000)
    batch = address.split("/batches/")[1][:36]
    fail = f"Job.objects.filter(batch='{batch}', generation__prompt__contains='plum')"
    code = f"from generator.models import Job; {fail}.update(state='failed', reason='The lamp went out.')"
    studio_at.manage("shell", "-c", code)
    page.reload()
    expect(page.locator("#batch .notice")).to_contain_text("1 × The lamp went out.")
    page.get_by_role("button", name="Try the failed one again").click()
    expect(page.locator("#batch .notice")).to_have_count(0)
    expect(page.locator(".batch-words")).to_contain_text("2 done", timeout=240_000)


def test_ones_own_waiting_jobs_rest_and_move_by_keyboard(page: Page):
    busy = [generate(page, "a long road", count=8, steps=150) for _turn in range(3)]  # outlasts all that follows
    first, second = (generate(page, f"a {word}, 3d icon", count=1, steps=2) for word in ("bell", "key"))
    second.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    wait_for(second, "paused")
    second.get_by_role("button", name="Resume").focus()
    page.keyboard.press("Enter")
    expect(second).to_have_attribute("data-state", "queued")
    second.locator(".menu > summary").focus()
    page.keyboard.press("Enter")
    second.get_by_role("button", name="Move to the front").focus()
    page.keyboard.press("Enter")
    for road in busy[::-1]:
        road.get_by_role("button", name="Cancel").click()
        wait_for(road, "cancelled")
    wait_for(second, "done")
    wait_for(first, "done")
