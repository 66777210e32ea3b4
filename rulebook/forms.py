"""What the back office asks for when a rule changes: why, and nothing that entries rest on."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rulebook.services import field_in_use


class RuleForm(forms.ModelForm):
    """A rule, with the reason of its change; the first version of a new rule needs none."""

    reason = forms.CharField(
        label=_("修改原因"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("写明依据和原因，例如文件名称、文号。会记入历次版本，不能再改。"),
        error_messages={"required": _("请写明修改原因。")},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = not self.instance._state.adding


class FieldFormSet(forms.BaseInlineFormSet):
    """A category's fields: what an entry holds a value of keeps its code and its type."""

    FIXED = {"code", "type"}

    def clean(self):
        super().clean()
        refused = [form["code"].initial for form in self.initial_forms if self._is_refused(form)]
        if refused:
            codes = gettext("、").join(refused)
            words = gettext("已有记录填了 %(codes)s：这一项不能删除，也不能改代码和类型。")
            raise ValidationError(words % {"codes": codes}, code="field_in_use")

    def _is_refused(self, form):
        touched = self._should_delete_form(form) or self.FIXED & set(form.changed_data)
        return touched and field_in_use(self.instance, form["code"].initial)
