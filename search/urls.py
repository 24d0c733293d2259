from django.urls import path

from search import api, batch_api, result_views, saved_api, views

app_name = "search"
urlpatterns = [
    path("search/", views.search, name="search"),
    path("search/export/<str:form>/", result_views.export, name="export"),
    path("searches/", result_views.saved_list, name="saved-list"),
    path("searches/save/", result_views.save, name="save"),
    path("searches/<int:pk>/seen/", result_views.mark_seen, name="saved-seen"),
    path("searches/<int:pk>/delete/", result_views.forget, name="saved-delete"),
    path("search/retry/", views.retry, name="retry"),
    path("search/picture/", views.picture, name="picture"),
    path("search/pictures/<str:token>/", views.shown_picture, name="shown-picture"),
    path("boxes/<int:box_id>/", views.box, name="box"),
]
api_urlpatterns = [
    path("search", api.SearchApi.as_view(), name="search"),
    path("search/batch", batch_api.BatchApi.as_view(), name="search-batch"),
    path("searches", saved_api.SavedSearchesApi.as_view(), name="saved-searches"),
    path("searches/<int:pk>", saved_api.SavedSearchApi.as_view(), name="saved-search"),
    path(
        "searches/<int:pk>/seen", saved_api.SavedSearchSeenApi.as_view(), name="saved-search-seen"
    ),
    path("search/retry", api.RetryApi.as_view(), name="search-retry"),
]
