from django.urls import path

from search import api, batch_api, views

app_name = "search"
urlpatterns = [
    path("search/", views.search, name="search"),
    path("search/retry/", views.retry, name="retry"),
    path("search/picture/", views.picture, name="picture"),
    path("search/pictures/<str:token>/", views.shown_picture, name="shown-picture"),
    path("boxes/<int:box_id>/", views.box, name="box"),
]
api_urlpatterns = [
    path("search", api.SearchApi.as_view(), name="search"),
    path("search/batch", batch_api.BatchApi.as_view(), name="search-batch"),
    path("search/retry", api.RetryApi.as_view(), name="search-retry"),
]
