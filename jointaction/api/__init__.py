"""Joint action for machines: pushes, checks with answers and receipts, recalls, webhooks."""

from jointaction.api.checks import CheckFeedback, Checks
from jointaction.api.endpoints import (
    Deliveries,
    Disable,
    Enable,
    EndpointDetail,
    Endpoints,
    Ping,
    Redeliver,
    Replay,
    Rotate,
)
from jointaction.api.pushes import Acknowledge, Feedback, PushDetail, Pushes, PushSubject
from jointaction.api.receipts import Receipt, VerifyReceipt
from jointaction.api.units import ListingFeedback, Recalls

__all__ = [
    "Acknowledge",
    "CheckFeedback",
    "Checks",
    "Deliveries",
    "Disable",
    "Enable",
    "EndpointDetail",
    "Endpoints",
    "Feedback",
    "ListingFeedback",
    "Ping",
    "PushDetail",
    "PushSubject",
    "Pushes",
    "Recalls",
    "Receipt",
    "Redeliver",
    "Replay",
    "Rotate",
    "VerifyReceipt",
]
