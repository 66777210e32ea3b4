from django.urls import path

from jointaction import api as machines
from jointaction import views
from jointaction.desk import checks, endpoints, pushes, sheets

public = [
    path(".well-known/receipt-keys.json", views.receipt_keys, name="receipt-keys"),
]

desk = [
    path("pushes/", pushes.pushes, name="desk-pushes"),
    path("pushes/acknowledge/", pushes.acknowledge_many, name="desk-push-acknowledge-many"),
    path("pushes/answer/", pushes.answer_many, name="desk-push-answer-many"),
    path("pushes/<uuid:public_id>/", pushes.push, name="desk-push"),
    path("pushes/<uuid:public_id>/acknowledge/", pushes.acknowledge, name="desk-push-acknowledge"),
    path("pushes/<uuid:public_id>/answer/", pushes.answer, name="desk-push-answer"),
    path("pushes/<uuid:public_id>/order/", pushes.order, name="desk-push-order"),
    path("checks/", checks.checks, name="desk-checks"),
    path("checks/<uuid:public_id>/", checks.check, name="desk-check"),
    path("checks/<uuid:public_id>/receipt/", checks.receipt, name="desk-check-receipt"),
    path("sheets/", sheets.sheets, name="desk-sheets"),
    path("sheets/template/", sheets.template, name="desk-sheet-template"),
    path("sheets/<uuid:public_id>/", sheets.sheet, name="desk-sheet"),
    path("sheets/<uuid:public_id>/result/", sheets.result, name="desk-sheet-result"),
    path("endpoints/", endpoints.endpoints, name="desk-endpoints"),
    path("endpoints/<uuid:public_id>/", endpoints.endpoint, name="desk-endpoint"),
    path("deliveries/<uuid:public_id>/redeliver/", endpoints.redeliver, name="desk-delivery-again"),
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
    path("checks/<uuid:public_id>/receipt/", machines.Receipt.as_view(), name="api-check-receipt"),
    path("receipts/verify/", machines.VerifyReceipt.as_view(), name="api-receipt-verify"),
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
    path("endpoints/", machines.Endpoints.as_view(), name="api-endpoints"),
    path("endpoints/<uuid:public_id>/", machines.EndpointDetail.as_view(), name="api-endpoint"),
    path("endpoints/<uuid:public_id>/ping/", machines.Ping.as_view(), name="api-endpoint-ping"),
    path(
        "endpoints/<uuid:public_id>/rotate/", machines.Rotate.as_view(), name="api-endpoint-rotate"
    ),
    path(
        "endpoints/<uuid:public_id>/disable/",
        machines.Disable.as_view(),
        name="api-endpoint-disable",
    ),
    path(
        "endpoints/<uuid:public_id>/enable/", machines.Enable.as_view(), name="api-endpoint-enable"
    ),
    path(
        "endpoints/<uuid:public_id>/replay/", machines.Replay.as_view(), name="api-endpoint-replay"
    ),
    path(
        "endpoints/<uuid:public_id>/deliveries/",
        machines.Deliveries.as_view(),
        name="api-endpoint-deliveries",
    ),
    path(
        "deliveries/<uuid:public_id>/redeliver/",
        machines.Redeliver.as_view(),
        name="api-delivery-redeliver",
    ),
]
