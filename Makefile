# Every target does all of its own set-up. PORT= and VAR= (data folder) are honoured by `run`.

PYTHON := $(shell for p in python3.11 python3 python3.12 python3.13; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && command -v $$p && break; done)
PY := .venv/bin/python
PO := $(wildcard locale/*/LC_MESSAGES/django.po)
MO := $(PO:.po=.mo)
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-input

.PHONY: run test lint audit bench setup setup-test
.DELETE_ON_ERROR:

run: setup
	@exec $(PY) -m credit_portal.run

test: setup-test
	@exec $(PY) -m pytest -n 2 --dist loadfile $(ARGS)

lint: setup-test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/djlint --lint --quiet templates
	$(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	BASE_URL=https://localhost $(PY) manage.py check --deploy --fail-level WARNING
	$(PY) -m tests.test_translations
	$(PY) -m tests.audit

audit: setup-test
	$(PY) -m tests.audit

bench: setup
	@exec $(PY) -m bench $(ARGS)

setup: .venv/installed $(MO)
setup-test: .venv/installed-test $(MO)

.venv/made:
	@test -n "$(PYTHON)" || { echo "需要 Python 3.11 或更新版本（含 venv） · Python 3.11 or newer with venv is needed (Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "· 建立虚拟环境 · making .venv with $(PYTHON)"
	@rm -rf .venv && $(PYTHON) -m venv .venv && touch $@

# The stamp keeps a copy of what was installed, so a touched file alone installs nothing.
.venv/installed: requirements.txt .venv/made
	@cmp -s requirements.txt $@ || { echo "· 安装依赖 · installing packages (about a minute)"; $(PIP) -r requirements.txt; }
	@cp requirements.txt $@

.venv/installed-test: requirements-test.txt .venv/installed
	@cat requirements.txt requirements-test.txt | cmp -s - $@ || { echo "· 安装测试依赖 · installing test packages"; $(PIP) -r requirements-test.txt; }
	@cat requirements.txt requirements-test.txt > $@

locale/%/LC_MESSAGES/django.mo: locale/%/LC_MESSAGES/django.po .venv/installed
	@$(PY) -c 'import polib, sys; polib.pofile(sys.argv[1]).save_as_mofile(sys.argv[2])' $< $@
