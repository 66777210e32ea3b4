"""The draft of a black entry: the decision, how its subject was heard, measures and persons."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from blacklist.models import PriorNotice
from casework.forms import DateInput, UnshownInput, put_back
from listings.forms import EntryForm
from listings.models import ResponsiblePerson
from parties import identity
from parties.models import PaperType
from rulebook.models import Degree, Measure, MemorandumMeasure

CHOOSE = ("", _("请选择"))
LINES = forms.Textarea(attrs={"rows": 3})

REQUIRED = ("prior_notice_served_on", "prior_notice_means", "prior_notice_defence_until")


class PersonForm(forms.Form):
    """One responsible person of a draft; a row in which nothing is written names nobody.

    Whoever is named already is kept by `id`: the paper is not asked for again, nor shown.
    """

    WHO = ("name", "id_type", "id_number")
    WHAT = ("role", "fact", "basis", "until")
    SERVED = ("served_on", "means", "defence_until")
    NOTICE = (*SERVED, "defence_received_on", "defence_text", "opinion")
    KEYS = {  # what the service calls them
        "notice.served_on": "served_on",
        "notice.defence_until": "defence_until",
        "notice.defence": "defence_received_on",
    }

    id = forms.UUIDField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(label=_("姓名"), required=False, max_length=200)
    id_type = forms.ChoiceField(
        label=_("证件类型"), required=False, choices=[CHOOSE, *PaperType.choices]
    )
    id_number = forms.CharField(
        label=_("证件号码"),
        required=False,
        max_length=40,
        widget=UnshownInput,
        help_text=_("加密保存，不公布；页面退回时须重新填写"),
    )
    role = forms.ChoiceField(
        label=_("身份"), required=False, choices=[CHOOSE, *ResponsiblePerson.Role.choices]
    )
    fact = forms.CharField(label=_("责任事实"), required=False, widget=LINES)
    basis = forms.CharField(label=_("依据"), required=False, max_length=300)
    until = forms.DateField(
        label=_("截止日"),
        required=False,
        widget=DateInput,
        help_text=_("不填，就和记录一起到期"),
    )
    served_on = forms.DateField(label=_("单独告知的送达日期"), required=False, widget=DateInput)
    means = forms.ChoiceField(
        label=_("送达方式"), required=False, choices=[CHOOSE, *PriorNotice.Means.choices]
    )
    defence_until = forms.DateField(label=_("陈述申辩截止"), required=False, widget=DateInput)
    defence_received_on = forms.DateField(
        label=_("收到陈述申辩的日期"), required=False, widget=DateInput
    )
    defence_text = forms.CharField(label=_("陈述申辩意见"), required=False, widget=LINES)
    opinion = forms.CharField(label=_("对陈述申辩的答复"), required=False, widget=LINES)
    remove = forms.BooleanField(label=_("移除这个人"), required=False)

    def __init__(self, *args, person=None, number, **kwargs):
        self.person, self.number = person, number
        initial = self._initial_of(person) if person else None
        super().__init__(*args, prefix=f"persons-{number}", initial=initial, **kwargs)
        for name in self.WHO if person else ("remove",):
            del self.fields[name]

    def _initial_of(self, person):
        same = ("role", "fact", "basis", "until", "defence_until", "defence_received_on")
        known = {name: getattr(person, name) for name in (*same, "defence_text", "opinion")}
        served = {"served_on": person.notice_served_on, "means": person.notice_means}
        return {**known, **served, "id": person.public_id}

    @property
    def written(self):
        """Whether the row says anything: somebody named already, or a blank that was filled in."""
        names = [name for name in self.fields if name not in {"id", "remove"}]
        return bool(self.person) or any(self[name].data for name in names)

    def holds(self, values):
        """Whether something was typed into the row, of what is kept of a page."""
        names = (self.add_prefix(name) for name in self.fields if name not in {"id", "remove"})
        return any("".join(values.get(name, [])).strip() for name in names)

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("remove"):
            self._errors.clear()
            return cleaned
        needed = [*(() if self.person else self.WHO), "role", "fact", "basis"]
        if any(cleaned.get(name) for name in self.NOTICE):
            needed += self.SERVED
        for name in needed:
            if not cleaned.get(name) and name not in self.errors:
                message = _("请填写%(name)s。") % {"name": self.fields[name].label}
                self.add_error(name, message)
        self._check_paper(cleaned)
        return cleaned

    def _check_paper(self, cleaned):
        if not self.person and cleaned.get("id_type") and cleaned.get("id_number"):
            try:
                today = timezone.localdate()
                identity.check_paper(cleaned["id_type"], cleaned["id_number"], today)
            except ValidationError as error:
                self.add_error("id_number", error)

    def values(self):
        """What is given to the service that names the person."""
        given = self.cleaned_data
        who = {"id": given["id"]} if self.person else {name: given[name] for name in self.WHO}
        return {**who, **{name: given[name] for name in self.WHAT}, "notice": self._notice()}

    def _notice(self):
        given = self.cleaned_data
        if not given["served_on"]:
            return None
        return {
            **{name: given[name] for name in self.SERVED},
            "defence": {
                "received_on": given["defence_received_on"],
                "text": given["defence_text"],
                "opinion": given["opinion"],
            },
        }

    def part(self, *names):
        return [self[name] for name in names if name in self.fields]

    @property
    def who_part(self):
        return self.part(*self.WHO)

    @property
    def what_part(self):
        return self.part(*self.WHAT)

    @property
    def notice_part(self):
        return self.part(*self.NOTICE)

    @property
    def is_open(self):
        """Whether the row is shown unfolded: somebody was named in it, or tried to be."""
        return bool(self.person) or self.is_bound or any(map(self.initial.get, self.fields))


class MeasuresField(forms.MultipleChoiceField):
    """Measures by code; which of them fit the entry is the service's to say, in words."""

    widget = forms.CheckboxSelectMultiple

    def valid_value(self, value):
        return True


class BlackDraftForm(EntryForm):
    DOCUMENT = ("document_number", "document_kind", "document_organ", "document_date")
    NOTICE = (
        *REQUIRED,
        "prior_notice_defence_received_on",
        "prior_notice_defence_text",
        "prior_notice_opinion",
    )
    WRITTEN = (*EntryForm.WRITTEN, "degree", *DOCUMENT)
    MOST_PERSONS = 10
    BLANKS = 2
    KEYS = {
        "means": "prior_notice_means",
        "served_on": "prior_notice_served_on",
        "defence_until": "prior_notice_defence_until",
        "prior_notice.defence": "prior_notice_opinion",
    }

    degree = forms.ChoiceField(
        label=_("程度"),
        choices=Degree,
        widget=forms.RadioSelect,
        initial=Degree.SERIOUS,
        help_text=_("只有严重失信行为才能列入黑名单"),
    )
    document_number = forms.CharField(label=_("文书文号"), required=False, max_length=128)
    document_kind = forms.CharField(label=_("文书种类"), required=False, max_length=60)
    document_organ = forms.CharField(label=_("作出机关"), required=False, max_length=200)
    document_date = forms.DateField(label=_("文书日期"), required=False, widget=DateInput)
    prior_notice_served_on = forms.DateField(
        label=_("告知书送达日期"), required=False, widget=DateInput
    )
    prior_notice_means = forms.ChoiceField(
        label=_("送达方式"),
        required=False,
        choices=[("", _("请选择")), *PriorNotice.Means.choices],
    )
    prior_notice_defence_until = forms.DateField(
        label=_("陈述申辩截止"), required=False, widget=DateInput
    )
    prior_notice_defence_received_on = forms.DateField(
        label=_("收到陈述申辩的日期"), required=False, widget=DateInput
    )
    prior_notice_defence_text = forms.CharField(
        label=_("陈述申辩意见"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    prior_notice_opinion = forms.CharField(
        label=_("对陈述申辩的答复"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    measures_chosen = forms.ChoiceField(
        label=_("采取哪些措施"),
        required=False,
        choices=[("", _("备忘录规定的全部措施")), ("yes", _("只采取下面勾选的"))],
        widget=forms.RadioSelect,
    )
    measures = MeasuresField(label=_("措施"), required=False)

    def __init__(self, *args, category, listing=None, **kwargs):
        super().__init__(*args, category=category, listing=listing, **kwargs)
        self._offer_measures(listing)
        self.rows = self._person_rows(listing)

    def _offer_measures(self, listing):
        """What the memoranda in force say for the category; bans with a field for their end."""
        rows = MemorandumMeasure.objects.in_force_for(self.category, timezone.localdate())
        measures = {row.measure.code: row.measure for row in rows}
        chosen = (listing.measure_codes or []) if listing else []
        others = set(chosen) - measures.keys()
        measures |= Measure.objects.in_bulk(others, field_name="code") if others else {}
        offered = sorted(measures.items())
        self.bans = [code for code, measure in offered if measure.needs_end_date]
        self.fields["measures"].choices = [(code, str(measure)) for code, measure in offered]
        self.initial |= {"measures": chosen, "measures_chosen": "yes" if chosen else ""}
        until = listing.measure_until if listing else {}
        for code in self.bans:
            label = _("“%(measure)s”的截止日") % {"measure": measures[code]}
            field = forms.DateField(label=label, required=False, widget=DateInput)
            self.fields[f"until_{code}"] = field
            self.initial[f"until_{code}"] = until.get(code)

    def _person_rows(self, listing):
        """A form for each person named already, then blank ones; of a posted form what it says."""
        known = []
        if listing:
            known = list(listing.responsible_persons.select_related("person").order_by("pk"))
        most = max(self.MOST_PERSONS, len(known))
        if not self.is_bound:
            shown = [*known, *[None] * self.BLANKS][:most]
            return [PersonForm(person=person, number=n) for n, person in enumerate(shown)]
        by_id = {str(person.public_id): person for person in known}
        meant = [by_id.get(self.data.get(f"persons-{n}-id", "")) for n in range(most)]
        rows = [PersonForm(self.data, person=person, number=n) for n, person in enumerate(meant)]
        blanks = [PersonForm(number=row.number) for row in rows if not row.written]
        return [row for row in rows if row.written] + blanks[: self.BLANKS]

    @property
    def names_persons(self):
        """Whether the page that was posted asked for persons at all; else they stay."""
        return any(name.startswith("persons-") for name in self.data)

    @property
    def filled_in(self):
        return [*super().filled_in, *(field for row in self.rows for field in row)]

    def restore(self, kept):
        """The persons too, each in the row where it was; whom others named since comes after."""
        rows, self.rows = self.rows, []
        differ = super().restore(kept)
        self.rows = self._rows_of(kept.values, [row.person for row in rows if row.person])
        return differ

    def _rows_of(self, values, known):
        by_id = {str(person.public_id): person for person in known}
        numbers = range(max(self.MOST_PERSONS, len(known)))
        ids = {n: "".join(values.get(f"persons-{n}-id", [])) for n in numbers}
        rows = [PersonForm(person=by_id.pop(ids[n], None), number=n) for n in numbers]
        for row in rows:
            put_back(row, values)
        kept = [row for row in rows if row.person or row.holds(values)]
        blanks = [row for row in rows if row not in kept]
        for row, person in zip(blanks, by_id.values(), strict=False):
            kept.append(PersonForm(person=person, number=row.number))
        return kept + blanks[len(by_id) :][: self.BLANKS]

    def initial_of(self, listing):
        known = super().initial_of(listing)
        notice = getattr(listing, "prior_notice", None)
        if notice is None:
            return known
        return {
            **known,
            "prior_notice_served_on": notice.served_on,
            "prior_notice_means": notice.means,
            "prior_notice_defence_until": notice.defence_until,
            "prior_notice_defence_received_on": notice.defence_received_on,
            "prior_notice_defence_text": notice.defence_text,
            "prior_notice_opinion": notice.opinion,
        }

    def clean(self):
        """A notice has its day, its means and the end of the time to answer, or is not there."""
        cleaned = super().clean()
        if any(cleaned.get(name) for name in self.NOTICE):
            for name in REQUIRED:
                if not cleaned.get(name) and name not in self.errors:
                    label = self.fields[name].label
                    self.add_error(name, _("请填写%(name)s。") % {"name": label})
        if cleaned.get("measures_chosen") and not cleaned.get("measures"):
            self.add_error("measures", _("至少勾选一项措施。"))
        self._check_persons()
        return cleaned

    def _check_persons(self):
        for row in self.rows:
            if row.written and not row.is_valid():
                self._tell_of_person(row)

    def _tell_of_person(self, row):
        for errors in row.errors.values():
            for words in errors:
                told = {"n": row.number + 1, "words": words}
                self.add_error(None, _("第 %(n)s 名责任人员：%(words)s") % told)

    def values(self):
        persons = [row.values() for row in self._named()] if self.names_persons else None
        notice = self._notice()
        return {
            **super().values(),
            **self._measures(),
            "prior_notice": notice,
            "responsible_persons": persons,
        }

    def _named(self):
        return [row for row in self.rows if row.written and not row.cleaned_data.get("remove")]

    def _measures(self):
        """All that the memoranda say, or those that were ticked; of these a ban names its end."""
        given = self.cleaned_data
        chosen = given["measures"] if given["measures_chosen"] else None
        days = {code: given[f"until_{code}"] for code in self.bans}
        until = {code: day and day.isoformat() for code, day in days.items()}
        if chosen is None:
            until = {code: day for code, day in until.items() if day}
        else:
            until = {code: day for code, day in until.items() if code in chosen}
        known = self.listing.measure_until if self.listing else {}
        kept = {code: day for code, day in known.items() if code not in self.bans}
        return {"measure_codes": chosen, "measure_until": {**kept, **until}}

    def _tell(self, refusal):
        """What is refused of a person is said at the person's own row as well."""
        told = dict(refusal.error_dict) if hasattr(refusal, "error_dict") else {}
        persons = [key for key in told if key.startswith("responsible_persons.")]
        for key in persons:
            number, _dot, field = key.removeprefix("responsible_persons.").partition(".")
            row = self._named()[int(number)]
            row.add_error(PersonForm.KEYS.get(field), told.pop(key))
            self._tell_of_person(row)
        if told or not persons:
            super()._tell(ValidationError(told) if told else refusal)

    def _notice(self):
        given = self.cleaned_data
        if not given["prior_notice_served_on"]:
            return None
        return {
            "served_on": given["prior_notice_served_on"],
            "means": given["prior_notice_means"],
            "defence_until": given["prior_notice_defence_until"],
            "defence": {
                "received_on": given["prior_notice_defence_received_on"],
                "text": given["prior_notice_defence_text"],
                "opinion": given["prior_notice_opinion"],
            },
        }

    def field_for(self, key):
        return self.KEYS.get(key) or super().field_for(key)

    @property
    def measures_part(self):
        return self.part("measures_chosen", "measures")

    @property
    def bans_part(self):
        return self.part(*(f"until_{code}" for code in self.bans))

    @property
    def document_part(self):
        return self.part("degree", *self.DOCUMENT)

    @property
    def notice_part(self):
        return self.part(*self.NOTICE)
