"""OpenAI's own client against a started studio, which notices no difference."""

import base64
import io

import httpx
import openai
import pytest
from PIL import Image

PROMPT = "a red apple, 3d icon"


@pytest.fixture(scope="module")
def client(studio_at) -> openai.OpenAI:
    key = studio_at.manage("create_api_key", studio_at.administrator[0]).strip()
    with openai.OpenAI(base_url=f"{studio_at.url}/v1", api_key=key, max_retries=0, timeout=120) as opened:
        yield opened


def _picture(encoded: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(encoded)))


def test_pictures_in_the_answer(client):
    made = client.images.generate(model="starter", prompt=PROMPT, n=2, size="96x64", extra_body={"seed": 7, "steps": 4})
    assert len(made.data) == 2
    assert [_picture(one.b64_json).size for one in made.data] == [(96, 64), (96, 64)]
    again = client.images.generate(
        model="starter", prompt=PROMPT, n=2, size="96x64", extra_body={"seed": 7, "steps": 4}
    )
    assert [_picture(one.b64_json).tobytes() for one in again.data] == [
        _picture(one.b64_json).tobytes() for one in made.data
    ]
    assert made.usage.total_tokens == 0


def test_pictures_by_address_in_another_format(client):
    made = client.images.generate(
        prompt=PROMPT, response_format="url", output_format="webp", output_compression=50, extra_body={"steps": 2}
    )
    answer = httpx.get(made.data[0].url)
    assert answer.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(answer.content)).format == "WEBP"
    assert httpx.get(made.data[0].url.replace("files/", "files/x")).status_code == 404


def test_previews_while_it_emerges(client):
    told = list(
        client.images.generate(prompt=PROMPT, stream=True, partial_images=3, extra_body={"steps": 12, "seed": 7})
    )
    kinds = [event.type for event in told]
    assert kinds == ["image_generation.partial_image"] * 3 + ["image_generation.completed"]
    assert [event.partial_image_index for event in told[:3]] == [0, 1, 2]
    shown = [_picture(event.b64_json) for event in told]
    assert len({picture.convert("RGB").resize((8, 8)).tobytes() for picture in shown}) == 4


def _png(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def test_a_part_of_a_picture_is_made_anew_and_nothing_else(client):
    before = Image.effect_noise((64, 64), 80).convert("RGB")
    mask = Image.new("RGBA", before.size, "black")
    mask.paste((0, 0, 0, 0), (16, 16, 48, 48))  # clear: to be made anew
    made = client.images.edit(
        image=("a.png", _png(before)), mask=("m.png", _png(mask)), prompt=PROMPT, extra_body={"steps": 4}
    )
    after = _picture(made.data[0].b64_json)
    assert after.size == before.size
    outside = [(x, y) for x in range(64) for y in range(64) if not (16 <= x < 48 and 16 <= y < 48)]
    assert all(after.getpixel(at) == before.getpixel(at) for at in outside)
    assert after.crop((24, 24, 40, 40)).tobytes() != before.crop((24, 24, 40, 40)).tobytes()


def test_a_file_that_is_no_picture_cannot_be_edited(client):
    with pytest.raises(openai.BadRequestError) as told:
        client.images.edit(image=("a.png", b"<script>"), prompt=PROMPT)
    assert told.value.param == "image"


def test_models(client):
    assert "starter" in [model.id for model in client.models.list()]
    assert client.models.retrieve("starter").id == "starter"


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"prompt": PROMPT, "model": "nothing"}, openai.NotFoundError),
        ({"prompt": PROMPT, "size": "large"}, openai.BadRequestError),
        ({"prompt": "", "model": "starter"}, openai.BadRequestError),
        ({"prompt": PROMPT, "n": 11}, openai.BadRequestError),
        ({"prompt": PROMPT, "background": "transparent"}, openai.BadRequestError),
    ],
)
def test_mistakes_arrive_as_its_own_exceptions(client, asked, error):
    with pytest.raises(error) as told:
        client.images.generate(**asked)
    assert told.value.body["message"]


def test_a_wrong_key(client):
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="atl_nothing").models.list()


def test_too_often(studio_at, client):
    code = "from accounts.models import User; User.objects.update(pictures_per_day={})"
    studio_at.manage("shell", "-c", code.format(1))
    try:
        with pytest.raises(openai.RateLimitError) as told:
            client.images.generate(prompt=PROMPT, n=2)
        assert told.value.code == "insufficient_quota"
    finally:
        studio_at.manage("shell", "-c", code.format(5000))
