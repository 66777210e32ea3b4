"""Every write to an objection: filing, handling, reply, the clock, the letter."""

from objections.services.clock import chase_due
from objections.services.file import contact_of, file
from objections.services.letters import make_letter, make_letters
from objections.services.reply import approve_reply, investigate, propose_reply, return_reply

__all__ = [
    "approve_reply",
    "chase_due",
    "contact_of",
    "file",
    "investigate",
    "make_letter",
    "make_letters",
    "propose_reply",
    "return_reply",
]
