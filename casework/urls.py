from django.urls import path

from casework import desk as staff
from casework import views

public = [
    path("proof/", views.proof, name="proof"),
]

desk = [
    path("letters/<uuid:public_id>/", staff.letter, name="desk-letter"),
    path("letters/<uuid:public_id>/served/", staff.serve, name="desk-letter-serve"),
]
