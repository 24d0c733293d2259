from django.apps import AppConfig


class PedsiteConfig(AppConfig):
    name = "pedsite"
    label = "pedsite"

    def ready(self) -> None:
        # Django needs the Celery app to exist before any shared_task is called,
        # and the checks to be registered before it runs them.
        from pedsite import celery, checks  # noqa: F401
