"""The draft of a red entry: who put the subject forward, and the public notice."""

from django import forms
from django.utils.translation import gettext_lazy as _

from casework.forms import DateInput
from listings.forms import EntryForm
from redlist.models import Source


class RedDraftForm(EntryForm):
    NOMINATION = ("source", "nominator", "evidence")
    NOTICE = ("public_notice_from", "public_notice_until")

    source = forms.ChoiceField(label=_("推荐来源"), choices=Source)
    nominator = forms.CharField(label=_("推荐单位"), max_length=200)
    evidence = forms.CharField(
        label=_("推荐材料"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    public_notice_from = forms.DateField(label=_("公示开始"), required=False, widget=DateInput)
    public_notice_until = forms.DateField(label=_("公示截止"), required=False, widget=DateInput)

    def __init__(self, *args, category, **kwargs):
        super().__init__(*args, category=category, **kwargs)
        self.initial.setdefault("source", category.code)

    def initial_of(self, listing):
        known, nomination = super().initial_of(listing), listing.nomination
        return {
            **known,
            **{name: getattr(nomination, name) for name in self.NOMINATION},
            "public_notice_from": nomination.notice_from,
            "public_notice_until": nomination.notice_until,
        }

    def clean(self):
        cleaned = super().clean()
        given = [name for name in self.NOTICE if cleaned.get(name)]
        for name in set(self.NOTICE) - set(given) - set(self.errors):
            if given:
                self.add_error(name, _("公示的两个日期要一起填写。"))
        return cleaned

    def values(self):
        given = self.cleaned_data
        start, end = given["public_notice_from"], given["public_notice_until"]
        return {
            **super().values(),
            **{name: given[name] for name in self.NOMINATION},
            "public_notice": {"from": start, "until": end} if start else None,
        }

    @property
    def nomination_part(self):
        return self.part(*self.NOMINATION)

    @property
    def notice_part(self):
        return self.part(*self.NOTICE)
