from django.urls import path

from redlist import views

public = [
    path("red/", views.red_list, name="red-list"),
    path("red/<uuid:public_id>/", views.red_entry, name="red-entry"),
]
