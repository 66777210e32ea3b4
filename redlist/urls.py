from django.urls import path

from redlist import desk as staff
from redlist import views

public = [
    path("red/", views.red_list, name="red-list"),
    path("red/notices/", views.red_notices, name="red-notices"),
    path("red/<uuid:public_id>/", views.red_entry, name="red-entry"),
]

desk = [
    path("red/new/", staff.draft, name="desk-listing-red-new"),
    path("red/<uuid:public_id>/", staff.entry, name="desk-listing-red"),
    path("red/reviews/<uuid:public_id>/", staff.review, name="desk-red-review"),
    path("red/<uuid:public_id>/edit/", staff.edit, name="desk-listing-red-edit"),
    path("red/<uuid:public_id>/publish/", staff.publish, name="desk-listing-red-publish"),
]
