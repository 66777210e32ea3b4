"""What is filled in to object, to handle an objection and to answer it."""

from objections.forms.file import ObjectionForm, PaperForm, TargetForm, shown_values
from objections.forms.handle import (
    ApproveForm,
    AskForm,
    AttachForm,
    ExtendForm,
    FindForm,
    ForwardForm,
    InvestigateForm,
    ReturnForm,
    SupplementForm,
)
from objections.forms.reply import ReplyForm

__all__ = [
    "ApproveForm",
    "AskForm",
    "AttachForm",
    "ExtendForm",
    "FindForm",
    "ForwardForm",
    "InvestigateForm",
    "ObjectionForm",
    "PaperForm",
    "ReplyForm",
    "ReturnForm",
    "SupplementForm",
    "TargetForm",
    "shown_values",
]
