"""Settings: secrets are long, private and can be changed (requirement 41)."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from panel.core.config import Settings
from tests.factories import ORIGIN, SECRET, World, make_world

OTHER = "another secret of the tests, longer than thirty-two characters"


def test_41_a_secret_may_come_from_a_file_that_only_its_owner_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    monkeypatch.setenv("PANEL_SECRET_FILE", str(file))
    monkeypatch.delenv("PANEL_SECRET", raising=False)
    assert Settings().secret.get_secret_value() == SECRET  # type: ignore[call-arg]  # it comes from the file


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_41_a_secret_that_others_may_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    file.chmod(mode)
    monkeypatch.setenv("PANEL_SECRET_FILE", str(file))
    monkeypatch.delenv("PANEL_SECRET", raising=False)
    with pytest.raises(ValueError, match="0600"):
        Settings()  # type: ignore[call-arg]  # it would come from the file


def test_41_a_changed_secret_still_takes_the_forms_of_the_former_one(
    world: World, tmp_path: Path, template: Path
) -> None:
    old = world.site.tokens("csrf").dumps("")
    kept = make_world(tmp_path / "kept", template, secret=SecretStr(OTHER), former_secrets=(SecretStr(SECRET),))
    dropped = make_world(tmp_path / "dropped", template, secret=SecretStr(OTHER))
    statuses = [
        each.client().post("/locale", data={"csrf": old, "locale": "en"}, follow_redirects=False).status_code
        for each in (kept, dropped)
    ]
    signed = kept.site.tokens("csrf").dumps("")
    assert dropped.site.tokens("csrf").loads(signed) == ""
    assert statuses == [303, 410]
    kept.close()
    dropped.close()


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone Nowhere/Nothing"):
        Settings(secret=SecretStr(SECRET), zone="Nowhere/Nothing")


def test_origins_are_taken_as_given() -> None:
    assert Settings(secret=SecretStr(SECRET), origins=(ORIGIN,)).origins == (ORIGIN,)
    assert Settings(secret=SecretStr(SECRET), host="::1", port=9).origins == (
        "http://127.0.0.1:9", "http://[::1]:9", "http://localhost:9",
    )  # fmt: skip


def test_41_printed_settings_hold_no_secret_and_no_password() -> None:
    former = (SecretStr(OTHER),)
    database = "postgresql+psycopg://heyi:sehr-geheim@db.example/heyi"
    told = Settings(secret=SecretStr(SECRET), former_secrets=former, database=database).told()
    printed = json.dumps(told, ensure_ascii=False)
    assert [secret in printed for secret in (SECRET, OTHER, "sehr-geheim")] == [False] * 3
    assert told["database"] == "postgresql+psycopg://heyi:***@db.example/heyi"
    assert told["zone"] == "Asia/Shanghai"
