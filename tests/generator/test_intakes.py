"""Models on their way in: from a hub, a folder, a file, an upload; and hostile ones, which leave nothing behind."""

import json
import shutil
import threading
import zipfile
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from PIL import Image
from safetensors.torch import save_file

from accounts.models import User
from gallery.services import NewMedia, add_media
from generator import importing, queue, runner, services
from generator.diffusion import pipelines
from generator.diffusion.ways import esrgan
from generator.models import Adapter, Checkpoint, Intake, Job, State
from generator.progress import Progress
from tests.generator.diffusion import tiny
from tests.generator.diffusion.hostile import FILES
from tests.generator.diffusion.tiny_guides import controlnet, ip_adapter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def roots(settings, tmp_path):
    """A folder for models, and one to take them from."""
    settings.MODELS_ROOT = tmp_path / "models"
    settings.MODELS_IMPORT_ROOT = str(tmp_path / "shelf")
    (tmp_path / "shelf").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A whole checkpoint."""
    root = tmp_path_factory.mktemp("sd1") / "tiny"
    tiny.sd1().save_pretrained(root)
    return root


@pytest.fixture
def root_user(alice) -> User:
    """Alice as an administrator."""
    alice.is_superuser = alice.is_staff = True
    alice.save()
    return alice


def _bring(user, **wanted) -> Intake:
    """Asks for it and lets a worker do it."""
    said = {"origin": Intake.Origin.PATH, "name": "Thing", "kind": "lora", "family": "sd1", **wanted}
    intake = services.begin_intake(user=user, **said)
    return _work(intake)


def _work(intake: Intake) -> Intake:
    runner.run(Progress(queue.claim(worker="test")))
    intake.refresh_from_db()
    return intake


def _left_behind(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "models").rglob("*") if path.is_file())


def _save(path: Path, **metadata: str) -> Path:
    save_file({"lora_unet_x.lora_up.weight": torch.ones(4, 2)}, path, metadata=metadata or None)
    return path


def test_a_file_comes_in_with_what_it_says_of_itself(root_user, roots):
    tags = {
        "ss_tag_frequency": json.dumps({"1_a": {"moonlit": 9, "cat": 3}}),
        "ss_base_model_version": "sdxl_base_v1-0",
    }
    file = _save(roots / "shelf/moon.safetensors", **tags, **{"modelspec.license": "MIT", "modelspec.author": "Ann"})
    intake = _bring(root_user, place="moon.safetensors", name="Moon", family="")
    assert (intake.job.state, intake.job.reason) == (State.DONE, "")
    adapter = intake.adapter
    assert (adapter.family, adapter.triggers, adapter.licence_name) == ("sdxl", ["moonlit", "cat"], "MIT")
    assert adapter.weights_hash == sha256(file.read_bytes()).hexdigest()
    assert adapter.must_accept
    assert adapter.facts["author"] == "Ann"
    assert Path(adapter.source).read_bytes() == file.read_bytes()
    assert len(_left_behind(roots)) == 1


def test_a_folder_comes_in_and_draws(root_user, roots, folder, studio):
    shutil.copytree(folder, roots / "shelf/tiny")
    intake = _bring(root_user, place="tiny", kind="model", name="Tiny", family="")
    assert intake.job.reason == ""
    model = intake.checkpoint
    assert (model.family, len(model.files), model.native_size) == ("sd1", 3, 512)
    services.accept_licence(user=root_user, asset=model, team=None)
    Checkpoint.objects.update(native_size=64)
    model.refresh_from_db()
    job = services.create_generation(user=root_user, team=studio, checkpoint=model, prompt="a cat", count=1, steps=2)
    runner.run(Progress(queue.claim(worker="test")))
    job.refresh_from_db()
    assert (job.state, job.reason) == (State.DONE, "")


def test_what_leads_and_what_enlarges_comes_in_and_can_be_chosen(root_user, roots, folder, studio):
    pipeline = pipelines.load(str(folder))
    controlnet(pipeline, roots / "shelf/net")
    ip_adapter(pipeline, roots / "shelf/look")
    save_file(esrgan.Residual(16, 1, 8).state_dict(), roots / "shelf/large.safetensors")
    model = Checkpoint.objects.create(slug="tiny", name="Tiny", source=str(folder), family="sd1", native_size=64)
    net = _bring(root_user, place="net", kind="controlnet", structure="edges", name="Lines").adapter
    look = _bring(root_user, place="look", kind="ip-adapter", name="Look").adapter
    large = _bring(root_user, place="large.safetensors", kind="upscaler", name="Large", family="").adapter
    assert (net.structure, large.kind) == ("edges", "upscaler")
    assert services.guides_of_each([model], root_user, studio) == {model.slug: ["edges", "style"]}
    for asset in (net, look, large):
        services.accept_licence(user=root_user, asset=asset, team=None)
    [picture] = add_media(
        items=[NewMedia(image=Image.new("RGB", (64, 64)), recipe={}, team=studio, owner=root_user, frames=[])]
    )
    wanted = {"prompt": "a cat", "count": 1, "steps": 2}
    led = {"way": "reference", "structure": picture, "structure_kind": "edges", "reference": picture}
    jobs = [
        services.create_generation(user=root_user, team=studio, checkpoint=model, **wanted, **led),
        services.create_generation(
            user=root_user, team=studio, checkpoint=model, source=picture, way="upscale", factor=2, upscaler=large
        ),
    ]
    for job in jobs:
        runner.run(Progress(queue.claim(worker="test")))
        job.refresh_from_db()
        assert (job.state, job.reason) == (State.DONE, "")


@pytest.mark.parametrize(
    ("kind", "break_it", "says"),
    [
        ("controlnet", lambda shelf: (shelf / "net/config.json").unlink(), "no diffusers folder of a ControlNet"),
        (
            "controlnet",
            lambda shelf: (shelf / "net/config.json").write_text("[]"),
            "no diffusers folder of a ControlNet",
        ),
        ("controlnet", lambda shelf: (shelf / "net/a.py").write_text("x"), "brings its own code"),
        ("ip-adapter", lambda shelf: shutil.rmtree(shelf / "look/image_encoder"), "there is no folder image_encoder"),
        (
            "ip-adapter",
            lambda shelf: (shelf / "look/image_encoder/model.safetensors").rename(
                shelf / "look/image_encoder/pytorch_model.bin"
            ),
            "has no .safetensors file",
        ),
        ("upscaler", lambda shelf: _save(shelf / "large.safetensors"), "no Real-ESRGAN network"),
    ],
)
def test_what_leads_or_enlarges_is_looked_over_first(root_user, roots, folder, kind, break_it, says):
    pipeline = pipelines.load(str(folder))
    controlnet(pipeline, roots / "shelf/net")
    ip_adapter(pipeline, roots / "shelf/look")
    break_it(roots / "shelf")
    place = {"controlnet": "net", "ip-adapter": "look", "upscaler": "large.safetensors"}[kind]
    intake = _bring(root_user, place=place, kind=kind)
    assert (intake.job.state, says in intake.job.reason) == (State.FAILED, True), intake.job.reason
    assert _left_behind(roots) == []


def test_a_controlnet_is_asked_what_it_follows(root_user):
    with pytest.raises(CommandError, match="--structure"):
        call_command("add_model", "net", "--path", "--kind", "controlnet")
    assert not Intake.objects.exists()


def test_hostile_files_fail_and_leave_nothing(root_user, roots):
    """All but the sparse terabyte: a copy of that would fill the disk, and the next test says what becomes of it."""
    for name, (make, says) in FILES.items():
        if name == "a sparse terabyte":
            continue
        make(roots / "shelf/a.safetensors")
        intake = _bring(root_user, place="a.safetensors")
        assert intake.job.state == State.FAILED, name
        assert says in intake.job.reason
        assert str(roots) not in intake.job.reason
        assert _left_behind(roots) == []
    assert not Adapter.objects.exists()
    _save(roots / "shelf/b.safetensors")  # the worker lives
    assert _bring(root_user, place="b.safetensors").job.state == State.DONE


def test_a_terabyte_that_the_disk_has_no_room_for(root_user, roots):
    FILES["a sparse terabyte"][0](roots / "shelf/a.safetensors")
    intake = _bring(root_user, place="a.safetensors")
    assert intake.job.state == State.FAILED
    assert "GB" in intake.job.reason or "no room" in intake.job.reason
    assert _left_behind(roots) == []


def test_nothing_outside_the_shelf_is_read(root_user, roots):
    _save(roots / "secret.safetensors")
    (roots / "shelf/link").symlink_to(roots)
    for place in ("../secret.safetensors", "/etc/passwd", "link/secret.safetensors", "nothing"):
        assert "There is nothing at" in _bring(root_user, place=place).job.reason
    assert _left_behind(roots) == []


def test_links_in_a_folder_are_refused(root_user, roots, folder):
    shutil.copytree(folder, roots / "shelf/tiny")
    (roots / "shelf/tiny/unet/notes.json").symlink_to("/etc/passwd")
    assert "links are not followed" in _bring(root_user, place="tiny", kind="model").job.reason
    assert _left_behind(roots) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda at: (at / "pipeline.py").write_text("raise SystemExit"), "brings its own code"),
        (lambda at: _edit(at / "unet/config.json", auto_map={"a": "b"}), "brings its own code"),
        (lambda at: _edit(at / "model_index.json", vae=["os", "system"]), "names code outside"),
    ],
)
def test_a_folder_that_wants_to_run_code_is_refused(root_user, roots, folder, change, says):
    shutil.copytree(folder, roots / "shelf/tiny")
    change(roots / "shelf/tiny")
    assert says in _bring(root_user, place="tiny", kind="model").job.reason
    assert _left_behind(roots) == []


def _edit(path: Path, **changes) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _upload(user, name: str, data: bytes, **wanted) -> Intake:
    said = {"origin": Intake.Origin.UPLOAD, "place": name, "name": "Sent", "kind": "lora", "family": "sd1", **wanted}
    intake = services.begin_intake(user=user, size=len(data), **said)
    half = len(data) // 2
    assert services.add_piece(user=user, intake=intake, offset=0, data=data[:half]) == half
    assert services.add_piece(user=user, intake=intake, offset=0, data=data[:half]) == half  # its answer was lost
    assert services.add_piece(user=user, intake=intake, offset=half, data=data[half:]) == len(data)
    intake.refresh_from_db()
    return _work(intake)


def test_an_upload_comes_in_pieces(root_user, roots):
    data = _save(roots / "a.safetensors").read_bytes()
    intake = _upload(root_user, "a.safetensors", data)
    assert intake.job.state == State.DONE
    assert intake.adapter.files[0]["sha256"] == sha256(data).hexdigest()
    assert len(_left_behind(roots)) == 1


def test_a_zip_of_a_folder_comes_in(root_user, roots, folder):
    archive = shutil.make_archive(str(roots / "tiny"), "zip", folder.parent, folder.name)
    intake = _upload(root_user, "tiny.zip", Path(archive).read_bytes(), kind="model")
    assert (intake.job.state, intake.job.reason) == (State.DONE, "")


def test_a_zip_of_an_ip_adapter_comes_in(root_user, roots, folder):
    ip_adapter(pipelines.load(str(folder)), roots / "look")
    archive = shutil.make_archive(str(roots / "look"), "zip", roots, "look")
    intake = _upload(root_user, "look.zip", Path(archive).read_bytes(), kind="ip-adapter")
    assert (intake.job.state, intake.job.reason) == (State.DONE, "")
    assert (Path(intake.adapter.source) / "image_encoder").is_dir()


def _zip(path: Path, *members: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path.read_bytes()


def _link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("model_index.json")
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([("../../evil.json", b"{}")], "land elsewhere"),
        ([("/etc/evil.json", b"{}")], "land elsewhere"),
        ([("a\\..\\evil.json", b"{}")], "land elsewhere"),
        ([(_link(), b"/etc/passwd")], "holds a link"),
        ([("model_index.json", b"{}")], "asks for the pipeline"),
        ([("a.bin", b"\x80\x04.")], "not a diffusers folder"),
    ],
)
def test_a_hostile_zip_leaves_nothing(root_user, roots, members, says):
    intake = _upload(root_user, "a.zip", _zip(roots / "a.zip", *members), kind="model")
    assert intake.job.state == State.FAILED
    assert says in intake.job.reason
    assert [name for name in _left_behind(roots) if name != str(intake.pk)] == []  # the upload stays for a retry
    assert not (roots / "evil.json").exists()


def test_a_bomb_is_refused_by_its_claim(root_user, roots, monkeypatch):
    monkeypatch.setattr(importing, "MOST", 1000)
    intake = _upload(root_user, "a.zip", _zip(roots / "a.zip", ("model_index.json", b" " * 10**6)), kind="model")
    assert "claims more" in intake.job.reason


def _large(data: bytes) -> dict:
    return {"sha256": sha256(data).hexdigest(), "size": len(data), "pointerSize": 1}


@pytest.fixture
def hub(settings, folder):
    """A hub on this machine, with one diffusers folder and one LoRA; what it was asked, and how often it breaks off."""
    seen: list[tuple[str, str | None, str | None]] = []
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files["evil.py"] = b"raise SystemExit"
    files["unet/diffusion_pytorch_model.bin"] = b"\x80\x04."

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers.get("Authorization"), self.headers.get("Range")))
            if self.path.startswith("/api/models/maker/tiny"):
                siblings = [{"rfilename": name, "size": len(data), "lfs": _large(data)} for name, data in files.items()]
                self._send(json.dumps({"id": "maker/tiny", "sha": "a" * 40, "siblings": siblings}).encode())
                return
            name = self.path.partition(f"/resolve/{'a' * 40}/")[2]
            if name not in files:
                self.send_error(404)
                return
            begin = int((self.headers.get("Range") or "bytes=0-")[6:].rstrip("-"))
            self._send(files[name][begin:], 206 if begin else 200)

        def _send(self, data: bytes, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.HF_ENDPOINT, settings.HF_TOKEN = f"http://127.0.0.1:{server.server_port}", "hf_secret"
    server.seen, server.files = seen, files
    yield server
    server.shutdown()
    server.server_close()


def test_a_model_comes_from_a_hub(root_user, roots, hub):
    intake = _bring(root_user, origin=Intake.Origin.HUB, place="maker/tiny", kind="model", name="Tiny", family="")
    assert (intake.job.state, intake.job.reason) == (State.DONE, "")
    model = intake.checkpoint
    assert (model.revision, model.family) == ("a" * 40, "sd1")
    assert {token for _path, token, _range in hub.seen} == {"Bearer hf_secret"}
    assert not [path for path, *_rest in hub.seen if path.endswith((".py", ".bin"))]
    assert intake.percent == 100


def test_a_controlnet_comes_from_a_hub_with_what_says_how_it_is_built(root_user, roots, folder, hub):
    net = Path(controlnet(pipelines.load(str(folder)), roots / "net"))
    hub.files.clear()
    hub.files.update(
        {path.name: path.read_bytes() for path in net.iterdir()} | {"a.py": b"x", "more/b.safetensors": b"x"}
    )
    wanted = {"kind": "controlnet", "structure": "depth", "name": "Deep"}
    intake = _bring(root_user, origin=Intake.Origin.HUB, place="maker/tiny", **wanted)
    assert (intake.job.state, intake.job.reason) == (State.DONE, "")
    names = ["config.json", "diffusion_pytorch_model.safetensors"]
    assert sorted(path.name for path in Path(intake.adapter.source).iterdir()) == names
    says = "An IP-Adapter comes as a folder or a zip"
    assert says in _bring(root_user, origin=Intake.Origin.HUB, place="maker/tiny", kind="ip-adapter").job.reason


def test_a_download_goes_on_where_it_stopped_and_can_be_cancelled(root_user, roots, hub, monkeypatch):
    intake = services.begin_intake(
        user=root_user, origin=Intake.Origin.HUB, place="maker/tiny", kind="model", name="Tiny"
    )
    stopping = threading.Event()
    monkeypatch.setattr("generator.fetching.PIECE", 2000)
    tell = importing._Teller.__call__

    def stop_at(self, size):
        if self.done > 60_000:
            stopping.set()
        tell(self, size)

    monkeypatch.setattr(importing._Teller, "__call__", stop_at)
    runner.run(Progress(queue.claim(worker="test"), stopping))
    intake.job.refresh_from_db()
    assert intake.job.state == State.QUEUED
    monkeypatch.setattr(importing._Teller, "__call__", tell)
    _work(intake)
    assert any(where for _path, _token, where in hub.seen)
    assert intake.job.state == State.DONE
    intake = services.begin_intake(
        user=root_user, origin=Intake.Origin.HUB, place="maker/tiny", kind="model", name="Tiny again"
    )
    job = queue.claim(worker="test")
    services.cancel_intake(user=root_user, intake=intake)
    runner.run(Progress(job))
    intake.job.refresh_from_db()
    assert intake.job.state == State.CANCELLED
    assert not (roots / "models/.intake" / str(intake.pk)).exists()
    services.retry_intake(user=root_user, intake=intake)
    assert Job.objects.filter(kind=Job.Kind.IMPORT, state=State.QUEUED).count() == 1


def test_what_the_hub_does_not_have_is_said(root_user, hub):
    assert "The hub does not give it" in _bring(root_user, origin=Intake.Origin.HUB, place="maker/none").job.reason
    assert "no hub id" in _bring(root_user, origin=Intake.Origin.HUB, place="../x/y/z").job.reason


def test_only_administrators_bring_models_and_others_do_not_see_it(root_user, bob, roots, as_):
    with pytest.raises(PermissionDenied):
        services.begin_intake(user=bob, origin=Intake.Origin.PATH, place="a", name="A")
    _save(roots / "shelf/a.safetensors")
    intake = services.begin_intake(user=root_user, origin=Intake.Origin.PATH, place="a.safetensors", name="A")
    assert not Job.objects.visible_to(root_user).filter(pk=intake.job.pk).exists()
    for page in ("/", "/queue/"):
        assert as_(root_user).get(page).status_code == 200


def test_the_command_asks_for_a_model(root_user, roots, capsys):
    _save(roots / "shelf/a.safetensors")
    call_command(
        "add_model", "a.safetensors", "--path", "--kind", "lora", "--licence", "MIT", "--commercial-use", "yes"
    )
    intake = Intake.objects.get(pk=capsys.readouterr().out.strip())
    _work(intake)
    assert (intake.adapter.name, intake.adapter.licence_name, intake.adapter.commercial_use) == ("a", "MIT", "yes")


def test_an_administrator_brings_one_by_the_admin(root_user, bob, roots, as_):
    data = _save(roots / "a.safetensors").read_bytes()
    said = {"origin": "upload", "place": "a.safetensors", "kind": "lora", "name": "Sent", "commercial_use": "no"}
    add, client = "/admin/generator/intake/add/", as_(root_user)
    assert client.get(add).status_code == 200
    assert client.post(add, said).context["errors"]
    told = client.post(add, said | {"size": len(data)}, headers={"Accept": "application/json"}).json()
    send = {"content_type": "application/octet-stream"}
    assert client.post(told["piece"], data[:99], headers={"Upload-Offset": "0"}, **send).json() == {"there": 99}
    assert client.get(told["piece"]).json() == {"there": 99}
    assert client.post(told["piece"], data, headers={"Upload-Offset": "99"}, **send).status_code == 409
    assert client.post(told["piece"], data[99:], headers={"Upload-Offset": "99"}, **send).json()["there"] == len(data)
    intake = _work(Intake.objects.get())
    assert intake.job.state == State.DONE
    page = client.get(told["then"]).content.decode()
    assert "Sent" in page
    assert "100 %" in page
    for listed in ("adapter", "licenceacceptance", "modelpolicy", "checkpoint"):
        assert client.get(f"/admin/generator/{listed}/").status_code == 200
    assert client.get(f"/admin/generator/adapter/{intake.adapter.pk}/change/").status_code == 200
    assert as_(bob).get(add).status_code in (302, 403)
