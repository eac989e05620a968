"""Settings: defaults, values, and every way a wrong one is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from stocklab.errors import SettingsError
from stocklab.settings import Settings, load_settings


def test_defaults_serve_one_person_on_this_machine():
    settings = load_settings({})
    assert settings.env == "dev"
    assert settings.home == Path("data")
    assert (settings.host, settings.port) == ("127.0.0.1", 8501)
    assert settings.language == "ko"
    assert settings.max_concurrent_jobs == 2
    assert settings.database_url is None
    assert settings.cookie_secret is None


def test_values_are_read_by_prefix_and_other_variables_are_left_alone():
    settings = load_settings({"STOCKLAB_PORT": "9000", "STOCKLAB_HOME": "/srv/lab", "PORT": "1", "PATH": "/bin"})
    assert settings.port == 9000
    assert settings.home == Path("/srv/lab")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("STOCKLAB_PROT", "STOCKLAB_PORT"),
        ("STOCKLAB_DATABASE", "STOCKLAB_DATABASE_URL"),
        ("STOCKLAB_MAX_CONCURENT_JOBS", "STOCKLAB_MAX_CONCURRENT_JOBS"),
    ],
)
def test_an_unknown_setting_names_the_nearest_known_one(name: str, nearest: str):
    with pytest.raises(SettingsError, match=f"Unknown setting {name}. Did you mean {nearest}?"):
        load_settings({name: "x"})


def test_a_far_off_name_points_at_the_list():
    with pytest.raises(SettingsError, match=r"docs/settings\.md lists the settings"):
        load_settings({"STOCKLAB_QQQQQQQQQQ": "1"})


def test_the_variable_of_the_tests_is_no_unknown_setting():
    assert load_settings({"STOCKLAB_TEST_DATA": "/somewhere"}) == load_settings({})


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("STOCKLAB_PORT", "0", "greater than or equal to 1"),
        ("STOCKLAB_PORT", "70000", "less than or equal to 65535"),
        ("STOCKLAB_PORT", "http", "valid integer"),
        ("STOCKLAB_ENV", "production", "'dev', 'staging' or 'prod'"),
        ("STOCKLAB_LANGUAGE", "jp", "'ko' or 'en'"),
        ("STOCKLAB_MAX_CONCURRENT_JOBS", "0", "greater than or equal to 1"),
        ("STOCKLAB_DEBUG", "perhaps", "valid boolean"),
    ],
)
def test_a_value_that_is_not_valid_is_named(name: str, value: str, reason: str):
    with pytest.raises(SettingsError, match=f"{name}: .*{reason}"):
        load_settings({name: value})


def test_prod_refuses_debug():
    with pytest.raises(SettingsError, match=r"STOCKLAB_DEBUG=true is refused with STOCKLAB_ENV=prod"):
        load_settings({"STOCKLAB_ENV": "prod", "STOCKLAB_DEBUG": "true"})
    assert load_settings({"STOCKLAB_ENV": "staging", "STOCKLAB_DEBUG": "true"}).debug


@pytest.mark.parametrize("secret", ["short", "change-me-change-me-change-me-change-me", "DEFAULT" + "x" * 40])
def test_prod_refuses_a_default_secret_without_printing_it(secret: str):
    with pytest.raises(SettingsError, match="STOCKLAB_COOKIE_SECRET must be 32 or more characters") as caught:
        load_settings({"STOCKLAB_ENV": "prod", "STOCKLAB_COOKIE_SECRET": secret})
    assert secret not in str(caught.value)
    assert load_settings({"STOCKLAB_COOKIE_SECRET": secret}).cookie_secret is not None


def test_secrets_do_not_show_in_logs():
    url = "postgresql://lab:hunter2@db/lab"
    settings = load_settings({"STOCKLAB_DATABASE_URL": url, "STOCKLAB_COOKIE_SECRET": "k" * 40})
    assert "hunter2" not in repr(settings)
    assert "k" * 40 not in repr(settings)
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == url


def test_settings_do_not_change_after_the_start():
    settings = load_settings({})
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_every_setting_says_what_it_does():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def _in_a_new_process(**variables: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("STOCKLAB_")}
    code = "from stocklab.settings import load_settings; s = load_settings(); print(s.port, s.allowed_hosts)"
    return subprocess.run(
        [sys.executable, "-c", code], env=clean | variables, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_real_environment_is_read():
    done = _in_a_new_process(STOCKLAB_PORT="8777")
    assert done.stdout.split()[0] == "8777", done.stderr


def test_host_names_are_a_comma_separated_list():
    done = _in_a_new_process(STOCKLAB_ALLOWED_HOSTS="nas.local, lab.example.kr")
    assert done.stdout.strip() == "8501 ('nas.local', 'lab.example.kr')", done.stderr
    assert load_settings({"STOCKLAB_ALLOWED_HOSTS": "nas.local"}).allowed_hosts == ("nas.local",)


def test_the_real_environment_is_refused_like_a_given_one():
    done = _in_a_new_process(STOCKLAB_PROT="1")
    assert done.returncode != 0
    assert "Did you mean STOCKLAB_PORT?" in done.stderr
