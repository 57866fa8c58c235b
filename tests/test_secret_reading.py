"""Secrets of lines: from the environment or a file, whole where they are private keys, never in a message."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import SettingsError
from orchestrator.settings import LineSettings
from orchestrator.settings.serve import Carrier
from orchestrator.settings_file import read_api_key, read_secret

WHERE = "serve.lines[0]"
PEM = "-----BEGIN PRIVATE KEY-----\nAAAA\nBBBB\n-----END PRIVATE KEY-----"


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """Of a file the first line counts; without either there is none."""
    path = tmp_path / "token"
    path.write_text("\ufeff from-a-file \nnot this\n", "utf-8")
    environment = {"PHONE_TOKEN": " from-the-environment\n"}
    in_environment = LineSettings(carrier="exotel", secret_env="PHONE_TOKEN")
    in_file = LineSettings(carrier="exotel", secret_file=str(path))
    assert read_secret(in_environment, WHERE, environment=environment) == "from-the-environment"
    assert read_secret(in_file, WHERE, environment=environment) == "from-a-file"
    assert read_secret(LineSettings(carrier="exotel"), WHERE, environment=environment) == ""


@pytest.mark.parametrize(
    ("carrier", "key"),
    [("twilio", "secret"), ("plivo", "secret"), ("telnyx", ""), ("vonage", ""), ("jambonz", ""), ("exotel", "")],
)
def test_an_api_goes_by_the_secret_only_where_it_is_the_same(carrier: Carrier, key: str) -> None:
    """Telnyx' secret is a public key, Vonage's signs only; a key of its own goes first."""
    environment = {"THE_SECRET": "secret", "THE_KEY": "key"}
    line = LineSettings(carrier=carrier, secret_env="THE_SECRET")
    assert read_api_key(line, WHERE, environment=environment) == key
    line = LineSettings(carrier=carrier, secret_env="THE_SECRET", key_env="THE_KEY")
    assert read_api_key(line, WHERE, environment=environment) == "key"


def test_a_private_key_is_taken_whole(tmp_path: Path) -> None:
    """It has many lines, in a file as in a variable."""
    path = tmp_path / "key.pem"
    path.write_text(f"\n{PEM}\n", "utf-8")
    in_file = LineSettings(carrier="vonage", key_file=str(path))
    assert read_api_key(in_file, WHERE) == PEM
    in_environment = LineSettings(carrier="vonage", key_env="VONAGE_KEY")
    assert read_api_key(in_environment, WHERE, environment={"VONAGE_KEY": PEM + "\n"}) == PEM


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read (No such file or directory); expected a file with the secret"),
        (b"", "its first line is empty; expected exotel's secret"),
        (b"\nlater", "its first line is empty"),
        (b"\xff\xfe", "is not text"),
        (b"two words", "no usable secret; expected ASCII letters, digits and signs without spaces"),
    ],
)
def test_an_unusable_file_is_named(tmp_path: Path, content: bytes | None, problem: str) -> None:
    """With the line and the key of the setting, without what is in it."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_secret(LineSettings(carrier="exotel", secret_file=str(path)), WHERE)
    assert str(caught.value).startswith(f'serve.lines[0].secret_file = "{path}": ')
    assert problem in str(caught.value)
    assert "words" not in str(caught.value)


def test_a_missing_variable_is_named() -> None:
    """And where else the secret may be."""
    with pytest.raises(SettingsError) as caught:
        read_secret(LineSettings(carrier="exotel", secret_env="PHONE_TOKEN"), WHERE, environment={})
    expected = "is not set; put exotel's secret there, or name a file with it in serve.lines[0].secret_file"
    assert str(caught.value) == f"environment variable PHONE_TOKEN: {expected}"


SECRETS = ("Zx8_kq-3LmN0pQrStUvWxYz12", "0123456789abcdef0123456789abcdef", "Abc_" * 10 + "9-x", "QUJDRA" * 5 + "==")


@pytest.mark.parametrize("setting", ["secret_file", "secret_env", "key_file", "key_env"])
@pytest.mark.parametrize("secret", [*SECRETS, "Zx8_kq3LmN0pQrStUvWxYz12"])
def test_a_secret_in_place_of_its_name_is_refused_without_showing_it(setting: str, secret: str) -> None:
    """Of the shapes that generators give: URL-safe base64 with its _ and -, hexadecimal, base64."""
    with pytest.raises(ValueError, match="the secret itself") as caught:
        LineSettings(carrier="exotel", **{setting: secret})  # type: ignore[arg-type]
    assert secret not in str(caught.value)


def test_names_are_taken_for_names() -> None:
    """Of variables in one case, of files with a dot or a slash, or short."""
    for name in ("TWILIO_PRODUCTION_AUTH_TOKEN", "twilio_production_auth_token", "TOKEN"):
        assert LineSettings(carrier="twilio", secret_env=name).secret_env == name
    for name in ("/run/secrets/twilio_production_token", "./twilio-production-auth-token", "twilio_token"):
        assert LineSettings(carrier="twilio", secret_file=name).secret_file == name
