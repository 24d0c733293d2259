from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    name = "pedsite.idempotency"
    label = "idempotency"
