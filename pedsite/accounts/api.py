"""API keys for programs: those of whoever asks, and no others."""

from datetime import timedelta

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pedsite.accounts import keys
from pedsite.accounts.models import ApiKey
from pedsite.accounts.scopes import Scope

EXAMPLE = {
    "id": 7,
    "name": "camera room",
    "prefix": "1f2e3d4c",
    "scopes": ["search", "read"],
    "created_at": "2026-03-14T09:30:00Z",
    "last_used_at": None,
    "expires_at": "2027-03-14T09:30:00Z",
    "revoked_at": None,
}


class KeyOutput(serializers.ModelSerializer):
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices))

    class Meta:
        ref_name = "Key"
        model = ApiKey
        fields = list(EXAMPLE)


class KeysApi(APIView):
    """Your API keys."""

    shows_secret = True

    class Input(serializers.Serializer):
        name = serializers.CharField(max_length=80)
        scopes = serializers.ListField(
            child=serializers.ChoiceField(Scope.choices),
            allow_empty=False,
            max_length=len(Scope),
            help_text="A key cannot make one that may more than itself, or lives longer.",
        )
        days = serializers.IntegerField(
            min_value=1, max_value=3650, allow_null=True, help_text="Null for no end."
        )

        class Meta:
            ref_name = "MakeKey"

    class Made(KeyOutput):
        secret = serializers.CharField(help_text="Shown this once: only its digest is stored.")

        class Meta(KeyOutput.Meta):
            ref_name = "MadeKey"
            fields = [*EXAMPLE, "secret"]

    @extend_schema(
        operation_id="keys",
        responses=KeyOutput(many=True),
        examples=[OpenApiExample("A key", response_only=True, value=EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Newest first, those that ended too."""
        return Response(KeyOutput(request.user.api_keys.all(), many=True).data)

    @extend_schema(
        operation_id="make_key",
        request=Input,
        responses={201: Made},
        examples=[
            OpenApiExample(
                "A key that searches",
                request_only=True,
                value={"name": "camera room", "scopes": ["search", "read"], "days": 365},
            ),
            OpenApiExample(
                "Its secret", response_only=True, value=EXAMPLE | {"secret": "ped_1f2e3d4c_…"}
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        days = wanted["days"]
        ends = timezone.now() + timedelta(days=days) if days else None
        key, secret = keys.issue(
            request.user, wanted["name"], ends, wanted["scopes"], by=request.auth
        )
        return Response(KeyOutput(key).data | {"secret": secret}, status=201)


class KeyApi(APIView):
    """One of your API keys."""

    @extend_schema(operation_id="revoke_key", responses={204: None})
    def delete(self, request: Request, key_id: int) -> Response:
        """Revoke it: it does not work any longer."""
        key = request.user.api_keys.filter(pk=key_id).first()
        if key is None:
            raise Http404
        keys.revoke(key, request.user)
        return Response(status=204)
