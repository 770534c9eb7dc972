#!/usr/bin/env python3
"""Run Heyi from a clean checkout: make the environment when it is missing, then do what the words say.

    python3 run.py demo            a demonstration hearing in your browser
    python3 run.py test            every check and every test
    python3 run.py test WORDS...   the words go to pytest alone
    python3 run.py WORDS...        the same as `panel WORDS...`, for example: python3 run.py verify FILE

Needs Python 3.11 or newer and nothing else. The environment is the folder .venv beside this file.
"""

from __future__ import annotations

import glob
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from typing import NoReturn

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "installed.json")
WINDOWS = os.name == "nt"
BIN = os.path.join(VENV, "Scripts" if WINDOWS else "bin")
PYTHON = os.path.join(BIN, "python.exe" if WINDOWS else "python")
RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
START = "import sys; sys.argv[0] = 'panel'; from panel.cli import main; sys.exit(main())"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM_PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
)
PLAYWRIGHT_PLACES = (
    "~/.cache/ms-playwright/chromium-*/chrome-linux*/chrome",
    "~/Library/Caches/ms-playwright/chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
    "~/AppData/Local/ms-playwright/chromium-*/chrome-win*/chrome.exe",
)
JUDGES = os.path.join(VENV, "judges")
PROGRAMS = {"go": "golang-go", "node": "nodejs", "npm": "npm", "openssl": "openssl"}
"""Programs that judge the record in the tests, each with its Debian package."""
if sys.platform == "linux":
    PROGRAMS["strace"] = "strace"
TOOLS = os.path.join(VENV, "tools")
TRIED = {
    "nginx": ("nginx", "usr/sbin/nginx"),
    "caddy": ("caddy", "usr/bin/caddy"),
    "libfaketime": ("libfaketime", "usr/lib/*/faketime/libfaketimeMT.so.1"),
    "fiu-run": ("fiu-utils", "usr/bin/fiu-run"),
    "libfiu": ("libfiu0", "usr/lib/libfiu.so.0", "usr/lib/*/libfiu.so.0"),
}
"""What the server and its samples are tried under where it can be had, each with its Debian package and its places."""
NPM_LOCK = ("tests/foreign/package.json", "tests/foreign/package-lock.json")
X_MOD, X_MOD_SOURCE = "golang-golang-x-mod-dev", "https://go.googlesource.com/mod"
CJK_FONTS = ("/usr/share/fonts/**/*CJK*", "/usr/local/share/fonts/**/*CJK*", "~/.local/share/fonts/**/*CJK*")


def say(line: str) -> None:
    """Tell the person what happens; stdout belongs to the command that is run."""
    print(line, file=sys.stderr, flush=True)


def fail(line: str) -> NoReturn:
    """Stop with one sentence."""
    say(line)
    sys.exit(1)


# The environment


def digest(lock: str) -> str:
    """Return the SHA-256 of a lock file, whatever the line ends of the checkout are."""
    with open(os.path.join(ROOT, lock), "rb") as file:
        return hashlib.sha256(file.read().replace(b"\r\n", b"\n")).hexdigest()


def installed() -> dict[str, str]:
    """Return which lock files the environment holds, each with the digest it had."""
    try:
        with open(STAMP, encoding="utf-8") as file:
            return dict(json.load(file)) if os.path.exists(PYTHON) else {}
    except (OSError, ValueError):
        return {}


def ready(lock: str) -> bool:
    """Say whether the environment holds this lock file as it is now; the development one holds both."""
    return installed().get(lock) == digest(lock)


def provide(lock: str) -> None:
    """Make or renew the environment so that it holds what the lock file names."""
    if ready(lock):
        return
    start = time.monotonic()
    make_venv()
    if os.path.exists(STAMP):
        os.remove(STAMP)
    with open(os.path.join(ROOT, lock), encoding="utf-8") as file:
        count = sum("==" in line for line in file)
    say(f"Installing {count} packages from {lock} ...")
    pip("install", "--require-hashes", "--no-deps", "-r", os.path.join(ROOT, lock))
    install_project()
    held = (RUNTIME, DEVELOPMENT) if lock == DEVELOPMENT else (RUNTIME,)
    with open(STAMP, "w", encoding="utf-8") as file:
        json.dump({name: digest(name) for name in held}, file)
    say(f"The environment is ready ({time.monotonic() - start:.0f} s).")


def make_venv() -> None:
    """Make .venv with this Python, or say what the system lacks."""
    if os.path.exists(PYTHON) and not subprocess.call([PYTHON, "-m", "pip", "--version"], stdout=subprocess.DEVNULL):
        return
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        fail(f"This Python has no venv. On Debian or Ubuntu run: sudo apt-get install -y {package}")
    say(f"Making the environment in {VENV} ...")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True)
    if made.returncode:
        fail(f"{made.stdout}{made.stderr}\nThe environment could not be made in {VENV}.")


def pip(*words: str) -> None:
    """Run pip of the environment; silent unless it fails."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run([PYTHON, "-m", "pip", *words, *quiet], capture_output=True, text=True, errors="replace")
    if done.returncode:
        say(f"{done.stdout}{done.stderr}")
        fail("The packages could not be installed. Is there a network? Then run this again.")


def install_project() -> None:
    """Make `import panel` and the command `panel` run from this source tree."""
    where = [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip()
    with open(os.path.join(packages, "heyi.pth"), "w", encoding="utf-8") as file:
        file.write(os.path.relpath(ROOT, packages) + "\n")
    script = os.path.join(BIN, "panel.cmd" if WINDOWS else "panel")
    windows, posix = f'@"%~dp0python.exe" -P -c "{START}" %*\n', f'#!/bin/sh\nexec "{PYTHON}" -P -c "{START}" "$@"\n'
    with open(script, "w", encoding="utf-8") as file:
        file.write(windows if WINDOWS else posix)
    os.chmod(script, 0o755)


# What the browser tests need


def chromium() -> str | None:
    """Return the Chromium that the tests drive, or None."""
    found = [os.environ.get("PANEL_CHROMIUM"), *map(shutil.which, CHROMIUM_NAMES), *CHROMIUM_PLACES]
    for pattern in PLAYWRIGHT_PLACES:
        found += sorted(glob.glob(os.path.expanduser(pattern)), reverse=True)
    return next((path for path in found if path and os.path.exists(path)), None)


def chinese_fonts() -> bool:
    """Say whether Chinese text can be drawn; only Linux comes without such fonts."""
    if sys.platform != "linux":
        return True
    if shutil.which("fc-list"):
        return bool(subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True).stdout.strip())
    return any(glob.glob(os.path.expanduser(pattern), recursive=True) for pattern in CJK_FONTS)


def provide_browser() -> None:
    """Find or install Chromium and Chinese fonts; nothing is skipped silently."""
    lacking = [] if chromium() else ["chromium"]
    lacking += [] if chinese_fonts() else ["fonts-noto-cjk"]
    if lacking and shutil.which("apt-get") and getattr(os, "geteuid", lambda: 1)() == 0:
        apt_install(lacking, "the browser tests")
    if not chromium():
        say("Installing Chromium for the browser tests ...")
        subprocess.run([PYTHON, "-m", "playwright", "install", "chromium"], check=False)
    if not (chromium() and chinese_fonts()):
        debian = f"sudo apt-get install -y {' '.join(lacking)}"
        other = f'"{PYTHON}" -m playwright install --with-deps chromium'
        fail(f"The browser tests need Chromium and Chinese fonts. Run: {debian if shutil.which('apt-get') else other}")


def apt_install(packages: list[str], purpose: str) -> None:
    """Install Debian packages as root; the package lists are fetched when they are missing or old."""
    say(f"Installing {' and '.join(packages)} for {purpose} ...")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if subprocess.run(install, env=environment, capture_output=True).returncode:
        subprocess.run(["apt-get", "update"], env=environment, capture_output=True)
        done = subprocess.run(install, env=environment, capture_output=True, text=True)
        if done.returncode:
            say(done.stderr)


# What the foreign judges of the record need (tests/foreign)


def gopath() -> str | None:
    """Return the folder below which the judge in Go finds golang.org/x/mod, or None."""
    places = (os.environ.get("PANEL_GOPATH"), "/usr/share/gocode", os.path.expanduser("~/go"))
    held = os.path.join("src", "golang.org", "x", "mod", "sumdb", "tlog")
    return next((place for place in places if place and os.path.isdir(os.path.join(place, held))), None)


def provide_judges() -> None:
    """Find or install Go with x/mod, Node with @sigstore/verify, and openssl; nothing is skipped silently."""
    if lacking := lacking_judges():
        if shutil.which("apt-get") and getattr(os, "geteuid", lambda: 1)() == 0:
            apt_install(lacking, "the foreign judges of the record")
        if lacking := lacking_judges():
            fail(f"The foreign judges of the record are missing. Run: {how_to_install(lacking)}")
    provide_npm()
    if not offline():
        say("The foreign judges run with the network in reach: unshare cannot take it from them on this machine.")


def lacking_judges() -> list[str]:
    """Return the Debian packages of what is not there."""
    lacking = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    return lacking if gopath() else [*lacking, X_MOD]


def how_to_install(packages: list[str]) -> str:
    """Return the command that installs these packages, or what they stand for on other systems."""
    if shutil.which("apt-get"):
        return f"sudo apt-get install -y {' '.join(packages)}"
    formulas = {"golang-go": "go", "nodejs": "node", "npm": "node", "openssl": "openssl"}
    wanted = sorted({formulas[package] for package in packages if package in formulas})
    commands = [f"brew install {' '.join(wanted)}"] if wanted else []
    clone = f'git clone {X_MOD_SOURCE} "{os.path.expanduser("~/go/src/golang.org/x/mod")}"'
    return " && ".join([*commands, clone] if X_MOD in packages else commands)


def provide_npm() -> None:
    """Install the locked npm packages of the judge in JavaScript; none of their scripts is run."""
    stamp, wanted = os.path.join(JUDGES, "installed.txt"), "\n".join(map(digest, NPM_LOCK))
    if os.path.exists(stamp):
        with open(stamp, encoding="ascii") as file:
            if file.read() == wanted:
                return
    say("Installing the npm packages of the foreign judges ...")
    os.makedirs(JUDGES, exist_ok=True)
    for name in NPM_LOCK:
        shutil.copy(os.path.join(ROOT, name), JUDGES)
    command = [shutil.which("npm") or "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=JUDGES, capture_output=True, text=True, errors="replace")
    if done.returncode:
        say(done.stderr)
        fail("The npm packages of the foreign judges could not be installed. Is there a network? Then run this again.")
    with open(stamp, "w", encoding="ascii") as file:
        file.write(wanted)


# What the server and its samples are tried under (tests/operation)


def tool(name: str) -> str | None:
    """Return where one of TRIED is, on the system or unpacked beside the environment, or None."""
    patterns = [os.path.join(root, place) for root in ("/", TOOLS) for place in TRIED[name][1:]]
    return next((path for pattern in patterns for path in glob.glob(pattern)), shutil.which(name))


def provide_tools() -> None:
    """Unpack Debian's packages of what is tried, or say what is skipped; nothing is installed and no service starts."""
    lacking = [name for name in TRIED if not tool(name)]
    if lacking and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        unpack([TRIED[name][0] for name in lacking])
        lacking = [name for name in lacking if not tool(name)]
    if lacking:
        remedy = "sudo apt-get update, then this again" if shutil.which("apt-get") else "brew install nginx caddy"
        say(f"Not on this machine, so that tests are skipped: {', '.join(lacking)}. To have them tried, run: {remedy}")


def unpack(packages: list[str]) -> None:
    """Fetch Debian packages and unpack them beside the environment; one that cannot be had holds up no other."""
    say(f"Unpacking {', '.join(packages)} into {TOOLS} ...")
    fetched = os.path.join(TOOLS, "fetched")
    os.makedirs(fetched, exist_ok=True)
    for package in packages:
        fetch = ["apt-get", "download", package]
        if subprocess.run(fetch, cwd=fetched, capture_output=True).returncode and package == packages[0]:
            subprocess.run(["apt-get", "update"], capture_output=True)
            subprocess.run(fetch, cwd=fetched, capture_output=True)
    for archive in glob.glob(os.path.join(fetched, "*.deb")):
        subprocess.run(["dpkg-deb", "-x", archive, TOOLS], check=False)
    shutil.rmtree(fetched)


def offline() -> list[str]:
    """Return the words before a command that take the network from it; none where the machine does not allow it."""
    words = ["unshare", "-n"] if getattr(os, "geteuid", lambda: 1)() == 0 else ["unshare", "-rn"]
    if not shutil.which("unshare"):
        return []
    return [] if subprocess.run([*words, "true"], capture_output=True).returncode else words


# The commands


def test(words: list[str]) -> int:
    """Run every check and every test, or pytest alone with the given words; return the exit status."""
    start = time.monotonic()
    provide(DEVELOPMENT)
    provide_browser()
    provide_judges()
    provide_tools()
    environment = {**os.environ, "PANEL_CHROMIUM": chromium() or "", "PANEL_GOPATH": gopath() or ""}
    if words:
        return subprocess.call([PYTHON, "-m", "pytest", *words], env=environment)
    steps = {
        "scripts/check": [PYTHON, os.path.join(ROOT, "scripts", "check")],
        "pytest": [PYTHON, "-m", "pytest", "-n", "4", "--no-loadscope-reorder"],
    }
    failed = [name for name, command in steps.items() if subprocess.call(command, cwd=ROOT, env=environment)]
    seconds = time.monotonic() - start
    total = f"{int(seconds) // 60} min {seconds % 60:.0f} s in all"
    say(f"\nFAILED: {', '.join(failed)} ({total})" if failed else f"\nEverything holds ({total})")
    return 1 if failed else 0


def panel(words: list[str]) -> int:
    """Become the `panel` command with the given words."""
    provide(RUNTIME)
    command = [PYTHON, "-P", "-c", START, *words]
    if WINDOWS:
        return subprocess.call(command)
    sys.stderr.flush()
    os.execv(PYTHON, command)


def main(words: list[str]) -> int:
    """Do what the words say; return the exit status."""
    if sys.version_info < (3, 11):
        fail(f"Heyi needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    if not words or words[0] in ("-h", "--help"):
        print((__doc__ or "").strip())
        return 0 if words else 2
    return test(words[1:]) if words[0] == "test" else panel(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
