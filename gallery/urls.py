from django.urls import include, path, re_path

from gallery import (
    access_api,
    access_views,
    api,
    caption_urls,
    curation_urls,
    import_api,
    import_views,
    media,
    views,
)

app_name = "gallery"
access_patterns = [
    path("users/", access_views.user_list, name="users"),
    path("users/new/", access_views.user_new, name="user-new"),
    path("users/grants/", access_views.grants, name="grants"),
    path("users/grants/<int:pk>/remove/", access_views.grant_remove, name="grant-remove"),
    path("users/<int:pk>/", access_views.user, name="user"),
    path("users/<int:pk>/change/", access_views.user_change, name="user-change"),
]
urlpatterns = [
    # A namespace of its own: the pages belong to no section.
    path("", include((access_patterns, "access"))),
    path("datasets/", views.dataset_list, name="dataset-list"),
    path("datasets/<str:name>/", views.dataset_detail, name="dataset"),
    *curation_urls.urlpatterns,
    *caption_urls.urlpatterns,
    path("imports/", import_views.import_list, name="import-list"),
    path("imports/new/", import_views.import_new, name="import-new"),
    path("imports/<int:import_id>/", import_views.import_detail, name="import"),
    path("imports/<int:import_id>/check/", import_views.import_check, name="import-check"),
    path("imports/<int:import_id>/confirm/", import_views.import_confirm, name="import-confirm"),
    path("imports/<int:import_id>/remove/", import_views.import_remove, name="import-remove"),
    path("imports/<int:import_id>/undo/", import_views.import_undo, name="import-undo"),
    re_path(
        r"^imports/(?P<import_id>[0-9]{1,18})/result\.(?P<ending>json|csv)\Z",
        import_views.import_result,
        name="import-result",
    ),
    path(
        "imports/uploads/<int:upload_id>/remove/", import_views.upload_remove, name="upload-remove"
    ),
    path("pictures/boxes/<int:box_id>.jpg", media.crop, name="crop"),
    path("pictures/images/<int:image_id>.jpg", media.frame, name="frame"),
]
api_urlpatterns = [
    path("users", access_api.UsersApi.as_view(), name="users"),
    path("users/<int:pk>", access_api.UserApi.as_view(), name="user"),
    path("grants", access_api.GrantsApi.as_view(), name="grants"),
    path("grants/<int:pk>", access_api.GrantApi.as_view(), name="grant"),
    path("datasets", api.DatasetListApi.as_view(), name="datasets"),
    *curation_urls.api_urlpatterns,
    *caption_urls.api_urlpatterns,
    path("uploads", import_api.UploadListApi.as_view(), name="uploads"),
    path("uploads/<int:upload_id>", import_api.UploadApi.as_view(), name="upload"),
    path("imports", import_api.ImportListApi.as_view(), name="imports"),
    path("imports/<int:import_id>", import_api.ImportApi.as_view(), name="import"),
    path("imports/<int:import_id>/check", import_api.CheckApi.as_view(), name="import-check"),
    path("imports/<int:import_id>/confirm", import_api.ConfirmApi.as_view(), name="import-confirm"),
    path("imports/<int:import_id>/undo", import_api.UndoApi.as_view(), name="import-undo"),
    path("imports/<int:import_id>/result", import_api.ResultApi.as_view(), name="import-result"),
]
