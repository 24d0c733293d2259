import pytest

from pedsite.webhooks import outbox
from tests.pedsite.webhooks.receiver import HOME, listening


@pytest.fixture
def receiver(settings):
    """A program that hears what is delivered; this machine may be reached."""
    settings.PEDSITE_WEBHOOK_ALLOW = HOME
    with listening() as receiver:
        yield receiver


@pytest.fixture
def queue(monkeypatch):
    """Ids of the messages for which workers were asked, instead of workers."""
    sent: list[str] = []
    monkeypatch.setattr(outbox, "send", lambda pk: sent.append(str(pk)))
    monkeypatch.setattr(outbox, "send_sweep", lambda: sent.append("sweep"))
    return sent
