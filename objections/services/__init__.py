"""Every write to an objection: filing, handling, reply, the clock, the letter."""

from objections.services.clock import chase_due
from objections.services.file import file
from objections.services.letters import make_letters
from objections.services.reply import approve_reply, investigate, propose_reply, return_reply

__all__ = [
    "approve_reply",
    "chase_due",
    "file",
    "investigate",
    "make_letters",
    "propose_reply",
    "return_reply",
]
