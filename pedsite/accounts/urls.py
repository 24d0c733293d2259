from django.contrib.auth import views as auth
from django.urls import path, reverse_lazy

from pedsite.accounts import api, views

app_name = "accounts"
urlpatterns = [
    path("account/keys/", views.key_list, name="keys"),
    path("account/keys/<int:key_id>/revoke/", views.key_revoke, name="key-revoke"),
    path(
        "account/password/",
        auth.PasswordChangeView.as_view(
            template_name="accounts/password.html",
            success_url=reverse_lazy("accounts:password-set"),
        ),
        name="password",
    ),
    path(
        "account/password/set/",
        auth.PasswordChangeDoneView.as_view(template_name="accounts/password_set.html"),
        name="password-set",
    ),
]
api_urlpatterns = [
    path("keys", api.KeysApi.as_view(), name="keys"),
    path("keys/<int:key_id>", api.KeyApi.as_view(), name="key"),
]
