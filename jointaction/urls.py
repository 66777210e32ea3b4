from django.urls import path

from jointaction import api as machines
from jointaction.desk import checks, pushes

desk = [
    path("pushes/", pushes.pushes, name="desk-pushes"),
    path("pushes/acknowledge/", pushes.acknowledge_many, name="desk-push-acknowledge-many"),
    path("pushes/<uuid:public_id>/", pushes.push, name="desk-push"),
    path("pushes/<uuid:public_id>/acknowledge/", pushes.acknowledge, name="desk-push-acknowledge"),
    path("pushes/<uuid:public_id>/answer/", pushes.answer, name="desk-push-answer"),
    path("pushes/<uuid:public_id>/order/", pushes.order, name="desk-push-order"),
    path("checks/", checks.checks, name="desk-checks"),
    path("checks/<uuid:public_id>/", checks.check, name="desk-check"),
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
