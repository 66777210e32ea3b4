"""A client of the credit portal's API: `Client`, a `Copy` of the lists, and webhooks."""

from credit_portal_client.client import Client
from credit_portal_client.local_copy import Copy
from credit_portal_client.problems import (
    ConflictError,
    ForgedError,
    InvalidError,
    MovedOnError,
    NotAllowedError,
    NotFoundError,
    OutOfStepError,
    PortalError,
    Problem,
    StaleError,
    UnreachableError,
)
from credit_portal_client.webhooks import Delivery, verify

__all__ = [
    "Client",
    "ConflictError",
    "Copy",
    "Delivery",
    "ForgedError",
    "InvalidError",
    "MovedOnError",
    "NotAllowedError",
    "NotFoundError",
    "OutOfStepError",
    "PortalError",
    "Problem",
    "StaleError",
    "UnreachableError",
    "verify",
]
