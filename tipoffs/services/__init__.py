"""Every write to a report and to the vault: filing, handling, clock, keys, openings, erasure."""

from tipoffs.services.clock import chase_due
from tipoffs.services.erasure import erase
from tipoffs.services.file import add, file
from tipoffs.services.handle import (
    assign,
    conclude,
    inform,
    investigate,
    litigate,
    not_accept,
    refer,
    send_back,
    write,
)
from tipoffs.services.vault import (
    change_passphrase,
    grant,
    make_key,
    make_recovery_key,
    open_identity,
    open_with_recovery_key,
    retire,
)

__all__ = [
    "add",
    "assign",
    "change_passphrase",
    "chase_due",
    "conclude",
    "erase",
    "file",
    "grant",
    "inform",
    "investigate",
    "litigate",
    "make_key",
    "make_recovery_key",
    "not_accept",
    "open_identity",
    "open_with_recovery_key",
    "refer",
    "retire",
    "send_back",
    "write",
]
