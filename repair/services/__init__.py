"""Every write to an application for credit repair."""

from repair.services.apply import apply, earliest, terms
from repair.services.clock import chase_due
from repair.services.contact import contact_of
from repair.services.decide import (
    accept,
    approve_decision,
    not_accept,
    propose_decision,
    return_decision,
    verify,
)
from repair.services.extension import extend, extendable
from repair.services.supplement import ask, lapse, supplement

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
    "lapse",
    "not_accept",
    "propose_decision",
    "return_decision",
    "supplement",
    "terms",
    "verify",
]
