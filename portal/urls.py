from django.urls import path

from portal import api as machines
from portal import desk as staff
from portal import views

public = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("search/hints/", views.hints, name="search-hints"),
    path("subjects/<str:code>/", views.subject, name="subject"),
    path("subjects/<str:code>/report/", views.make_report, name="subject-report"),
    path("credit-reports/<str:code>/", views.report, name="credit-report"),
    path("credit-reports/<str:code>/report.pdf", views.report_file, name="credit-report-file"),
    path("statistics/", views.statistics, name="statistics"),
    path("memoranda/", views.memoranda, name="memoranda"),
    path("memoranda/<uuid:public_id>/", views.memorandum, name="memorandum"),
    path("verify/", views.verify, name="verify"),
    path("verify/<str:code>/", views.verify_code, name="verify-code"),
    path("about/", views.about, name="about"),
    path("accessibility/", views.accessibility, name="accessibility"),
    path("display/", views.display, name="display"),
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("robots.txt", views.robots, name="robots"),
    path("sitemap.xml", views.sitemap, name="sitemap"),
]

desk = [
    path("", staff.home, name="desk-home"),
    path("views/", staff.views, name="desk-views"),
    path("views/<uuid:public_id>/", staff.view, name="desk-view"),
    path("board/", staff.board, name="desk-supervision"),
    path("journal/", staff.journal, name="desk-journal"),
    path("board/file/", staff.board_file, name="desk-board-file"),
    path("imports/", staff.imports, name="desk-imports"),
    path("imports/new/", staff.import_new, name="desk-import-new"),
    path("imports/<uuid:public_id>/", staff.import_batch, name="desk-import"),
    path(
        "imports/<uuid:public_id>/rejected.xlsx", staff.import_rejected, name="desk-import-rejected"
    ),
]

api = [
    path("listings/", machines.Entries.as_view(), name="api-listings"),
    path("listings/<uuid:public_id>/publish/", machines.Publish.as_view(), name="api-publish"),
    path("imports/", machines.Imports.as_view(), name="api-imports"),
    path("imports/<uuid:public_id>/", machines.ImportDetail.as_view(), name="api-import"),
    path(
        "imports/<uuid:public_id>/rejected.xlsx",
        machines.ImportRejected.as_view(),
        name="api-import-rejected",
    ),
]
