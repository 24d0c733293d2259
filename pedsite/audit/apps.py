from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "pedsite.audit"
    label = "audit"
    verbose_name = _("Audit log")

    def ready(self) -> None:
        # Connects Django's signals about logging in.
        from pedsite.audit import logins  # noqa: F401
