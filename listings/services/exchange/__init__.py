"""Lists exchanged with other cities' portals: ours written to signed files, theirs taken in."""

from listings.services.exchange.cities import change_city, pause_city, register_city, resume_city
from listings.services.exchange.export import export_changes, export_snapshot
from listings.services.exchange.reading import RefusedFile
from listings.services.exchange.render import seen_by_public
from listings.services.exchange.take import take

__all__ = [
    "RefusedFile",
    "change_city",
    "export_changes",
    "export_snapshot",
    "pause_city",
    "register_city",
    "resume_city",
    "seen_by_public",
    "take",
]
