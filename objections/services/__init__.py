"""Every write to an objection: filing, handling, reply, the clock, the letters."""

from objections.services.clock import chase_due
from objections.services.contact import contact_of
from objections.services.file import file
from objections.services.handle import (
    ask,
    attach_person,
    can_attach,
    extend,
    extendable_by,
    forward,
    investigate,
    lapse,
    resumed,
    supplement,
)
from objections.services.reply import approve_reply, propose_reply, return_reply

__all__ = [
    "approve_reply",
    "ask",
    "attach_person",
    "can_attach",
    "chase_due",
    "contact_of",
    "extend",
    "extendable_by",
    "file",
    "forward",
    "investigate",
    "lapse",
    "propose_reply",
    "resumed",
    "return_reply",
    "supplement",
]
