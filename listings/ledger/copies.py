"""What a copy of the lists kept elsewhere computes, and what the portal compares it with.

The definition for others stands in docs/api.md. Of an entry counts only what can't change
without a change in the ledger: no title out of the rules, no own field, no masked name.
"""

import hashlib
import io

from django.db import connection

from listings.ledger.content import canonical, text_of
from listings.models import EntryDigest, Listing
from parties.models import Subject


def reduced(listing):
    """What of an entry in force is digested, as plain JSON values."""
    return {
        "id": str(listing.public_id),
        "list": listing.kind,
        "subject": _subject(listing.subject),
        "category": listing.category.code,
        "misconduct": listing.misconduct.code if listing.misconduct else None,
        "degree": listing.degree or None,
        "department": listing.department.code,
        "document": _document(listing),
        "ground": listing.ground,
        "measures": _measures(listing),
        "published_on": text_of(listing.published_on),
        "visible_until": text_of(listing.visible_until),
        "disputed": listing.disputed,
        "version": listing.version,
    }


def _subject(subject):
    named = {"kind": subject.kind, "code": subject.code, "region": subject.region}
    return named if subject.kind == Subject.Kind.PERSON else {**named, "name": subject.name}


def _document(listing):
    if listing.kind == "red":
        return None
    return {
        "number": listing.document_number or None,
        "kind": listing.document_kind or None,
        "organ": listing.document_organ or None,
        "date": text_of(listing.document_date),
    }


def _measures(listing):
    last = text_of(listing.visible_until)
    return [
        {
            "code": row["code"],
            "unit": row["unit"],
            "article": row["article"],
            "advisory": row["advisory"],
            "until": listing.measure_until.get(row["code"]) or last,
        }
        for row in (listing.measure_set.measures if listing.measure_set else ())
    ]


def entry_digest(listing):
    """The 32 bytes that stand for an entry in the digest of its list."""
    return hashlib.sha256(canonical(reduced(listing))).digest()


def keep_digests(entries):
    """Bring the digests in line with what is about to be told of these entries.

    In the transaction of the act, before the head is locked. Of what ends, the digest goes.
    """
    told = {entry.listing.pk: entry for entry in entries if entry.action != "erase"}
    known = [pk for pk, entry in told.items() if entry.action != "publish"]
    if known:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {_TABLE} WHERE listing_id = ANY(%s)", [known])  # noqa: S608
    on_list = [entry.listing for entry in told.values() if entry.action not in Listing.ENDINGS]
    if on_list:
        _copy_in(on_list)


_TABLE = EntryDigest._meta.db_table


def _copy_in(listings):
    """COPY the digests of published entries; no value needs escaping but the bytes."""
    lines = (
        f"{row.pk}\t{row.public_id}\t{row.kind}\t{row.visible_until}\t"
        rf"\\x{entry_digest(row).hex()}"
        for row in listings
    )
    columns = "listing_id, public_id, kind, visible_until, digest"
    with connection.cursor() as cursor:
        text = io.StringIO("\n".join(lines))
        cursor.copy_expert(f"COPY {_TABLE} ({columns}) FROM STDIN", text)


def list_digest(today, kind=None):
    """(how many entries, hexadecimal digest) of what is on a list today; of both without `kind`.

    To be read in the same moment as the head that it belongs to.
    """
    rows = EntryDigest.objects.effective(today, kind).values("public_id", "digest")
    sql, given = rows.order_by().query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*), encode(
                sha256(coalesce(string_agg(digest, ''::bytea ORDER BY public_id), '')), 'hex')
            FROM ({sql}) AS effective
            """,  # noqa: S608 - made of the queryset's own SQL, which has its values apart
            given,
        )
        return cursor.fetchone()
