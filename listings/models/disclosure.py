"""Who may see what: the disclosure class of every column, and of a category's own fields.

`DISCLOSURE` is read by people and by the tests; the operator sets the class of a category's
own field in its row. What is shown of those to whom is decided by `shown_details` alone, and
when it is shown: a field that is made secret is hidden from then on, wherever it stood.
"""

from enum import Enum

from parties.models import mask_value
from rulebook.models import CategoryField

_Class = CategoryField.Disclosure


class Audience(Enum):
    """Who looks, and the classes that are theirs to see."""

    PUBLIC = frozenset({_Class.PUBLIC})
    UNIT = frozenset(
        {_Class.PUBLIC, _Class.SHARED}
    )  # a unit that the entry was put before, or that met it
    OWN = frozenset(_Class)  # its department, the supervisor and the auditor

    @classmethod
    def of(cls, user, listing, *, otherwise):
        """As whom `user` looks at an entry; `otherwise` unless it is their own matter."""
        own = user.sees_all or user.works_for(listing.department_id)
        return cls.OWN if own else otherwise


def own_fields(categories=None):
    """The fields that categories (by key; else all) have of their own: {key: [field]}, in order."""
    found, rows = {}, CategoryField.objects.order_by("category_id", "position", "pk")
    for field in rows if categories is None else rows.filter(category__in=categories):
        found.setdefault(field.category_id, []).append(field)
    return found


def shown_details(listing, audience, fields=None):
    """What `audience` may see of the category's own fields: [(field, value)], in their order.

    The public sees a masked field masked. `fields` are the `own_fields` where entries are
    many; without them the category's are asked for.
    """
    if not listing.details:
        return []
    if fields is None:
        fields = {listing.category_id: listing.category.fields.all()}
    return [
        (field, shown_value(field, value, audience))
        for field in fields.get(listing.category_id, ())
        if (value := listing.details.get(field.code)) and field.disclosure in audience.value
    ]


def shown_value(field, value, audience):
    """One value of a field that the audience may see, as it may see it."""
    return mask_value(value) if field.masked and audience is Audience.PUBLIC else value


def holds_undisclosed(listing, fields=None):
    """Whether an entry holds a value that is not for everybody."""
    mine, everybodys = (
        shown_details(listing, audience, fields) for audience in (Audience.OWN, Audience.PUBLIC)
    )
    return len(mine) > len(everybodys)


def _all(disclosure, names):
    return dict.fromkeys(names.split(), disclosure)


# Model: column: class. A person's name is public only masked (Subject.display_name).
DISCLOSURE = {
    "listings.Listing": {
        # the feed tells `id`: it is a part of what the ledger chains
        **_all(
            _Class.PUBLIC,
            "id public_id status version kind origin subject category misconduct degree department "
            "document_number document_kind document_organ document_date ground basis "
            "basis_article measure_codes measure_until measure_set term_months published_on "
            "visible_until ended_on end_reason disputed rule_version",
        ),
        **_all(_Class.SHARED, "created_at reference"),
        # `details` holds fields of every class: `shown_details` tells them apart
        **_all(_Class.SECRET, "details attested_by bigrams"),
    },
    "listings.ResponsiblePerson": {
        **_all(
            _Class.PUBLIC,
            "public_id listing person role until ended_on end_reason notice_served_on",
        ),
        **_all(_Class.SHARED, "fact basis"),
        **_all(
            _Class.SECRET,
            "id notice_means defence_until defence_received_on defence_text opinion",
        ),
    },
    "listings.AdverseRecord": {
        **_all(
            _Class.SHARED,
            "public_id origin subject department state document_number misconduct_text facts "
            "basis_text penalty_kind content fine confiscated licence decided_on valid_until "
            "public_until organ_name organ_code source_name source_code",
        ),
        **_all(_Class.SECRET, "id batch other_numbers remark content_digest created_at"),
    },
    "parties.Subject": {
        **_all(_Class.PUBLIC, "public_id kind code name region merged_into"),
        **_all(_Class.SHARED, "legal_representative"),
        **_all(
            _Class.SECRET,
            "id name_normalised paper_type paper_sealed paper_key_id paper_index "
            "paper_index_key_id created_at",
        ),
    },
    "parties.FormerName": {
        **_all(_Class.PUBLIC, "subject name until"),
        **_all(_Class.SECRET, "id name_normalised"),
    },
    "blacklist.PriorNotice": {
        **_all(_Class.PUBLIC, "listing served_on defence_until defence_received_on"),
        **_all(_Class.SECRET, "id means defence_text opinion"),
    },
    "redlist.Nomination": {
        **_all(_Class.PUBLIC, "listing source nominator notice_from notice_until"),
        **_all(_Class.SECRET, "id evidence"),
    },
}
