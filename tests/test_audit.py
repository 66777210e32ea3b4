"""A known vulnerability fails the build, an allowed one is told, and silence is not a pass."""

import subprocess
import sys
import tomllib

from tests import audit

GOOD = {"name": "django", "version": "5.2.19", "vulns": []}
UNKNOWN = {"name": "celery", "skip_reason": "Dependency not found on PyPI"}


def package(number="PYSEC-2026-1", *aliases):
    found = {"id": number, "aliases": list(aliases), "fix_versions": ["2.0"], "description": "x"}
    return {"name": "bad", "version": "1.0", "vulns": [found]}


def test_a_vulnerability_fails_and_names_package_number_and_cure():
    lines, failed = audit.verdict([GOOD, package()], {})
    assert failed
    assert "✗ bad 1.0: PYSEC-2026-1 (fixed in 2.0)" in lines


def test_one_that_is_allowed_under_any_of_its_numbers_is_told_with_the_reason():
    allowed = {"CVE-2026-1": "示例：没有用到。"}
    lines, failed = audit.verdict([package("PYSEC-2026-1", "CVE-2026-1")], allowed)
    assert not failed
    assert "示例：没有用到。" in lines[-1]


def test_how_many_packages_were_looked_up_is_said():
    assert audit.verdict([GOOD, UNKNOWN], {})[0][0].startswith("审计了 1/2 个包")


def test_where_nobody_answers_it_says_that_nothing_was_audited():
    for packages in ([], [UNKNOWN]):
        assert audit.verdict(packages, {}) == ([audit.UNCHECKED], False)


def test_without_a_network_it_ends_soon_and_well(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(audit, "COMMAND", (*audit.COMMAND, "--cache-dir", "/nonexistent"))
    assert audit.verdict(audit.ask(), {}) == ([audit.UNCHECKED], False)


def test_one_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(audit, "PATIENCE", 0.2)
    monkeypatch.setattr(audit, "COMMAND", (sys.executable, "-c", "import time; time.sleep(9)"))
    assert audit.ask() == []


def test_each_vulnerability_that_is_allowed_has_a_reason():
    for reason in tomllib.loads((audit.ROOT / "audit.toml").read_text())["allowed"].values():
        assert len(reason) >= 10


def test_make_audit_runs_as_it_stands():
    done = subprocess.run(
        [sys.executable, "-m", "tests.audit"],
        cwd=audit.ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    assert "审计" in done.stdout
