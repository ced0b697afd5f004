"""Teaching through the browser: a style from a handful of pictures, a model from scratch from a data set."""

import os
import re
import signal
import zipfile
from io import BytesIO

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.studio import generate, violations, wait_for
from tests.installation import Installation


def _photo(number: int) -> bytes:
    shades = np.random.default_rng(number).integers(0, 255, (7, 7, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(shades).resize((160, 160), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_style_is_taught_in_the_browser(page: Page):
    wait_for(generate(page, "a cup of blotches", steps=2), "done")
    page.get_by_role("link", name="Train", exact=True).click()
    expect(page.get_by_role("link", name=re.compile("Teach a style"))).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name=re.compile("Teach a style")).click()
    page.get_by_label("Name", exact=True).fill("Blotches")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Steps").fill("2")
    assert violations(page) == []
    page.get_by_role("button", name="Next: pictures").click()
    expect(page.get_by_role("heading", name="Blotches")).to_be_visible()
    expect(page.get_by_role("button", name="Start")).to_be_disabled()
    files = [{"name": f"{n}.png", "mimeType": "image/png", "buffer": _photo(n)} for n in range(4)]
    page.get_by_label("Choose pictures").set_input_files([*files, {**files[0], "name": "no.png", "buffer": b"no"}])
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("“no.png” is no picture that can be read")).to_be_visible()
    page.get_by_role("link", name="From the gallery").click()
    page.get_by_role("searchbox").fill("blotches")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=blotches"))
    assert violations(page) == []
    page.get_by_role("checkbox", name="a cup of blotches").check()
    page.get_by_role("button", name="Take the ticked pictures").click()
    expect(page.locator(".train-picture")).to_have_count(5)
    expect(page.get_by_role("button", name="Start")).to_be_disabled()  # nobody has said whose they are
    page.get_by_label("Whose pictures they are").select_option("own")
    page.get_by_label("People in them").select_option("nobody")
    page.get_by_role("button", name="State this for those without").click()
    expect(page.get_by_text("We made it · Nobody can be recognised")).to_have_count(5)
    page.get_by_role("textbox", name="Caption of 0.png").fill("a cup")
    page.get_by_role("button", name="Save the caption of 0.png").click()
    expect(page.get_by_role("textbox", name="Caption of 0.png")).to_have_value("a cup")
    assert violations(page) == []
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Step 2 of 2")).to_be_visible(timeout=240_000)
    expect(page.get_by_role("heading", name="Done")).to_be_visible(timeout=60_000)
    expect(page.locator(".train-point")).to_have_count(3)
    expect(page.locator(".train-point img").first).to_be_visible()
    expect(page.get_by_role("heading", name="Loss by step")).to_be_visible()
    assert violations(page) == []
    _compare(page)
    page.get_by_role("button", name="Take the point at step 2 with weight 1.2").click()
    expect(page.get_by_text("“Blotches” (version 1) can be chosen in Create now.")).to_be_visible()
    page.goto("/train/")
    expect(page.locator(".taught-one")).to_contain_text("Blotches")
    assert violations(page) == []
    page.goto("/")
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.locator(".more-adapters")).to_contain_text("Blotches")
    page.goto("/train/")
    page.get_by_role("button", name="Retire Blotches, version 1").click()
    expect(page.get_by_role("button", name="Offer Blotches, version 1, again")).to_be_visible()


def _compare(page: Page) -> None:
    """Both points at two weights, drawn by the worker while the page is open."""
    expect(page.get_by_role("button", name="Draw them")).to_be_visible()  # the page comes anew at the end
    for weight in ("0.4", "0.6", "0.8"):
        page.get_by_label(weight, exact=True).uncheck()
    expect(page.locator("#comparison-cost dd").first).to_have_text("4")
    assert violations(page) == []
    page.get_by_role("button", name="Draw them").click()
    expect(page.get_by_text("4 pictures are in line.")).to_be_visible()
    expect(page.locator(".compare-table a.cell-picture img")).to_have_count(4, timeout=120_000)
    assert violations(page) == []
    if shot := os.environ.get("COMPARISON_SHOT"):
        page.locator("#comparison").screenshot(path=shot)


def _discs(count: int) -> bytes:
    """A zip of tiny pictures, a folder for each of two kinds."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(count):
            kind = ("red_disc", "blue_disc")[number % 2]
            pixels = np.full((64, 64, 3), 245, np.uint8)
            y, x = np.ogrid[:64, :64]
            inside = (y - 20 - number % 23) ** 2 + (x - 20 - number % 19) ** 2 < (8 + number % 9) ** 2
            pixels[inside] = (210, 40, 40) if kind == "red_disc" else (40, 60, 210)
            pixels[0, :3] = (number % 256, number // 256, 7)  # so that no two are the same
            picture = BytesIO()
            Image.fromarray(pixels).save(picture, "PNG")
            archive.writestr(f"discs/{kind}/{number:03}.png", picture.getvalue())
    return buffer.getvalue()


def test_a_model_from_scratch_killed_and_resumed_in_the_middle(page: Page, studio_at: Installation):
    page.goto("/import/")
    page.locator("[data-files]").first.set_input_files(
        {"name": "discs.zip", "mimeType": "application/zip", "buffer": _discs(200)}
    )
    page.get_by_label("We made it").check()
    page.get_by_role("button", name="Import 1 file").click()
    expect(page.locator("[data-status]")).to_have_text(re.compile("200 taken in"), timeout=240_000)

    page.goto("/train/")
    page.get_by_role("link", name=re.compile("From scratch")).click()
    expect(page.get_by_label("Data set")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Name", exact=True).fill("Discs")
    page.get_by_label("Data set").select_option(index=1)
    page.get_by_label("People in them").select_option("nobody")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Steps").fill("24")
    page.get_by_role("button", name="Next: look at the set").click()
    expect(page.get_by_role("heading", name="Data set 200")).to_be_visible()
    page.get_by_text("What is said of them").click()
    expect(page.get_by_role("row", name="red disc 100")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Start").click()

    expect(page.get_by_text(re.compile(r"Step (1\d|2\d) of 32"))).to_be_visible(timeout=240_000)
    for pid in studio_at.pids("celery"):
        os.kill(pid, signal.SIGKILL)
    expect(page.get_by_role("heading", name="Done")).to_be_visible(timeout=240_000)
    expect(page.get_by_text("Step 32 of 32")).to_be_visible()
    expect(page.locator(".train-point")).to_have_count(4)
    expect(page.locator(".train-point img").first).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Take the point at step 24").click()
    expect(page.get_by_text("“Discs” (version 1) can be chosen in Create now.")).to_be_visible()
    page.goto("/")
    page.locator("[data-chip=checkpoint] > summary").click()
    page.get_by_label("Discs").check(force=True)
    wait_for(generate(page, "red disc", steps=2), "done")
