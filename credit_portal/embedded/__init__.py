"""A private PostgreSQL, and secrets, for a machine that has neither.

The settings read `secret()` and `database()`; the launcher, the tests and the
benchmark start the server itself through `start()`. Only the standard library
is needed, and nothing happens at import.
"""

from credit_portal.embedded.binaries import program
from credit_portal.embedded.cluster import Cluster, database, start
from credit_portal.embedded.errors import EmbeddedError
from credit_portal.embedded.processes import die_with_parent
from credit_portal.embedded.secret_files import secret

__all__ = ["Cluster", "EmbeddedError", "database", "die_with_parent", "program", "secret", "start"]
