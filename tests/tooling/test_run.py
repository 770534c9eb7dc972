"""The bootstrap, in a checkout of its own: a real environment, with nothing to install in it."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent.parent
CARRIED = ("templates", "static", "migrations", "panel/rulepacks", "panel/locale")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose `panel` says what it was asked."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "run.py", folder)
    (folder / "panel").mkdir()
    (folder / "panel" / "cli.py").write_text("import sys\n\ndef main():\n    print(*sys.argv)\n    return 3\n")
    return folder


@pytest.fixture
def checkout(folder: Path) -> Path:
    """The checkout with empty locks and nothing installed; its bare .venv is kept, because making one is slow."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        (folder / name).write_text("# nothing\n")
    (folder / ".venv" / "installed.json").unlink(missing_ok=True)
    return folder


def bootstrap(checkout: Path, *words: str) -> tuple[int, str, list[str]]:
    """Run run.py; return its exit status, its stdout and what it said on the way."""
    done = subprocess.run([sys.executable, checkout / "run.py", *words], capture_output=True, text=True)
    return done.returncode, done.stdout, [line.split("(")[0].split(" in ")[0] for line in done.stderr.splitlines()]


def test_the_environment_is_made_once_and_renewed_when_the_lock_changes(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv", ignore_errors=True)
    made = ["Making the environment", "Installing 0 packages from requirements.lock ...", "The environment is ready "]
    assert bootstrap(checkout, "verify", "a file") == (3, "panel verify a file\n", made)
    assert bootstrap(checkout, "verify") == (3, "panel verify\n", [])
    (checkout / "requirements.lock").write_text("# nothing new\n")
    assert bootstrap(checkout, "demo") == (3, "panel demo\n", made[1:])
    script = subprocess.run([checkout / ".venv" / "bin" / "panel", "init"], cwd="/", capture_output=True, text=True)
    assert (script.returncode, script.stdout) == (3, "panel init\n")


def test_the_development_environment_serves_the_demo_too(checkout: Path) -> None:
    code = "import run; run.provide(run.DEVELOPMENT); print(run.ready(run.RUNTIME))"
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True)
    assert done.stdout == "True\n"
    assert bootstrap(checkout, "demo") == (3, "panel demo\n", [])


def test_a_package_that_cannot_be_had_stops_with_a_sentence(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text("heyi-nowhere==1.0\n")
    status, said, lines = bootstrap(checkout, "demo")
    assert (status, said) == (1, "")
    assert lines[-1] == "The packages could not be installed. Is there a network? Then run this again."
    assert not (checkout / ".venv" / "installed.json").exists()


def test_without_words_it_says_what_it_does(checkout: Path) -> None:
    status, said, _lines = bootstrap(checkout)
    assert status == 2
    assert said.startswith("Run Heyi from a clean checkout")
    assert not (checkout / ".venv" / "installed.json").exists()


def test_the_wheel_carries_templates_static_files_migrations_and_data(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("heyi-*.whl")
    carried = set(ZipFile(wheel).namelist())
    tracked = subprocess.run(["git", "ls-files", *CARRIED], cwd=ROOT, check=True, capture_output=True, text=True)
    wanted = {f"panel/{name.removeprefix('panel/')}" for name in tracked.stdout.split()}
    assert len(wanted) > 20
    assert wanted - carried == set()


STRACE = " strace" if sys.platform == "linux" else ""


@pytest.mark.parametrize(
    ("there", "command"),
    [
        (["apt-get"], f"sudo apt-get install -y golang-go nodejs npm openssl{STRACE} golang-golang-x-mod-dev"),
        ([], "brew install go node openssl && git clone https://go.googlesource.com/mod "),
    ],
)
def test_without_the_foreign_judges_it_says_the_command(tmp_path: Path, there: list[str], command: str) -> None:
    for name in there:
        (tmp_path / name).symlink_to("/bin/false")
    code = "import os, run; os.geteuid = lambda: 1; run.gopath = lambda: None; run.provide_judges()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"The foreign judges of the record are missing. Run: {command}")


@pytest.mark.parametrize(
    ("there", "remedy"), [(["apt-get", "dpkg-deb"], "sudo apt-get update, "), ([], "brew install ")]
)
def test_what_is_tried_where_it_can_be_had_is_named_where_it_cannot(
    tmp_path: Path, there: list[str], remedy: str
) -> None:
    for name in there:
        (tmp_path / name).symlink_to("/bin/false")
    code = f"import run; run.TOOLS = {str(tmp_path / 'tools')!r}; run.tool = lambda name: None; run.provide_tools()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 0
    lacking = "Not on this machine, so that tests are skipped: nginx, caddy, libfaketime, fiu-run, libfiu."
    assert done.stderr.splitlines()[-1].startswith(f"{lacking} To have them tried, run: {remedy}")
    assert [path.name for path in tmp_path.rglob("*") if path.suffix == ".deb"] == []
