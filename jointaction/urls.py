from django.urls import path

from jointaction import api as machines
from jointaction import desk as staff

desk = [
    path("pushes/", staff.pushes, name="desk-pushes"),
    path("pushes/acknowledge/", staff.acknowledge_many, name="desk-push-acknowledge-many"),
    path("pushes/<uuid:public_id>/", staff.push, name="desk-push"),
    path("pushes/<uuid:public_id>/acknowledge/", staff.acknowledge, name="desk-push-acknowledge"),
    path("pushes/<uuid:public_id>/answer/", staff.answer, name="desk-push-answer"),
    path("checks/", staff.checks, name="desk-checks"),
    path("checks/<uuid:public_id>/", staff.check, name="desk-check"),
]

api = [
    path("pushes/", machines.Pushes.as_view(), name="api-pushes"),
    path("pushes/<uuid:public_id>/", machines.PushDetail.as_view(), name="api-push"),
    path(
        "pushes/<uuid:public_id>/subject/", machines.PushSubject.as_view(), name="api-push-subject"
    ),
    path(
        "pushes/<uuid:public_id>/acknowledge/",
        machines.Acknowledge.as_view(),
        name="api-push-acknowledge",
    ),
    path(
        "pushes/<uuid:public_id>/feedback/", machines.Feedback.as_view(), name="api-push-feedback"
    ),
    path("checks/", machines.Checks.as_view(), name="api-checks"),
    path(
        "checks/<uuid:public_id>/feedback/",
        machines.CheckFeedback.as_view(),
        name="api-check-feedback",
    ),
    path(
        "listings/<uuid:public_id>/feedback/",
        machines.ListingFeedback.as_view(),
        name="api-listing-feedback",
    ),
    path(
        "listings/<uuid:public_id>/recalls/",
        machines.Recalls.as_view(),
        name="api-listing-recalls",
    ),
]
