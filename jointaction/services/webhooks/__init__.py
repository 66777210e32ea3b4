"""Webhooks: departments' own systems are told what happened, by the Standard Webhooks rules."""

from jointaction.services.webhooks.announce import (
    announce_changes,
    announce_pushes,
    announce_reply,
)
from jointaction.services.webhooks.deliver import send
from jointaction.services.webhooks.endpoints import (
    add_endpoint,
    close,
    disable,
    enable,
    ping,
    redeliver,
    replay,
    rotate,
)
from jointaction.services.webhooks.tidy import remove_old

__all__ = [
    "add_endpoint",
    "announce_changes",
    "announce_pushes",
    "announce_reply",
    "close",
    "disable",
    "enable",
    "ping",
    "redeliver",
    "remove_old",
    "replay",
    "rotate",
    "send",
]
