from django.urls import path

from tipoffs import views
from tipoffs.desk import reports, vault

public = [
    path("reports/new/", views.new, name="report-new"),
    path("reports/track/", views.track, name="report-track"),
]

desk = [
    path("reports/", reports.reports, name="desk-reports"),
    path("reports/<uuid:public_id>/", reports.report, name="desk-report"),
    path(
        "reports/<uuid:public_id>/documents/<uuid:document_id>/",
        reports.document,
        name="desk-report-document",
    ),
    path("vault/", vault.vault, name="desk-vault"),
    path("vault/openings/", vault.openings, name="desk-vault-openings"),
    path("vault/reports/<uuid:public_id>/", vault.identity, name="desk-vault-report"),
]
