"""The unit and the container are started as their samples say: as another user, with code that cannot be written to.

What systemd and a container runtime do around them is done with mounts of our own; the commands are theirs.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

import run
from tests.operation.test_readonly import NO_MOUNT
from tests.operation.test_samples import ROOT, sample
from tests.serving import free_port

USER = 65534
"""Somebody who owns nothing but the data."""

WITHIN = 90.0
CLOSED = f"""
set -e
mount -t tmpfs tmpfs /mnt
for name in code data venv python; do mkdir /mnt/$name; mount --bind "$1" /mnt/$name; shift; done
home=$1; mask=$2; shift 2
case "$home" in
    /usr|/usr/*|/opt/*) ;;
    *) top=/$(echo "$home" | cut -d/ -f2); mount -t tmpfs -o mode=755 tmpfs $top;;
esac
mount -t tmpfs -o mode=755 tmpfs /opt
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=1777 tmpfs /tmp
[ -d "$home" ] || {{ mkdir -p "$home"; mount --bind /mnt/python "$home"; }}
mkdir /opt/heyi /var/lib/heyi
mount --bind /mnt/code /opt/heyi
mount -o remount,bind,ro /opt/heyi
mount --bind /mnt/data /var/lib/heyi
umask $mask
cd /opt/heyi
exec setpriv --reuid {USER} --regid {USER} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""
"""Code in /opt/heyi, not to be written to; data in /var/lib/heyi; the interpreter where it was; no right at all."""

pytestmark = [
    pytest.mark.skipif(bool(NO_MOUNT), reason=f"{NO_MOUNT}; neither unit nor container was started"),
    pytest.mark.skipif(not shutil.which("setpriv"), reason="there is no setpriv on this machine: nothing was started"),
    pytest.mark.timeout(300),
]


def closed(code: Path, data: Path, command: Sequence[str], umask: str = "0022") -> list[str]:
    """Return a command that runs with this code and these data and little else."""
    venv, home = Path(run.VENV), sys.base_prefix
    places = [str(place) for place in (code, data, venv, home)]
    return ["unshare", "-m", "sh", "-c", CLOSED, "closed", *places, home, umask, *command]


@contextmanager
def started(command: Sequence[str], environment: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def lacking(process: "subprocess.Popen[bytes]", port: int) -> set[str]:
    """Wait until a server is ready; returns what it lacks nevertheless: a disk without much room is not its fault."""
    deadline, missing = time.monotonic() + WITHIN, {"everything"}
    while missing - {"disk"} and process.poll() is None and time.monotonic() < deadline:
        try:
            missing = set(httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=30).json()["missing"])
        except httpx2.TransportError:
            time.sleep(0.1)
    return missing


def stops(process: "subprocess.Popen[bytes]") -> int:
    process.terminate()
    return process.wait(60)


def owned(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    os.chown(data, USER, USER)
    return data


def modes(data: Path) -> set[int]:
    """Return the rights of others on whatever is in a folder."""
    return {path.stat().st_mode & 0o077 for path in data.rglob("*")}


def test_the_unit_serves_as_another_user_and_stops_in_order(tmp_path: Path) -> None:
    if not Path("/usr/bin/python3").exists() or not run.ready(run.RUNTIME):
        pytest.skip("there is no /usr/bin/python3, or run.py did not make this environment: the unit was not started")
    said = dict(re.findall(r"^(ExecStart|UMask|WorkingDirectory)=(.+)$", sample("heyi.service"), re.MULTILINE))
    assert said["WorkingDirectory"] == "/opt/heyi"
    command, data, port = shlex.split(said["ExecStart"]), owned(tmp_path), free_port()
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PANEL_PORT": str(port)}
    init = [*command[:2], "init", *command[3:]]
    subprocess.run(closed(ROOT, data, init, said["UMask"]), env=environment, check=True, capture_output=True)
    with started(closed(ROOT, data, command, said["UMask"]), environment) as process:
        assert lacking(process, port) <= {"disk"}
        assert Path(f"/proc/{process.pid}").stat().st_uid == USER
        assert modes(data) == {0}
        assert stops(process) == 0


def test_the_container_serves_what_it_copies_and_its_check_holds(tmp_path: Path) -> None:
    lines = re.sub(r"\\\n", "", sample("Containerfile"))
    code, data, port = tmp_path / "code", owned(tmp_path), free_port()
    code.mkdir()
    for name in re.findall(r"^COPY (\S+) ", lines, re.MULTILINE):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, code / name)
    words = {
        name: json.loads(told)
        for name, told in re.findall(r"^(ENTRYPOINT|CMD|HEALTHCHECK CMD) (\[.*)$", lines, re.MULTILINE)
    }
    (own,) = re.findall(r"^ENV (.+)$", lines, re.MULTILINE)
    environment = {"PATH": "/mnt/venv/bin:/usr/bin:/bin", "PANEL_PORT": str(port)}
    environment |= dict(pair.split("=") for pair in own.split())
    serve = [*words["ENTRYPOINT"], *(word.replace("/data", "/var/lib/heyi") for word in words["CMD"])]
    init = [*words["ENTRYPOINT"], "init", "--data", "/var/lib/heyi"]
    check = [word.replace(":8000/", f":{port}/") for word in words["HEALTHCHECK CMD"]]
    subprocess.run(closed(code, data, init), env=environment, check=True, capture_output=True)
    with started(closed(code, data, serve), environment) as process:
        missing = lacking(process, port)
        assert missing <= {"disk"}
        checked = subprocess.run(closed(code, data, check), env=environment, capture_output=True, timeout=60)
        assert (checked.returncode == 0) is (missing == set())
        assert stops(process) == 0
