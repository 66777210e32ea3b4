"""The draft of a black entry: what was decided, and how its subject was heard."""

from django import forms
from django.utils.translation import gettext_lazy as _

from blacklist.models import PriorNotice
from casework.forms import DateInput
from listings.forms import EntryForm
from rulebook.models import Degree

REQUIRED = ("prior_notice_served_on", "prior_notice_means", "prior_notice_defence_until")


class BlackDraftForm(EntryForm):
    DOCUMENT = ("document_number", "document_kind", "document_organ", "document_date")
    NOTICE = (
        *REQUIRED,
        "prior_notice_defence_received_on",
        "prior_notice_defence_text",
        "prior_notice_opinion",
    )
    WRITTEN = (*EntryForm.WRITTEN, "degree", *DOCUMENT)
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
        return cleaned

    def values(self):
        return {**super().values(), "prior_notice": self._notice()}

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
    def document_part(self):
        return self.part("degree", *self.DOCUMENT)

    @property
    def notice_part(self):
        return self.part(*self.NOTICE)
