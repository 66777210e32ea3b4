from django.urls import path

from blacklist import desk as staff
from blacklist import views

public = [
    path("black/", views.black_list, name="black-list"),
    path("black/<uuid:public_id>/", views.black_entry, name="black-entry"),
]

desk = [
    path("black/new/", staff.draft, name="desk-listing-black-new"),
    path("black/<uuid:public_id>/", staff.entry, name="desk-listing-black"),
    path("black/<uuid:public_id>/edit/", staff.edit, name="desk-listing-black-edit"),
    path("black/<uuid:public_id>/notice/", staff.notice, name="desk-listing-black-notice"),
    path("black/<uuid:public_id>/publish/", staff.publish, name="desk-listing-black-publish"),
]
