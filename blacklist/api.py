"""What a draft of the black list takes, and its door to the services."""

from rest_framework import serializers

from blacklist import services
from blacklist.models import PriorNotice
from casework.api import Strict
from listings.api import BlackFields, Choice, columns_of, subject_of
from listings.models import ResponsiblePerson
from parties.models import PaperType


class DefenceFields(Strict):
    received_on = serializers.DateField()
    text = serializers.CharField(max_length=10_000)
    opinion = serializers.CharField(max_length=10_000, required=False)


class NoticeFields(Strict):
    served_on = serializers.DateField()
    means = Choice(choices=PriorNotice.Means.choices)
    defence_until = serializers.DateField()
    defence = DefenceFields(required=False)


class PersonFields(Strict):
    name = serializers.CharField(max_length=200)
    id_type = Choice(choices=PaperType.choices)
    id_number = serializers.CharField(max_length=40)
    role = Choice(choices=ResponsiblePerson.Role.choices)
    fact = serializers.CharField(max_length=10_000)
    basis = serializers.CharField(max_length=300)
    notice = NoticeFields(required=False)
    until = serializers.DateField(required=False)


class BlackDraft(BlackFields):
    prior_notice = NoticeFields(required=False)
    responsible_persons = serializers.ListField(child=PersonFields(), max_length=50, required=False)


def draft(given, *, actor, today):
    """Write the draft that a checked body describes. Returns (entry, made)."""
    return services.draft(
        actor=actor,
        today=today,
        subject=subject_of(given["subject"]),
        category=given["category"],
        **columns_of(given),
    )
