"""Which subject is meant, and what is to change about it."""

import uuid

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from casework.forms import ActForm, DateInput, UnshownInput, WordsField
from parties import identity
from parties.models import Subject


class SubjectFindForm(forms.Form):
    """Which subject's page to open; persons have a number of their own on it, and no other."""

    q = forms.CharField(
        label=_("统一社会信用代码，或者主体编号"),
        max_length=60,
        help_text=_("主体编号在主体页上。"),
        error_messages={"required": _("填写统一社会信用代码，或者主体编号")},
    )

    def clean_q(self):
        return _subject_of(self.cleaned_data["q"].strip())


def _subject_of(text):
    """The record that counts under a code or the subject's own number. Raises ValidationError."""
    try:
        which = {"public_id": uuid.UUID(text)}
    except ValueError:
        which = {"code": identity.check_code(text)}
    found = Subject.objects.select_related("merged_into").filter(**which).first()
    if found is None:
        raise ValidationError(NO_SUBJECT, code="no_subject")
    return found.kept


NO_SUBJECT = _("平台上没有这个主体。")


class RenameForm(ActForm):
    """The new name, since when, and how one knows."""

    name = forms.CharField(
        label=_("新名称"), max_length=200, error_messages={"required": _("填写新名称")}
    )
    changed_on = forms.DateField(
        label=_("变更日期"),
        widget=DateInput,
        help_text=_("登记机关核准变更的日期。"),
        error_messages={"required": _("填写变更日期")},
    )
    note = WordsField(
        label=_("依据"),
        help_text=_("例如变更登记通知书的文号。"),
        error_messages={"required": _("填写依据")},
    )


class MergeForm(ActForm):
    """Which record counts from now on, and how one knows that both are one subject."""

    into = forms.CharField(
        label=_("并入哪个主体"),
        max_length=60,
        help_text=_("今后以它为准。填它的统一社会信用代码，自然人填主体编号。"),
        error_messages={"required": _("填写统一社会信用代码，或者主体编号")},
    )
    note = WordsField(
        label=_("依据"),
        help_text=_("怎样确认两个是同一主体。"),
        error_messages={"required": _("填写依据")},
    )

    def clean_into(self):
        return _subject_of(self.cleaned_data["into"].strip())


class ApproveSubjectForm(ActForm):
    """Nothing to fill in, but for a person's new name: no page shows it, so it is given again."""

    name = forms.CharField(
        label=_("再填一次新姓名"),
        max_length=200,
        widget=UnshownInput,
        help_text=_("按证明材料填写，和提出时填的一样才通过。"),
        error_messages={"required": _("填写新姓名")},
    )

    def __init__(self, *args, change, **kwargs):
        super().__init__(*args, **kwargs)
        if not (change.subject.is_person and change.action == change.Action.RENAME):
            del self.fields["name"]
