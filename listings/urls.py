from django.urls import path

from listings import desk as staff

desk = [
    path("listings/", staff.listings, name="desk-listings"),
    path("listings/<uuid:public_id>/correct/", staff.correct, name="desk-listing-correct"),
    path("listings/<uuid:public_id>/withdraw/", staff.withdraw, name="desk-listing-withdraw"),
    path("proposals/<uuid:public_id>/", staff.proposal, name="desk-listing-proposal"),
    path("proposals/<uuid:public_id>/approve/", staff.approve, name="desk-listing-approve"),
    path("proposals/<uuid:public_id>/reject/", staff.reject, name="desk-listing-reject"),
]
