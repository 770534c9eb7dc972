"""The samples for systemd, nginx, Caddy and containers: judged by their own checkers where those are, else read."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import run
from panel.core.config import Settings
from panel.core.security import DOOR_KEY

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "docs" / "samples"
MOST_EXPOSED = 2.0
"""What `systemd-analyze security` may say at most (0 is closed, 10 is open)."""


def sample(name: str) -> str:
    return (SAMPLES / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["heyi.service", "heyi-backup.service"])
def test_a_unit_is_one_and_leaves_little_open(name: str) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not on this machine: the units were read only")
    unit = str(SAMPLES / name)
    verified = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, timeout=60)
    assert (verified.returncode, verified.stdout) == (0, ""), verified.stderr
    judged = subprocess.run([analyze, "security", "--offline=true", unit], capture_output=True, text=True, timeout=60)
    level = re.search(rf"exposure level for {re.escape(name)}: ([0-9.]+)", judged.stdout)
    assert level, judged.stdout
    assert float(level[1]) <= MOST_EXPOSED


def test_the_timer_is_one_and_comes_daily() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not on this machine: the timer was read only")
    timer = str(SAMPLES / "heyi-backup.timer")
    verified = subprocess.run([analyze, "verify", timer], capture_output=True, text=True, timeout=60)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")
    assert re.findall(r"^OnCalendar=(.+)$", sample("heyi-backup.timer"), re.MULTILINE) == ["*-*-* 02:30"]
    (start,) = re.findall(r"^ExecStart=(.+)$", sample("heyi-backup.service"), re.MULTILINE)
    assert start.split()[1:3] == ["/opt/heyi/run.py", "backup"]


def test_the_unit_starts_the_command_of_the_readme() -> None:
    (start,) = re.findall(r"^ExecStart=(.+)$", sample("heyi.service"), re.MULTILINE)
    assert start.split()[1:] == ["/opt/heyi/run.py", "serve", "--data", "/var/lib/heyi"]
    assert "StateDirectory=heyi" in sample("heyi.service")


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_a_proxy_takes_nothing_from_strangers_and_passes_sockets_on(name: str) -> None:
    text = sample(name)
    assert text.count("{") == text.count("}")
    for header in ("X-Forwarded-Host", "Forwarded", DOOR_KEY.title()):
        assert re.search(rf'proxy_set_header {header} "";|header_up -{header}\b', text), header
    assert re.search(r"X-Forwarded-For (\$remote_addr|\{remote_host\})", text)
    assert "127.0.0.1:8000" in text
    named = set(re.findall(r"\b([a-z]+_?[a-z]+) = \[", text))
    assert named == {"origins", "trusted_proxies"} <= set(Settings.model_fields)
    if name == "nginx.conf":
        assert "proxy_set_header Upgrade $http_upgrade;" in text
        assert "$request_method $uri" in text
        assert "$args" not in text


def test_what_nginx_takes_in_its_http_block_alone_stands_outside_its_servers() -> None:
    found: dict[str, int] = {}
    depth = 0
    for line in sample("nginx.conf").splitlines():
        words = line.split("#")[0].split()
        if words:
            found.setdefault(words[0], depth)
        depth += line.count("{") - line.count("}")
    assert (found["log_format"], found["map"], found["server"]) == (0, 0, 0)
    assert "http2" not in found, "nginx before 1.25 does not know it as a directive"


CHECK = """
const { validate } = require("dockerfile-utils");
const text = require("fs").readFileSync(0, "utf8");
for (const each of validate(text)) console.log(`${each.range.start.line + 1}: ${each.message}`);
"""


def faults_of(containerfile: str) -> list[str]:
    """Return what the checker of the language server for container files finds, line by line."""
    node = shutil.which("node")
    assert node is not None, "python3 run.py test provides it"
    told = {**os.environ, "NODE_PATH": str(Path(run.JUDGES) / "node_modules")}
    done = subprocess.run(
        [node, "-e", CHECK], input=containerfile, env=told, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_checker_of_container_files_finds_no_fault() -> None:
    text = sample("Containerfile")
    assert faults_of(text) == []
    assert faults_of(text.replace("COPY panel", "COPPY panel").replace("EXPOSE 8000", "EXPOSE a")) != []


def test_docker_itself_takes_the_containerfile() -> None:
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("docker is not on this machine: the Containerfile was read only")
    if subprocess.run([docker, "info"], capture_output=True, timeout=60).returncode != 0:
        pytest.skip("docker is on this machine, but no daemon answers it: the Containerfile was read only")
    check = [docker, "build", "--check", "-f", str(SAMPLES / "Containerfile"), str(ROOT)]
    done = subprocess.run(check, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


def test_the_container_copies_what_there_is_and_runs_as_nobody_special() -> None:
    lines = re.sub(r"\\\n", "", sample("Containerfile")).splitlines()
    copied = [line.split()[1] for line in lines if line.startswith("COPY")]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert {"panel", "templates", "static", "migrations"} <= set(copied)
    words = [line.split()[0] for line in lines if line and not line.startswith("#")]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert "--require-hashes" in sample("Containerfile")
