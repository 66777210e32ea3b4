"""What anyone may ask of a public list, and the search across both lists."""

import uuid
from dataclasses import dataclass

import django_filters
from django import forms
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from listings import ledger
from listings.models import SEARCH_LIMIT, Listing
from parties import identity
from parties import services as parties
from parties.models import Department, FormerName
from rulebook.models import Degree, ListCategory, ListKind, Misconduct

CODE_LENGTH = 18
SHOWN = 50  # of each list on the page of the joint search
TOO_SHORT = _("名称至少输入两个字")
ELSEWHERE = "other"  # registered outside the city
FEW = 5  # hits, below which names that are only alike are offered as well
CANDIDATES = 10
LIKE_A_FIRM = 4  # signs; a shorter text is near to too much
HINTS, HINTS_FROM = 8, 50  # shown, of so many entries
POOL = 300  # entries looked at for near names


def _regions():
    return [*parties.regions_within(settings.REGION), (ELSEWHERE, _("其他地区"))]


def in_force(today, *, own=False):
    """How many entries are on each list today, or how many of our own: {kind: number}.

    Counted once for each position of the ledger, which moves with every entry that comes or goes.
    """
    key = f"in_force:{ledger.head().seq}:{today}:{own}"
    counts = cache.get(key)
    if counts is None:
        rows = Listing.objects.public(today)
        rows = rows.ours() if own else rows
        found = rows.values_list("kind").annotate(n=Count("id")).order_by()
        counts = dict.fromkeys(ListKind.values, 0) | dict(found)
        cache.set(key, counts)
    return counts


class ListFilter(django_filters.FilterSet):
    """A public list narrowed by category, department, region, and name or code."""

    q = django_filters.CharFilter(
        label=_("名称或统一社会信用代码"), method="by_name_or_code", min_length=2, max_length=100
    )
    category = django_filters.ModelChoiceFilter(
        label=_("类别"),
        queryset=ListCategory.objects.none(),
        to_field_name="code",
        empty_label=_("全部"),
    )
    department = django_filters.ModelChoiceFilter(
        label=_("认定部门"),
        queryset=Department.objects.none(),
        to_field_name="code",
        empty_label=_("全部"),
    )
    region = django_filters.ChoiceFilter(
        label=_("登记地"), choices=_regions, method="by_region", empty_label=_("全部")
    )

    class Meta:
        model = Listing
        fields = ["q", "category", "department", "region"]

    def __init__(self, *args, kind, **kwargs):
        super().__init__(*args, **kwargs)
        categories = ListCategory.objects.filter(kind=kind, active=True)
        self.filters["category"].queryset = categories
        self.filters["department"].queryset = Department.objects.filter(
            categories__in=categories
        ).distinct()

    def get_form_class(self):
        form = super().get_form_class()
        for field in form.base_fields.values():
            field.widget.attrs["class"] = "in"
        form.base_fields["q"].error_messages["min_length"] = TOO_SHORT
        return form

    def by_name_or_code(self, queryset, _name, text):
        return named_or_coded(queryset, text)

    def by_region(self, queryset, _name, region):
        """By where an organisation is registered; of a person no place is told."""
        if region == ELSEWHERE:
            organisations = queryset.exclude(subject__code=None)
            return organisations.exclude(subject__region__startswith=settings.REGION[:4])
        return queryset.filter(subject__region=region)


def named_or_coded(queryset, text, *, off_list=None):
    """Entries of the firm with this code, or of the organisations whose name holds the text.

    Few are taken by their keys: those on a list through the bigrams, those of `off_list`, where
    drafts and ended entries are asked for too, name by name. Of many, the first page is soon
    found in the order that is asked for.
    """
    if _is_code(text):
        return queryset.of_code(identity.normalise_code(text))
    name = identity.normalise_name(text)
    grams = identity.bigrams(name)
    if not grams:  # every row, persons too, would hold them
        return queryset.none()
    most = SEARCH_LIMIT + 1
    keys = [pk for _day, pk, _kind in Listing.objects.first_named_like(grams, most, holding=name)]
    if off_list is not None and len(keys) < most:
        others = off_list.named(name).order_by().values_list("pk", flat=True)
        keys += others[: most - len(keys)]
    return queryset.named(name) if len(keys) == most else queryset.filter(pk__in=keys)


def _is_code(text):
    """Whether a text can only be a code, a right one or not."""
    code = identity.normalise_code(text)
    return len(code) == CODE_LENGTH and code.isascii()


ORDERS = ("published_on", "-published_on", "visible_until", "-visible_until")


class EntryFilter(django_filters.FilterSet):
    """What a machine may ask of both lists."""

    list = django_filters.ChoiceFilter(field_name="kind", choices=ListKind)
    status = django_filters.ChoiceFilter(choices=Listing.Status, method="by_status")
    category = django_filters.ModelChoiceFilter(
        queryset=ListCategory.objects.all(), to_field_name="code"
    )
    misconduct = django_filters.ModelChoiceFilter(
        queryset=Misconduct.objects.all(), to_field_name="code"
    )
    department = django_filters.ModelChoiceFilter(
        queryset=Department.objects.all(), to_field_name="code"
    )
    degree = django_filters.ChoiceFilter(choices=Degree)
    region = django_filters.CharFilter(field_name="subject__region")
    code = django_filters.CharFilter(method="by_code")
    q = django_filters.CharFilter(method="by_name_or_code", max_length=100)
    published_after = django_filters.DateFilter(field_name="published_on", lookup_expr="gt")
    published_before = django_filters.DateFilter(field_name="published_on", lookup_expr="lt")
    expiring_before = django_filters.DateFilter(method="by_last_day")
    as_of = django_filters.DateFilter(method="by_day")
    known_at = django_filters.NumberFilter(method="as_it_is", min_value=0, max_value=2**62)
    ordering = django_filters.ChoiceFilter(
        choices=[(order, order) for order in ORDERS], method="as_it_is"
    )

    # These tell nothing of what an ended entry was about.
    TELLING_NOTHING = frozenset({"list", "status"})

    class Meta:
        model = Listing
        fields = []

    def __init__(self, data, *, user, today):
        self.user, self.today = user, today
        telling = data.keys() & self.base_filters.keys() - self.TELLING_NOTHING
        rows = Listing.objects.all()
        rows = rows.readable_by(user, today) if telling else rows.known_to(user)
        super().__init__(data, queryset=rows)

    def by_status(self, queryset, _name, status):
        return queryset.with_status(status, self.today)

    def by_code(self, queryset, _name, code):
        return queryset.of_code(identity.normalise_code(code))

    def by_name_or_code(self, queryset, _name, text):
        own = Listing.objects.of_desk(self.user).exclude(status=Listing.Status.PUBLISHED)
        return named_or_coded(queryset, text, off_list=own)

    def by_last_day(self, queryset, _name, day):
        return queryset.public(self.today).ending_before(day)

    def by_day(self, queryset, _name, day):
        """What was in force on a past day: told to the own department and to who sees all.

        With `known_at`, a position of the ledger, as it was known then.
        """
        known_at = self.form.cleaned_data["known_at"]
        known_at = known_at if known_at is None else int(known_at)
        return queryset.of_desk(self.user).in_force_on(day, known_at=known_at)

    def as_it_is(self, queryset, _name, _order):
        return queryset

    def get_form_class(self):
        """A name must have two characters after folding; a shorter one would find everything."""
        form = super().get_form_class()
        form.clean_q, form.clean_known_at = _clean_q, _clean_known_at
        return form


def _clean_q(form):
    text = form.cleaned_data["q"]
    if text and len(identity.normalise_name(text)) < len("两字"):
        raise ValidationError(TOO_SHORT)
    return text


def _clean_known_at(form):
    seq = form.cleaned_data["known_at"]
    if seq is not None and not form.data.get("as_of"):
        raise ValidationError(_("只和 as_of 一起用"))
    return seq


@dataclass(frozen=True)
class Candidate:
    """A firm with entries in force that may be the one meant; only its code can tell."""

    name: str
    code: str
    reason: str


@dataclass(frozen=True)
class Found:
    """The answer of the joint search: so many of each list, and the newest of them to show."""

    black: list
    red: list
    black_total: int
    red_total: int
    capped: bool  # there are more than SEARCH_LIMIT
    candidates: list  # never counted

    @property
    def total(self):
        return self.black_total + self.red_total


class SearchForm(forms.Form):
    q = forms.CharField(
        label=_("单位名称或统一社会信用代码"),
        min_length=2,
        max_length=100,
        error_messages={
            "required": _("输入单位名称或统一社会信用代码"),
            "min_length": TOO_SHORT,
        },
    )

    def clean_q(self):
        """A text that can only be a code must be a right one: one letter off is another firm."""
        text = self.cleaned_data["q"]
        if _is_code(text):
            return identity.check_code(identity.normalise_code(text))
        if len(identity.normalise_name(text)) < len("两字"):
            raise ValidationError(TOO_SHORT)
        return text

    @property
    def code(self):
        """The code that was asked for, or None where a name was."""
        text = self.cleaned_data["q"]
        return text if len(text) == CODE_LENGTH and text.isascii() else None

    def found(self, today):
        """What is on either list today: keys first, then all of the few that are shown."""
        keys = self._keys(today)
        newest = sorted(keys[:SEARCH_LIMIT], reverse=True)
        black, red = ([pk for _day, pk, of in newest if of == kind] for kind in ("black", "red"))
        shown = Listing.objects.public(today).with_parts().marking_paused(today)
        shown = shown.in_bulk([*black[:SHOWN], *red[:SHOWN]])
        return Found(
            black=[shown[pk] for pk in black if pk in shown],
            red=[shown[pk] for pk in red if pk in shown],
            black_total=len(black),
            red_total=len(red),
            capped=len(keys) > SEARCH_LIMIT,
            candidates=self._candidates(today) if len(keys) < FEW else [],
        )

    def hints(self, today):
        """(code, name) of a few firms with entries in force that may be meant, by name."""
        if self.code:
            return []
        name = identity.normalise_name(self.cleaned_data["q"])
        rows = Listing.objects.public(today)
        keys = rows.first_named_like(identity.bigrams(name), HINTS_FROM, holding=name)
        rows = Listing.objects.filter(pk__in=[pk for _day, pk, _kind in keys])
        firms = rows.values_list("subject__code", "subject__name").distinct()
        return sorted(firms, key=lambda firm: (len(firm[1]), firm))[:HINTS]

    def _keys(self, today):
        """[(published_on, pk, kind)] of what was asked for, one more than SEARCH_LIMIT at most."""
        rows, most = Listing.objects.public(today), SEARCH_LIMIT + 1
        if self.code:
            return list(rows.of_code(self.code).values_list("published_on", "pk", "kind")[:most])
        name = identity.normalise_name(self.cleaned_data["q"])
        grams = identity.bigrams(name)  # none: every row, persons too, would hold them
        return rows.first_named_like(grams, most, holding=name) if grams else []

    def _candidates(self, today):
        """Firms that are not called so, but may be meant; none where a code was asked for."""
        if self.code:
            return []
        name = identity.normalise_name(self.cleaned_data["q"])
        found = {row.code: row for row in (*formerly_called(name, today), *near(name, today))}
        return list(found.values())[:CANDIDATES]


def formerly_called(name, today):
    """Firms with entries in force of which a former name holds the text."""
    in_force = Listing.objects.public(today).filter(subject=OuterRef("subject"))
    rows = FormerName.objects.holding(name).filter(Exists(in_force))
    rows = rows.exclude(subject__name_normalised__contains=name).order_by("subject", "-until")
    return [
        Candidate(row.subject.name, row.subject.code, _("曾用名“%(name)s”") % {"name": row.name})
        for row in rows.distinct("subject")[:CANDIDATES]
    ]


def near(name, today):
    """Firms with entries in force whose name is near, nearest first, each with the reason.

    A near name has the same brand, so that its bigrams find every one; a brand that is also
    the name of a place is shared by too many, and the trade has to meet as well.
    """
    parts = identity.parse_name(name)
    grams = identity.pairs(parts.brand)
    if len(name) < LIKE_A_FIRM or not grams:
        return []
    rows = Listing.objects.public(today)
    if parts.brand in identity.places():
        rows = rows.filter(bigrams__overlap=identity.pairs(parts.trade))
    keys = [pk for _day, pk, _kind in rows.first_named_like(grams, POOL)]
    rows = Listing.objects.filter(pk__in=keys).order_by("pk")
    rows = rows.values_list("subject__code", "subject__name", "subject__name_normalised")
    firms = [(code, called) for code, called, held in dict.fromkeys(rows) if name not in held]
    ranked = identity.rank_near(name, [called for _code, called in firms], limit=CANDIDATES)
    return [Candidate(firms[place][1], firms[place][0], why.words) for place, why in ranked]


class PickForm(forms.Form):
    """Which entry a remedy is about: by the firm's code, or by the entry's own number."""

    code = forms.CharField(
        label=_("统一社会信用代码，或者记录编号"),
        max_length=60,
        help_text=_("个人没有统一社会信用代码，请填公布页上的记录编号。"),
        error_messages={"required": _("填写统一社会信用代码，或者记录编号")},
    )

    def clean_code(self):
        text = self.cleaned_data["code"].strip()
        try:
            return uuid.UUID(text)
        except ValueError:
            return identity.check_code(text)

    def found(self, rows):
        key = self.cleaned_data["code"]
        rows = rows.filter(public_id=key) if isinstance(key, uuid.UUID) else rows.of_code(key)
        return rows.with_parts().order_by("-published_on", "-id")
