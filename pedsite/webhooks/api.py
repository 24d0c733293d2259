"""Webhooks for programs: make, test, change the secret, see what arrived, send again."""

import uuid

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pedsite.api import Pages
from pedsite.webhooks import hooks
from pedsite.webhooks.models import ASKED, Delivery, Event, Webhook

CHOICES = [(each.value, each.label) for each in ASKED]
SHOWN = {
    "id": 3,
    "url": "https://hooks.example/pedsite",
    "events": ["job.finished", "search.matched"],
    "is_on": True,
    "off_reason": "",
    "off_at": None,
    "failures": 0,
    "heard_at": "2026-03-14T09:30:00Z",
    "rotated_at": None,
    "created_at": "2026-03-01T08:00:00Z",
}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
MESSAGE = {
    "id": "0b0ea7a5-4b7e-4c8c-a3a5-6b8b6f1f4a10",
    "event": "job.finished",
    "data": {"job": 17, "kind": "enroll", "state": "done", "url": "/api/v1/jobs/17"},
    "state": "delivered",
    "attempts": 1,
    "status": 204,
    "problem": "",
    "created_at": "2026-03-14T09:30:00Z",
    "due_at": "2026-03-14T09:30:00Z",
    "delivered_at": "2026-03-14T09:30:01Z",
}


class WebhookOutput(serializers.ModelSerializer):
    """How a webhook is shown: everything but its secret."""

    events = serializers.ListField(child=serializers.ChoiceField(CHOICES))
    is_on = serializers.BooleanField(help_text="Whether messages are sent to it.")
    failures = serializers.IntegerField(help_text="Attempts in a row that failed.")

    class Meta:
        ref_name = "Webhook"
        model = Webhook
        fields = [*SHOWN]


class SecretOutput(serializers.Serializer):
    """The secret, this once."""

    secret = serializers.CharField(help_text="It is not stored, and not shown again.")

    class Meta:
        ref_name = "WebhookSecret"


class MadeOutput(SecretOutput, WebhookOutput):
    """A new webhook with its secret."""

    class Meta(WebhookOutput.Meta):
        ref_name = "MadeWebhook"
        fields = [*WebhookOutput.Meta.fields, "secret"]


class DeliveryOutput(serializers.ModelSerializer):
    """A message: what it tells, and what came of it."""

    event = serializers.ChoiceField(Event.choices)
    data = serializers.DictField()

    class Meta:
        ref_name = "Delivery"
        model = Delivery
        fields = [*MESSAGE]


class DeliveryPages(CursorPagination):
    """Newest first."""

    page_size = Pages.page_size
    max_page_size = Pages.max_page_size
    page_size_query_param = Pages.page_size_query_param
    ordering = ("-created_at", "-pk")


class WebhookListApi(APIView):
    """The webhooks of a user."""

    shows_secret = True

    class Input(serializers.Serializer):
        url = serializers.CharField(max_length=500, help_text="https://…, or http://…")
        events = serializers.ListField(
            child=serializers.ChoiceField(CHOICES),
            default=list,
            max_length=len(CHOICES),
            help_text="Both, if none is named.",
        )

        class Meta:
            ref_name = "MakeWebhook"

    @extend_schema(
        operation_id="webhooks",
        summary="Your webhooks",
        parameters=[OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=WebhookOutput(many=True),
        examples=[OpenApiExample("One", response_only=True, value=SHOWN)],
    )
    def get(self, request: Request) -> Response:
        pages = Pages()
        page = pages.paginate_queryset(request.user.webhooks.all(), request, view=self)
        return pages.get_paginated_response(WebhookOutput(page, many=True).data)

    @extend_schema(
        operation_id="webhook_make",
        summary="Have messages sent to an address",
        request=Input,
        responses={201: MadeOutput},
        examples=[
            OpenApiExample(
                "All events", request_only=True, value={"url": "https://hooks.example/pedsite"}
            ),
            OpenApiExample(
                "Made", response_only=True, status_codes=["201"], value={**SHOWN, "secret": SECRET}
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        data = self.Input(data=request.data)
        data.is_valid(raise_exception=True)
        wanted = data.validated_data
        made, secret = hooks.make(request.user, wanted["url"], wanted["events"])
        answer = {**WebhookOutput(made).data, "secret": secret}
        return Response(answer, status=status.HTTP_201_CREATED)


class WebhookApi(APIView):
    """One webhook."""

    @extend_schema(
        operation_id="webhook",
        summary="One webhook, and whether it is on",
        responses=WebhookOutput,
        examples=[OpenApiExample("On", response_only=True, value=SHOWN)],
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        return Response(WebhookOutput(hooks.find(request.user, webhook_id)).data)

    @extend_schema(operation_id="webhook_delete", summary="Delete a webhook", responses={204: None})
    def delete(self, request: Request, webhook_id: int) -> Response:
        hooks.find(request.user, webhook_id).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class SecretApi(APIView):
    """Another secret; for a day messages are signed with both."""

    shows_secret = True

    @extend_schema(
        operation_id="webhook_secret",
        summary="Change the secret of a webhook",
        request=None,
        responses={201: SecretOutput},
        examples=[
            OpenApiExample(
                "Shown once", response_only=True, status_codes=["201"], value={"secret": SECRET}
            )
        ],
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        secret = hooks.rotate(hooks.find(request.user, webhook_id))
        return Response({"secret": secret}, status=status.HTTP_201_CREATED)


class PingApi(APIView):
    """A test message."""

    @extend_schema(
        operation_id="webhook_ping",
        summary="Send a test message",
        request=None,
        responses={202: DeliveryOutput},
        examples=[
            OpenApiExample(
                "Queued",
                response_only=True,
                status_codes=["202"],
                value={
                    **MESSAGE,
                    "event": "ping",
                    "data": {"webhook": 3},
                    "state": "waiting",
                    "attempts": 0,
                    "status": None,
                    "delivered_at": None,
                },
            )
        ],
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        sent = hooks.ping(hooks.find(request.user, webhook_id))
        return Response(DeliveryOutput(sent).data, status=status.HTTP_202_ACCEPTED)


class OnApi(APIView):
    """A webhook that failed for a day, or said that it is gone, is off until told otherwise."""

    @extend_schema(
        operation_id="webhook_on",
        summary="Turn a webhook on again, and send what waited",
        request=None,
        responses=WebhookOutput,
        examples=[OpenApiExample("On", response_only=True, value=SHOWN)],
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        webhook = hooks.find(request.user, webhook_id)
        hooks.turn_on(webhook)
        return Response(WebhookOutput(webhook).data)


class DeliveriesApi(APIView):
    """The messages of the last 30 days."""

    class Input(serializers.Serializer):
        state = serializers.ChoiceField(Delivery.State.choices, required=False)

    @extend_schema(
        operation_id="webhook_deliveries",
        summary="Messages of 30 days, and which arrived",
        parameters=[Input, OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=DeliveryOutput(many=True),
        examples=[OpenApiExample("Arrived", response_only=True, value=MESSAGE)],
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        wanted = self.Input(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        rows = hooks.find(request.user, webhook_id).deliveries.filter(**wanted.validated_data)
        pages = DeliveryPages()
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(DeliveryOutput(page, many=True).data)


class AgainApi(APIView):
    """A message once more, under the id that it had."""

    @extend_schema(
        operation_id="webhook_deliver_again",
        summary="Send a message again",
        request=None,
        responses={202: DeliveryOutput},
        examples=[
            OpenApiExample(
                "Queued",
                response_only=True,
                status_codes=["202"],
                value={**MESSAGE, "state": "waiting", "attempts": 0, "delivered_at": None},
            )
        ],
    )
    def post(self, request: Request, webhook_id: int, delivery_id: uuid.UUID) -> Response:
        sent = hooks.redeliver(hooks.find(request.user, webhook_id), delivery_id)
        return Response(DeliveryOutput(sent).data, status=status.HTTP_202_ACCEPTED)
