from django.urls import path

from pedsite.accounts import views

app_name = "accounts"
urlpatterns = [
    path("account/keys/", views.key_list, name="keys"),
    path("account/keys/<int:key_id>/revoke/", views.key_revoke, name="key-revoke"),
]
api_urlpatterns = []
