from django.urls import path

from blacklist import views

public = [
    path("black/", views.black_list, name="black-list"),
    path("black/<uuid:public_id>/", views.black_entry, name="black-entry"),
]
