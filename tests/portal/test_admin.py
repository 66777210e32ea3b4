"""Cases are looked at in the back office, never touched there."""

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from jointaction import services as jointaction
from jointaction.models import Check, Feedback, Hit, Push, Sheet
from listings.models import (
    AdverseRecord,
    Change,
    ExchangeFile,
    ImportBatch,
    Listing,
    PartnerCity,
    Proposal,
)
from notices.models import Notice
from objections.models import Objection
from parties.models import Actor, User
from redlist.models import Nomination, Screening
from repair.models import Repair
from tests import builders

CASES = (
    Listing, Proposal, Change, AdverseRecord, ImportBatch, Nomination, Screening, Push, Feedback,
    Check, Hit, Sheet, Objection, Repair, Notice, PartnerCity, ExchangeFile,
)  # fmt: skip


@pytest.fixture
def office(client, rules):
    root = User.objects.create_superuser("root", password=None, full_name="示例管理员")
    return builders.signed_in(client, root)


@pytest.fixture
def cases(rules):
    today = timezone.localdate()
    listing = builders.published_black()
    builders.red_published()
    jointaction.distribute(today=today)
    push = Push.objects.get(unit__code="ggzy", listing=listing)
    liaison = Actor.of(builders.liaison("ggzy"))
    answers = [{"code": push.measures[0]["code"], "outcome": "applied"}]
    jointaction.answer(push, answers, actor=liaison, today=today)
    asked = [{"code": listing.subject.code}]
    jointaction.check(asked, actor=liaison, purpose="审查", reference="1", today=today)
    builders.sheet((listing.subject.code,))
    builders.objection(listing)
    builders.repair()
    builders.partner_city()


@pytest.mark.parametrize("model", CASES)
def test_a_case_can_be_seen_but_not_changed_in_the_back_office(office, cases, model):
    assert model in admin.site._registry
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert office.get(reverse(f"{name}_changelist")).status_code == 200
    assert office.get(reverse(f"{name}_add")).status_code == 403
    row = model.objects.first()
    if row is None:
        return
    page = office.get(reverse(f"{name}_change", args=[row.pk]))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert office.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 403
    assert office.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
