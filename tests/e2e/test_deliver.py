"""Bringing pictures and sending them out, by mouse and by keyboard; a reload in between loses nothing."""

import json
import re
import zipfile

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.studio import violations
from tests.gallery.intake import files


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What a person has at hand: one with settings, a large one, a web page that calls itself a picture."""
    place = tmp_path_factory.mktemp("own")
    (place / "pear.png").write_bytes(files.png(parameters=files.A1111))
    (place / "page.png").write_bytes(files.HTML)
    noise = Image.effect_noise((2200, 1600), 60).convert("RGB")
    (place / "photo.jpg").write_bytes(files.saved(noise, "JPEG", quality=92))
    (place / "more.zip").write_bytes(files.zipped({"a/plum.png": files.saved(files.picture(colour="plum"))}))
    return place


def _row(page: Page, name: str):
    return page.locator(".brought-one").filter(has_text=name)


def test_import_by_mouse_and_take_it_back(page: Page, folder):
    page.goto("/import/")
    page.locator("[data-files]").first.set_input_files(sorted(folder.iterdir()))
    expect(page.locator(".brought-one")).to_have_count(4)
    page.get_by_label("Made by an image model").check()
    page.get_by_label("Licence or source").fill("Own archive")
    page.get_by_role("button", name="Import 4 files").click()
    status = page.locator("[data-status]")
    expect(status).to_have_text(re.compile(r"3 taken in, 0 here already, 1 not taken"), timeout=90_000)
    expect(_row(page, "pear.png")).to_contain_text("Its settings were read (A1111).")
    expect(_row(page, "page.png")).to_contain_text("This is a web page, not a picture.")
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == []
    page.reload()
    expect(status).to_have_text(re.compile("3 taken in"))
    page.get_by_role("button", name="Undo the import").click()
    expect(page.get_by_text("This import was taken back.")).to_be_visible()
    page.goto("/gallery/trash/")
    expect(page.locator("figure.tile").first).to_be_visible()


def test_an_import_goes_on_after_a_reload(page: Page, folder):
    """The network is lost in the middle of a file; the page comes back without being told the files again."""
    page.goto("/import/")
    page.locator("[data-files]").first.set_input_files(folder / "photo.jpg")
    page.get_by_label("We made it").check()
    page.route("**/api/v1/uploads/*/files/*?offset=*", lambda route: route.abort())
    page.get_by_role("button", name="Import 1 file").click()
    expect(page).to_have_url(re.compile(r"/import/[0-9a-f-]{36}/"))
    expect(page.locator("[data-status]")).to_contain_text("goes on by itself")
    page.unroute("**/api/v1/uploads/*/files/*?offset=*")
    page.reload()
    expect(_row(page, "photo.jpg")).to_have_attribute("data-state", "done", timeout=90_000)


def test_export_by_keyboard_alone(page: Page, folder):
    """From the picture's page to the zip, with a crop that was moved."""
    page.goto("/import/")
    page.locator("[data-files]").first.set_input_files(folder / "photo.jpg")
    page.get_by_label("We made it").check()
    page.get_by_label("Take pictures that are here already once more").check()
    page.get_by_role("button", name="Import 1 file").click()
    link = _row(page, "photo.jpg").get_by_role("link")
    expect(link).to_be_visible(timeout=90_000)
    page.goto(link.get_attribute("href"))
    export = page.get_by_role("link", name="Export", exact=True)
    export.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Export", level=1)).to_be_visible()
    for name in ("Instagram portrait", "Story or Reel"):
        page.get_by_role("checkbox", name=re.compile(name)).focus()
        page.keyboard.press("Space")
    page.get_by_role("checkbox", name=re.compile("X post")).focus()
    page.keyboard.press("Space")
    expect(page.locator(".crop")).to_have_count(2)
    frame = page.get_by_role("group", name="Instagram square: place the crop")
    frame.focus()
    before = frame.locator("img").first.evaluate("image => image.style.objectPosition")
    with page.expect_response("**/export/focus/") as kept:
        page.keyboard.press("Shift+ArrowRight")
    assert kept.value.status == 204
    assert frame.locator("img").first.evaluate("image => image.style.objectPosition") != before
    expect(page.locator("[data-said]")).to_contain_text("across")
    expect(page.locator("[data-weight]").first).to_have_text(re.compile(r"≈ [\d.]+ [kM]B"), timeout=60_000)
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == []
    page.get_by_role("button", name="Prepare 2 files").focus()
    page.keyboard.press("Enter")
    fetch = page.get_by_role("link", name=re.compile("Download ?: photo")).first
    expect(fetch).to_be_visible(timeout=90_000)
    assert violations(page) == []
    with page.expect_download() as download:
        fetch.focus()
        page.keyboard.press("Enter")
    with zipfile.ZipFile(download.value.path()) as archive:
        told = json.loads(archive.read("manifest.json"))
        assert [(one["width"], one["height"]) for one in told["files"]] == [(1080, 1080), (1600, 900)]
        assert told["files"][0]["recipe"]["rights"]["whose"] == "own"
    page.reload()
    page.get_by_role("button", name=re.compile("Delete “photo")).first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".delivery", has_text="photo")).to_have_count(0)  # there may be others' from before


def test_a_crop_is_dragged(page: Page, folder):
    page.goto("/gallery/")
    media = page.locator("figure.tile").first.get_attribute("data-media")
    page.goto(f"/export/?media={media}")
    page.get_by_role("checkbox", name=re.compile("X header")).check()
    frame = page.get_by_role("group", name="X header: place the crop")
    frame.scroll_into_view_if_needed()
    image = frame.locator("img").first
    before = image.evaluate("image => image.style.objectPosition")
    box = frame.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.1, steps=4)
    with page.expect_response("**/export/focus/"):
        page.mouse.up()
    assert image.evaluate("image => image.style.objectPosition") != before
    page.reload()
    page.get_by_role("checkbox", name=re.compile("X header")).check()
    expect(image).not_to_have_css("object-position", "50% 50%")
