"""docker-compose.yml and Dockerfile hold together: valid, hardened, without secrets, and true to the code."""

import re
import subprocess

import pytest
import yaml
from compose_spec import PyCompose

from tests.deploy.stack import FILES, parse
from tests.installation import ROOT

SERVICES = parse("docker-compose.yml")["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("atelier")]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|DATABASE_URL|REDIS_URL|EMAIL_URL")


@pytest.mark.parametrize("name", FILES)
def test_the_schema_holds(name):
    PyCompose.from_yaml(yaml.dump(parse(name))).validate()


def test_a_word_that_the_schema_does_not_know_is_found():
    with pytest.raises(ValueError, match="readonly"):
        PyCompose.from_yaml(yaml.dump(parse("docker-compose.yml")).replace("read_only", "readonly"))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("user") or name in OURS or "unprivileged" in service["image"], "would run as root"
    assert not service["image"].endswith(":latest") or name in OURS
    if name == "migrate":
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_an_environment(name):
    for variable in SERVICES[name].get("environment", {}):
        assert not SECRET.search(variable) or variable.endswith("_FILE"), variable


@pytest.mark.parametrize("name", OURS)
def test_a_service_gets_only_what_the_code_reads(name):
    code = "".join(path.read_text() for folder in ("config", "generator") for path in (ROOT / folder).glob("*.py"))
    read_by_uvicorn = {"FORWARDED_ALLOW_IPS"}
    for variable in set(SERVICES[name]["environment"]) - read_by_uvicorn:
        assert f'"{variable.removesuffix("_FILE")}"' in code, f"nothing reads {variable}"


@pytest.mark.parametrize("kind", ["secrets", "networks", "volumes"])
def test_what_is_declared_is_used_and_the_other_way_round(kind):
    used = {item.split(":")[0] for service in SERVICES.values() for item in service.get(kind, [])}
    assert {item for item in used if not item.startswith("./")} == set(parse("docker-compose.yml")[kind])


def test_secrets_named_by_a_path_are_given():
    for name, service in SERVICES.items():
        text = yaml.dump(service)
        assert set(re.findall(r"/run/secrets/(\w+)", text)) == set(service.get("secrets", [])), name


def test_the_script_writes_every_secret_once(tmp_path):
    (tmp_path / "deploy").mkdir()
    script = tmp_path / "deploy/init.sh"
    script.write_text((ROOT / "deploy/init.sh").read_text())
    subprocess.run(["sh", str(script)], check=True, capture_output=True)
    found = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(found) == set(parse("docker-compose.yml")["secrets"])
    assert found["db_password"] in found["database_url"]
    assert found["redis_password"] in found["redis_url"]
    assert len(found["secret_key"]) == 80
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    subprocess.run(["sh", str(script)], check=True, capture_output=True)
    assert found == {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}


def test_the_web_server_is_the_images_own():
    assert SERVICES["web"]["command"] == _cmd("web")


def test_the_worker_is_the_images_own():
    assert SERVICES["worker"]["command"] == SERVICES["worker-gpu"]["command"] == _cmd("worker")


@pytest.mark.parametrize("name", OURS)
def test_there_is_a_target_for_each_image(name):
    target = SERVICES[name]["build"]["target"]
    stage = _stage(target)
    assert "USER atelier" in stage
    assert "HEALTHCHECK" in stage
    assert (SERVICES[name]["build"].get("args", {}).keys()) <= set(re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE))


def test_the_web_image_has_no_torch():
    assert "packages-worker" not in _stage("web")
    web = DOCKERFILE.split("AS packages-worker")[0]
    assert "torch" not in web.split("FROM base AS packages\n")[1]


def test_images_get_all_code_and_nothing_else():
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks", "atelier_cli"}
    assert packages | {"static", "templates", "manage.py", "pyproject.toml", "requirements.lock"} <= let_in
    for word in ("secrets", "var", ".env", ".git", "tests"):
        assert word not in let_in


def _stage(name: str) -> str:
    return re.split(r"^FROM \S+ AS ", DOCKERFILE.split(f" AS {name}\n")[1], flags=re.MULTILINE)[0]


def _cmd(target: str) -> list[str]:
    found = re.search(r"^CMD (\[.*\])$", _stage(target), re.MULTILINE)
    assert found
    return yaml.safe_load(found[1])
