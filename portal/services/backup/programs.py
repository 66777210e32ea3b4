"""pg_dump and pg_restore: called with the portal's own connection, the password never as a word."""

import contextlib
import os
import subprocess

from django.db import connection
from psycopg2.extensions import make_dsn

from credit_portal import embedded


def call(name, *options, **streams):
    """Start a program of PostgreSQL on the portal's database; a Popen with stderr captured."""
    given = connection.get_connection_params()
    for unwanted in ("cursor_factory", "client_encoding"):
        given.pop(unwanted, None)
    password = given.pop("password", None)
    words = {} if password is None else {"PGPASSWORD": password}
    program = embedded.program(name, at_least=connection.pg_version // 10_000)
    return subprocess.Popen(  # noqa: S603 - our own program and options
        [str(program), *options, "--dbname", make_dsn(**given)],
        env={**os.environ, **words},
        stderr=subprocess.PIPE,
        **streams,
    )


def end(process):
    """Kill a program that is no longer wanted; nothing where it has ended."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()
