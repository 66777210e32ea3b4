from django.urls import path

from objections import api as machines
from objections import desk as officers
from objections import views

public = [
    path("objections/new/", views.new, name="objection-new"),
    path("objections/track/", views.track, name="objection-track"),
    path("objections/track/reply.pdf", views.letter, name="objection-letter"),
    path(
        "objections/track/letters/<uuid:letter_id>/",
        views.one_letter,
        name="objection-track-letter",
    ),
    path("objections/track/supplement/", views.supplement, name="objection-supplement"),
]

desk = [
    path("objections/", officers.objections, name="desk-objections"),
    path("objections/new/", officers.new, name="desk-objection-new"),
    path("objections/<uuid:public_id>/", officers.objection, name="desk-objection"),
    path(
        "objections/<uuid:public_id>/documents/<uuid:document_id>/",
        officers.document,
        name="desk-objection-document",
    ),
    path("objections/<uuid:public_id>/reply.pdf", officers.letter, name="desk-objection-letter"),
]

api = [
    path("objections/", machines.Objections.as_view(), name="api-objections"),
    path("objections/<slug:number>/reply/", machines.Reply.as_view(), name="api-objection-reply"),
    path(
        "objections/<slug:number>/approve/",
        machines.ApproveReply.as_view(),
        name="api-objection-approve",
    ),
]
