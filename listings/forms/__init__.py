"""What is filled in about entries, about their subjects, and about other cities."""

from listings.forms.entries import (
    ApproveForm,
    CorrectForm,
    EntryForm,
    FindForm,
    PublishForm,
    RejectForm,
    ReleaseForm,
    WithdrawForm,
)
from listings.forms.exchange import CityForm, CityNoteForm, ExchangeFileForm
from listings.forms.subjects import (
    NO_SUBJECT,
    ApproveSubjectForm,
    MergeForm,
    RenameForm,
    SubjectFindForm,
)

__all__ = [
    "NO_SUBJECT",
    "ApproveForm",
    "ApproveSubjectForm",
    "CityForm",
    "CityNoteForm",
    "CorrectForm",
    "EntryForm",
    "ExchangeFileForm",
    "FindForm",
    "MergeForm",
    "PublishForm",
    "RejectForm",
    "ReleaseForm",
    "RenameForm",
    "SubjectFindForm",
    "WithdrawForm",
]
