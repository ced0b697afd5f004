"""docker-compose.yml without Docker: its own commands and variables, started on this machine.

What a container would give is put in place by name: the folder of secrets, the volumes, /tmp, the names of the hosts.
"""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from config import broker
from tests.installation import ROOT, free_port
from tests.requirements import PLACES, find_nginx
from tests.servers import needed, running

FILES = ("docker-compose.yml", "docker-compose.tls.yml")


def parse(name: str, **variables: str) -> dict[str, Any]:
    """A compose file as Docker reads it: anchors merged, then `${NAME:-default}` and `$$` put into its strings."""

    def put_in(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else variables.get(found[1]) or found[2] or ""

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: resolve(value) for key, value in node.items()}
        if isinstance(node, list):
            return [resolve(value) for value in node]
        return re.sub(r"\$\$|\$\{(\w+)(?::-([^}]*))?\}", put_in, node) if isinstance(node, str) else node

    return resolve(yaml.safe_load((ROOT / name).read_text()))


@dataclass
class Stack:
    """One project in `folder`. `start` brings up a service by its own command; leaving the block ends all."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    override: str = ""

    def __post_init__(self) -> None:
        self.services = parse("docker-compose.yml", **self.variables)["services"]
        for name, changes in parse(self.override, **self.variables)["services"].items() if self.override else ():
            self.services[name] = {**self.services[name], **changes}
        self.ports = {name: free_port() for name in ("web", "broker", "proxy", "proxy-tls")}
        for part in ("data/media", "data/broker", "tmp", "bin"):
            (self.folder / part).mkdir(parents=True)
        shutil.copytree(ROOT / "deploy", self.folder / "deploy")
        subprocess.run(["sh", str(self.folder / "deploy/init.sh")], check=True, capture_output=True)
        url = self.secret("redis_url").read_text().replace("broker:6379", f"127.0.0.1:{self.ports['broker']}")
        self.secret("redis_url").write_text(url)
        (self.folder / "bin/valkey-server").symlink_to(broker.binary())
        for config in (self.folder / "deploy/nginx").iterdir():
            config.write_text(self._local(config.read_text()))
        self._exit = contextlib.ExitStack()

    def secret(self, name: str) -> Path:
        """The file that containers see below /run/secrets."""
        return self.folder / "secrets" / name

    def __enter__(self) -> "Stack":
        return self

    def __exit__(self, *error: object) -> None:
        self._exit.close()

    def url(self, service: str) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def command(self, service: str) -> list[str]:
        """Its command with the places of this machine."""
        command = [self._local(str(word)) for word in self.services[service]["command"]]
        if command[0] == "nginx":
            command[0] = needed(find_nginx)
            if os.getuid() == 0:
                command[-1] += " user root;"  # whose files these are
        if "config.web" in command:
            command[command.index("--port") + 1] = str(self.ports["web"])
            command[command.index("--host") + 1] = "127.0.0.1"
        return _ours(command)

    def environment(self, service: str) -> dict[str, str]:
        """What its container would see."""
        ours = {"DATABASE_URL", "REDIS_URL", "PORT", "HOST", "SECRET_KEY", "MEDIA_STORAGE"}
        given = {name: value for name, value in os.environ.items() if name not in ours}
        wanted = {key: self._local(str(value)) for key, value in self.services[service].get("environment", {}).items()}
        ours_too = {
            "ATELIER_HOME": f"{self.folder}/data",
            "TMPDIR": f"{self.folder}/tmp",
            "PORT": str(self.ports["web"]),
        }
        paths = {"PATH": f"{self.folder}/bin:{os.environ['PATH']}:{PLACES}", "PYTHONUNBUFFERED": "1"}
        return {**given, **ours_too, **paths, "STATIC_ROOT": f"{self.folder}/static", **wanted}

    def prepare(self, seed: str) -> None:
        """What comes before all others: static files, which the image has; migrations; and whatever `seed` makes."""
        self.run("migrate", "python", "manage.py", "prepare", "--only", "static")
        self.run("migrate")
        self.run("migrate", "python", "manage.py", "shell", "-c", seed)

    def start(self, service: str, number: int = 1) -> subprocess.Popen[bytes]:
        """Starts it; it ends with the block."""
        options: dict[str, Any] = {"cwd": ROOT, "env": self.environment(service)}
        process = running(self.command(service), self.folder / f"{service}-{number}.log", **options)
        return self._exit.enter_context(process)

    def run(self, service: str, *command: str) -> str:
        """Runs `command`, or the service's own, to its end in the service's place; what it prints."""
        options: dict[str, Any] = {"cwd": ROOT, "env": self.environment(service), "text": True}
        done = subprocess.run(_ours(command) or self.command(service), capture_output=True, check=False, **options)
        assert done.returncode == 0, f"{shlex.join(done.args)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def is_well(self, service: str) -> bool:
        """What its health check says."""
        kind, *check = self.services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        options: dict[str, Any] = {"cwd": ROOT, "env": self.environment(service)}
        return subprocess.run(_ours(check), check=False, capture_output=True, **options).returncode == 0

    def log(self, service: str, number: int = 1) -> str:
        """All that it has printed."""
        return (self.folder / f"{service}-{number}.log").read_text()

    def _local(self, text: str) -> str:
        ports = self.ports
        places = {
            "/run/secrets/": f"{self.folder}/secrets/",
            "/etc/atelier/": f"{self.folder}/deploy/nginx/",
            "/data/media/": f"{self.folder}/data/media/",
            "dir /data": f"dir {self.folder}/data/broker",
            "/tmp/": f"{self.folder}/tmp/",
            "valkey-server -": f"valkey-server - --bind 127.0.0.1 --port {ports['broker']}",
            "listen 8080": f"listen 127.0.0.1:{ports['proxy']}",
            "listen 8443": f"listen 127.0.0.1:{ports['proxy-tls']}",
            "web:8000": f"127.0.0.1:{ports['web']}",
        }
        # All at once: the places of this machine may themselves look like those of a container.
        pattern = "|".join(re.escape(place) for place in places)
        return re.sub(pattern, lambda found: places[found[0]], text)


def _ours(command: Sequence[str]) -> list[str]:
    return [sys.executable if word == "python" else word for word in command]
