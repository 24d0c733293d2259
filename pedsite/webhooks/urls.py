from django.urls import path

from pedsite.webhooks import api, views

app_name = "webhooks"
urlpatterns = [
    path("account/webhooks/", views.webhook_list, name="list"),
    path("account/webhooks/<int:webhook_id>/", views.webhook_detail, name="detail"),
    path("account/webhooks/<int:webhook_id>/secret/", views.webhook_rotate, name="rotate"),
    path("account/webhooks/<int:webhook_id>/ping/", views.webhook_ping, name="ping"),
    path("account/webhooks/<int:webhook_id>/on/", views.webhook_on, name="on"),
    path("account/webhooks/<int:webhook_id>/delete/", views.webhook_delete, name="delete"),
    path(
        "account/webhooks/<int:webhook_id>/deliveries/<uuid:delivery_id>/again/",
        views.delivery_again,
        name="again",
    ),
]
api_urlpatterns = [
    path("webhooks", api.WebhookListApi.as_view(), name="webhooks"),
    path("webhooks/<int:webhook_id>", api.WebhookApi.as_view(), name="webhook"),
    path("webhooks/<int:webhook_id>/secret", api.SecretApi.as_view(), name="webhook-secret"),
    path("webhooks/<int:webhook_id>/ping", api.PingApi.as_view(), name="webhook-ping"),
    path("webhooks/<int:webhook_id>/on", api.OnApi.as_view(), name="webhook-on"),
    path("webhooks/<int:webhook_id>/deliveries", api.DeliveriesApi.as_view(), name="deliveries"),
    path(
        "webhooks/<int:webhook_id>/deliveries/<uuid:delivery_id>/again",
        api.AgainApi.as_view(),
        name="delivery-again",
    ),
]
