"""The log for programs of administrators; nothing here changes it."""

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pedsite.accounts.roles import Administers
from pedsite.api import Pages
from pedsite.audit import chain, files
from pedsite.audit.models import Entry, Waiting

EXAMPLE = {
    "id": 4711,
    "at": "2026-03-14T09:30:00.123456Z",
    "user_id": 3,
    "username": "vera",
    "key": "",
    "via": "page",
    "address": "192.0.2.7",
    "action": "search",
    "about": "",
    "text": "a woman in a red coat",
    "purpose": "case 2026-118",
    "version": "pedsite-5",
    "results": 24,
    "detail": {"filters": {"datasets": ["mall"]}, "searched": 1024},
    "link": 4711,
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}


class EntryOutput(serializers.ModelSerializer):
    link = serializers.IntegerField(
        allow_null=True, help_text="Its number in the chain; null for some seconds."
    )
    hash = serializers.CharField(allow_null=True, help_text="SHA-256 of it and of all before.")

    class Meta:
        ref_name = "AuditEntry"
        model = Entry
        fields = files.COLUMNS


class EntriesApi(APIView):
    """Who did what; administrators only."""

    permission_classes = [IsAuthenticated, Administers]
    key_scope = "operate"

    class Input(serializers.Serializer):
        who = serializers.CharField(required=False, help_text="A user's name or a key's prefix.")
        action = serializers.ChoiceField(Entry.Action.choices, required=False)
        words = serializers.CharField(
            required=False, help_text="Somewhere in what was searched for, or what it is about."
        )
        purpose = serializers.CharField(required=False)
        after = serializers.DateField(required=False, help_text="Inclusive.")
        before = serializers.DateField(required=False, help_text="Inclusive.")

        class Meta:
            ref_name = "AuditQuery"

    @extend_schema(
        operation_id="audit",
        parameters=[Input, OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=EntryOutput(many=True),
        examples=[OpenApiExample("A search", response_only=True, value=EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        wanted = self.Input(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        rows = files.linked(Entry.objects.matching(**wanted.validated_data))
        pages = Pages()
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(EntryOutput(page, many=True).data)


class EntryApi(APIView):
    """One entry; administrators only."""

    permission_classes = [IsAuthenticated, Administers]
    key_scope = "operate"

    @extend_schema(
        operation_id="audit_entry",
        responses=EntryOutput,
        examples=[OpenApiExample("A search", response_only=True, value=EXAMPLE)],
    )
    def get(self, request: Request, pk: int) -> Response:
        """All that is known of it."""
        found = files.linked(Entry.objects.filter(pk=pk)).first()
        if found is None:
            raise Http404
        return Response(EntryOutput(found).data)


class ChainApi(APIView):
    """How far the chain of hashes reaches; administrators only."""

    permission_classes = [IsAuthenticated, Administers]
    key_scope = "operate"

    class Output(serializers.Serializer):
        head = serializers.CharField(
            help_text="NUMBER:HASH of the last link, to be noted elsewhere; `verify_audit --head` "
            "looks for it. Empty where nothing is linked."
        )
        waiting = serializers.IntegerField(help_text="Entries that are not linked yet.")

        class Meta:
            ref_name = "AuditChain"

    @extend_schema(
        operation_id="audit_chain",
        responses=Output,
        examples=[
            OpenApiExample(
                "Chain", response_only=True, value={"head": f"4711:{EXAMPLE['hash']}", "waiting": 0}
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """The head of the chain, and what waits to be linked."""
        chain.link()
        told = {"head": str(chain.head() or ""), "waiting": Waiting.objects.count()}
        return Response(self.Output(told).data)
