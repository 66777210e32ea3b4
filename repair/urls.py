from django.urls import path

from repair import api as machines
from repair import desk as officers
from repair import views

public = [
    path("repair/new/", views.new, name="repair-new"),
    path("repair/track/", views.track, name="repair-track"),
    path("repair/track/letters/<uuid:letter_id>/", views.letter, name="repair-track-letter"),
]

desk = [
    path("repairs/", officers.repairs, name="desk-repairs"),
    path("repairs/new/", officers.new, name="desk-repair-new"),
    path("repairs/<uuid:public_id>/", officers.repair, name="desk-repair"),
    path(
        "repairs/<uuid:public_id>/documents/<uuid:document_id>/",
        officers.document,
        name="desk-repair-document",
    ),
]

api = [
    path("repairs/", machines.Repairs.as_view(), name="api-repairs"),
    path("repairs/<slug:number>/accept/", machines.Accept.as_view(), name="api-repair-accept"),
    path("repairs/<slug:number>/decide/", machines.Decide.as_view(), name="api-repair-decide"),
    path(
        "repairs/<slug:number>/approve/",
        machines.ApproveDecision.as_view(),
        name="api-repair-approve",
    ),
]
