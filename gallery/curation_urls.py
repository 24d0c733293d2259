"""The addresses of curation: pages, and operations of the API."""

from django.urls import path

from gallery import change_api, people_api, people_views
from gallery import curation_api as api
from gallery import curation_views as views

urlpatterns = [
    path("datasets/<str:name>/boxes/", views.boxes_change, name="boxes-change"),
    path("datasets/<str:name>/history/", views.action_list, name="history"),
    path("datasets/<str:name>/people/", people_views.people_list, name="people"),
    path("datasets/<str:name>/people/change/", people_views.people_change, name="people-change"),
    path("people/<int:identity_id>/change/", people_views.person_change, name="person-change"),
    path("actions/<int:action_id>/", views.action_detail, name="action"),
    path("actions/<int:action_id>/undo/", views.action_undo, name="action-undo"),
    path("frames/<int:image_id>/", views.frame, name="image"),
]
api_urlpatterns = [
    path("images", api.ImageListApi.as_view(), name="images"),
    path("images/<int:image_id>", api.ImageApi.as_view(), name="image"),
    path("boxes", api.BoxListApi.as_view(), name="boxes"),
    path("boxes/change", api.BoxesBulkApi.as_view(), name="boxes-change"),
    path("boxes/<int:box_id>", api.BoxEditApi.as_view(), name="box"),
    path("identities", people_api.IdentityListApi.as_view(), name="identities"),
    path("identities/<int:identity_id>", people_api.IdentityApi.as_view(), name="identity"),
    path(
        "identities/<int:identity_id>/merge", people_api.MergeApi.as_view(), name="identity-merge"
    ),
    path("identities/<int:identity_id>/part", people_api.PartApi.as_view(), name="part"),
    path("datasets/<str:name>/splits", people_api.SplitsApi.as_view(), name="splits"),
    path("actions", change_api.ActionListApi.as_view(), name="actions"),
    path("actions/<int:action_id>", change_api.ActionApi.as_view(), name="action"),
    path("actions/<int:action_id>/changes", change_api.ChangeListApi.as_view(), name="changes"),
    path("actions/<int:action_id>/undo", change_api.UndoActionApi.as_view(), name="action-undo"),
]
