"""What is filled in to object, to handle an objection and to answer it."""

from objections.forms.file import ObjectionForm, PaperForm, TargetForm, shown_values
from objections.forms.handle import (
    AttachForm,
    FindForm,
    ForwardForm,
    InvestigateForm,
    SupplementForm,
)
from objections.forms.reply import ReplyForm

__all__ = [
    "AttachForm",
    "FindForm",
    "ForwardForm",
    "InvestigateForm",
    "ObjectionForm",
    "PaperForm",
    "ReplyForm",
    "SupplementForm",
    "TargetForm",
    "shown_values",
]
