"""Who: departments, the people who work there, their keys, the subjects of entries."""

from parties.models.absence import Delegation, Lent
from parties.models.access import AccessLog, SigningKey
from parties.models.accounts import (
    AccountEvent,
    PastPassword,
    SignInRecord,
    SpareCode,
    StaffSession,
)
from parties.models.acts import CLOCK, PUBLIC, Acted, Actor
from parties.models.keys import ApiKey, ApiKeyManager, ApiKeyQuerySet, check_network, ip_of
from parties.models.people import Department, Role, User
from parties.models.sealed import IndexKey, Sealed
from parties.models.subjects import (
    FormerName,
    PaperType,
    Subject,
    mask_name,
    mask_value,
)

__all__ = [
    "CLOCK",
    "PUBLIC",
    "AccessLog",
    "AccountEvent",
    "Acted",
    "Actor",
    "ApiKey",
    "ApiKeyManager",
    "ApiKeyQuerySet",
    "Delegation",
    "Department",
    "FormerName",
    "IndexKey",
    "Lent",
    "PaperType",
    "PastPassword",
    "Role",
    "Sealed",
    "SignInRecord",
    "SigningKey",
    "SpareCode",
    "StaffSession",
    "Subject",
    "User",
    "check_network",
    "ip_of",
    "mask_name",
    "mask_value",
]
