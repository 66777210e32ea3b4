from django.urls import path

from parties.desk import account, keys

desk = [
    path("account/", account.account, name="desk-account"),
    path("account/password/", account.password, name="desk-password"),
    path("account/codes/", account.codes, name="desk-codes"),
    path("account/enrol/", account.enrol, name="desk-enrol"),
    path("keys/", keys.keys, name="desk-keys"),
    path("keys/<slug:prefix>/", keys.key, name="desk-key"),
]
