from django.urls import path

from listings import api as machines
from listings.desk import daily, exchange, subjects, versions
from listings.desk import entries as staff

change = "subject-changes/<uuid:public_id>/"
desk = [
    path("daily/", daily.daily, name="desk-daily"),
    path("listings/", staff.listings, name="desk-listings"),
    path("listings/<uuid:public_id>/correct/", staff.correct, name="desk-listing-correct"),
    path("listings/<uuid:public_id>/withdraw/", staff.withdraw, name="desk-listing-withdraw"),
    path(
        "listings/<uuid:public_id>/persons/<uuid:person_id>/release/",
        staff.release,
        name="desk-listing-release",
    ),
    path("listings/<uuid:public_id>/versions/", versions.versions, name="desk-listing-versions"),
    path("listings/<uuid:public_id>/lifting/", staff.lift, name="desk-listing-lift"),
    path("proposals/<uuid:public_id>/", staff.proposal, name="desk-listing-proposal"),
    path("proposals/<uuid:public_id>/approve/", staff.approve, name="desk-listing-approve"),
    path("proposals/<uuid:public_id>/reject/", staff.reject, name="desk-listing-reject"),
    path("subjects/", subjects.find, name="desk-subjects"),
    path("subjects/<uuid:public_id>/", subjects.subject, name="desk-subject"),
    path("subjects/<uuid:public_id>/rename/", subjects.rename, name="desk-subject-rename"),
    path("subjects/<uuid:public_id>/merge/", subjects.merge, name="desk-subject-merge"),
    path(f"{change}approve/", subjects.approve, name="desk-subject-approve"),
    path(f"{change}reject/", subjects.reject, name="desk-subject-reject"),
    path("exchange/", exchange.files, name="desk-exchange"),
    path("exchange/new/", exchange.register, name="desk-exchange-new"),
    path("exchange/<uuid:public_id>/", exchange.city, name="desk-exchange-city"),
]

one = "listings/<uuid:public_id>/"
api = [
    path(one, machines.ListingDetail.as_view(), name="api-listing"),
    path(f"{one}history/", machines.History.as_view(), name="api-listing-history"),
    path(f"{one}correct/", machines.Correct.as_view(), name="api-listing-correct"),
    path(f"{one}withdraw/", machines.Withdraw.as_view(), name="api-listing-withdraw"),
    path(f"{one}persons/", machines.Persons.as_view(), name="api-listing-persons"),
    path(f"{one}release/", machines.ReleasePerson.as_view(), name="api-listing-release"),
    path(f"{one}approve/", machines.Approve.as_view(), name="api-listing-approve"),
    path(f"{one}reject/", machines.Reject.as_view(), name="api-listing-reject"),
    path("changes/", machines.Changes.as_view(), name="api-changes"),
    path("snapshot/", machines.SnapshotLines.as_view(), name="api-snapshot"),
    path("snapshot/digest/", machines.SnapshotDigest.as_view(), name="api-snapshot-digest"),
    path("daily/", machines.Daily.as_view(), name="api-daily"),
    path("daily/<str:day>/", machines.DailyDetail.as_view(), name="api-daily-file"),
]
