"""Why a webhook cannot be had, and why a message did not arrive."""

from django.utils.translation import gettext as _

from pedsite.api import DomainError


class WebhooksOff(DomainError):
    code = "webhooks-off"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            _(
                "This site sends nothing anywhere. Whoever runs it can let webhooks out with "
                "PEDSITE_WEBHOOK_ALLOW."
            )
        )


class UnknownWebhook(DomainError):
    code = "not_found"
    status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such webhook, or it is not yours."))


class UnknownDelivery(DomainError):
    code = "not_found"
    status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such message."))


class BadAddress(DomainError):
    code = "bad-address"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class TooManyWebhooks(DomainError):
    code = "too-many-webhooks"
    status = 409

    def __init__(self, most: int) -> None:
        super().__init__(_("You have %(most)s webhooks; delete one first.") % {"most": most})


class WebhookIsOff(DomainError):
    code = "webhook-is-off"
    status = 409

    def __init__(self) -> None:
        super().__init__(_("This webhook is turned off. Turn it on first."))


class Unreachable(Exception):
    """A message did not arrive; the text says why, to the owner of the webhook."""
