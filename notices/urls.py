from django.urls import path

from notices import desk as staff

desk = [
    path("notices/", staff.inbox, name="desk-notices"),
    path("notices/read/", staff.read, name="desk-notices-read"),
]
