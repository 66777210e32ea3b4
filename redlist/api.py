"""What a draft of the red list takes, and its door to the services."""

from django.utils.translation import gettext as _
from rest_framework import serializers

from casework.api import Strict
from listings.api import Choice, DraftFields, columns_of, subject_of
from redlist import services
from redlist.models import Source


class PublicNoticeFields(Strict):
    until = serializers.DateField()

    def get_fields(self):
        return {"from": serializers.DateField(), **super().get_fields()}


class RedDraft(DraftFields):
    source = Choice(choices=Source.choices, required=False)
    nominator = serializers.CharField(max_length=200)
    public_notice = PublicNoticeFields(required=False)

    def validate(self, given):
        given = super().validate(given)
        if given.get("source", given["category"].code) != given["category"].code:
            raise serializers.ValidationError({"source": [_("推荐来源和类别不一致。")]})
        return given


def draft(given, *, actor, today):
    """Write the nomination that a checked body describes. Returns (entry, made)."""
    return services.draft(
        actor=actor,
        today=today,
        subject=subject_of(given["subject"]),
        category=given["category"],
        **columns_of(given),
    )
