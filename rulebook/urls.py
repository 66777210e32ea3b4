from django.urls import path

from rulebook import api as machines

api = [
    path("categories/", machines.Categories.as_view(), name="api-categories"),
    path("bases/", machines.Bases.as_view(), name="api-bases"),
    path("measures/", machines.Measures.as_view(), name="api-measures"),
    path("memoranda/", machines.Memoranda.as_view(), name="api-memoranda"),
    path("memoranda/<uuid:public_id>/", machines.MemorandumDetail.as_view(), name="api-memorandum"),
]
