"""How any matter moves, its journal, its clock, the calendar, stored documents, numbers."""

from casework.models.calendar import CalendarYear, SpecialDay
from casework.models.case import Case, Event
from casework.models.counters import Counter, IdempotencyKey
from casework.models.documents import Document, Letter, ServiceMeans
from casework.models.filing import Filing, FilingQuerySet
from casework.models.kept import KeptForm
from casework.models.rates import RateCount
from casework.models.seals import JournalSeal

__all__ = [
    "CalendarYear",
    "Case",
    "Counter",
    "Document",
    "Event",
    "Filing",
    "FilingQuerySet",
    "IdempotencyKey",
    "JournalSeal",
    "KeptForm",
    "Letter",
    "RateCount",
    "ServiceMeans",
    "SpecialDay",
]
