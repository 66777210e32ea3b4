"""Every write to an application for credit repair."""

from repair.services.apply import apply, earliest, terms
from repair.services.clock import chase_due, extend, extendable
from repair.services.contact import contact_of
from repair.services.decide import (
    accept,
    approve_decision,
    not_accept,
    propose_decision,
    return_decision,
    verify,
)
from repair.services.supplement import ask, supplement

__all__ = [
    "accept",
    "apply",
    "approve_decision",
    "ask",
    "chase_due",
    "contact_of",
    "earliest",
    "extend",
    "extendable",
    "not_accept",
    "propose_decision",
    "return_decision",
    "supplement",
    "terms",
    "verify",
]
