from django.urls import path

from pedsite.audit import api, views

app_name = "audit"
urlpatterns = [
    path("audit/", views.entry_list, name="list"),
    path("audit/<int:pk>/", views.entry, name="entry"),
    path("audit/export.<str:form>", views.export, name="export"),
]
api_urlpatterns = [
    path("audit", api.EntriesApi.as_view(), name="audit"),
    path("audit/chain", api.ChainApi.as_view(), name="audit-chain"),
    path("audit/<int:pk>", api.EntryApi.as_view(), name="audit-entry"),
]
