"""The figures of the machine room, as Prometheus reads them."""

from django.utils import timezone

from casework.models import JournalSeal, Letter
from casework.services import unsealed
from credit_portal.counted import totals
from jointaction.models import Delivery, DistributionCursor, Push, Sheet
from listings import ledger
from listings.filters import in_force
from listings.models import ImportBatch, Listing
from notices.models import Notice
from objections.models import Objection
from portal.services.health import heartbeat_age, sweep_ages
from repair.models import Repair
from rulebook.models import ListKind


def measures(today):
    """All figures as text; what is not known yet is NaN."""
    parts = (_entries(today), _matters(today), _queues(), _proofs(), _clock(), _requests())
    return "".join(_lines(figure for part in parts for figure in part))


def _entries(today):
    counts = in_force(today)
    for kind in ListKind.values:
        yield "portal_listings_in_force", "Entries on a list today", {"list": kind}, counts[kind]
    lapsed = Listing.objects.lapsed(today).count()
    yield "portal_listings_lapsed", "Entries past their last day, not ended yet", {}, lapsed


def _matters(today):
    kinds = {"objections": Objection.objects, "repairs": Repair.objects}
    for name, rows in kinds.items():
        yield f"portal_{name}_open", f"{name.capitalize()} not decided", {}, rows.open().count()
        late = rows.overdue(today).count()
        yield f"portal_{name}_overdue", f"{name.capitalize()} past their day", {}, late
    late = Push.objects.overdue(today).count()
    yield "portal_pushes_overdue", "Pushes past their day", {}, late


def _queues():
    """What waits to be done by the worker: all of it should be near 0 within a minute."""
    head = ledger.head().seq
    reached = DistributionCursor.objects.values_list("seq", flat=True).first() or 0
    waiting = {
        "distribution": head - reached,
        "imports": ImportBatch.objects.received().count(),
        "letters": Letter.objects.unmade().count(),
        "mails": Notice.objects.unsent(timezone.now()).count(),
        "webhooks": Delivery.objects.waiting().count(),
        "tables": Sheet.objects.open().count(),
    }
    for name, n in waiting.items():
        yield "portal_waiting", "Rows that wait for the worker", {"queue": name}, n
    yield "portal_webhooks_dead", "Webhooks given up", {}, Delivery.objects.dead().count()


def _proofs():
    """How far ledger and journals are, and how far the seals are behind."""
    yield "portal_ledger_seq", "Last position of the ledger", {}, ledger.head().seq
    seal = JournalSeal.objects.head()
    yield "portal_journal_seal_seq", "Last seal of the journals", {}, seal.seq if seal else 0
    for table, n in unsealed().items():
        yield "portal_journal_unsealed", "Ids of a journal past its last seal", {"table": table}, n


def _clock():
    told = "Since the worker's last sign of life"
    yield "portal_worker_heartbeat_age_seconds", told, {}, _seconds(heartbeat_age())
    for name, age in sweep_ages().items():
        told = "Since a sweep last ended well"
        yield "portal_sweep_age_seconds", told, {"sweep": name}, _seconds(age)


def _requests():
    """Since the beginning, on this machine, but for the last seconds of a killed process."""
    rows = totals()
    for route, status, n, _seconds in rows:
        labels = {"route": route, "status": status}
        yield "portal_requests_total", "Requests answered", labels, n
    for route, status, _n, seconds in rows:
        labels = {"route": route, "status": status}
        yield "portal_requests_seconds_total", "Seconds that they took", labels, f"{seconds:.3f}"


def _seconds(age):
    return "NaN" if age is None else f"{age:.1f}"


def _lines(figures):
    told = set()
    for name, help_text, labels, value in figures:
        if name not in told:
            told.add(name)
            kind = "counter" if name.endswith("_total") else "gauge"
            yield f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n"
        within = ",".join(f'{label}="{text}"' for label, text in labels.items())
        yield f"{name}{{{within}}} {value}\n" if within else f"{name} {value}\n"
