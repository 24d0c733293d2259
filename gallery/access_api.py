"""Users and grants for programs of administrators."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import datasets
from gallery.models import DatasetGrant
from pedsite.accounts import users
from pedsite.accounts.models import User
from pedsite.accounts.roles import Administers
from pedsite.api import Pages

PAGING = [OpenApiParameter("cursor"), OpenApiParameter("limit", int)]
USER = {
    "id": 3,
    "username": "vera",
    "email": "vera@example.org",
    "role": "reviewer",
    "is_active": True,
    "last_login": "2026-03-14T09:30:00Z",
    "date_joined": "2026-01-02T08:00:00Z",
}
GRANT = {
    "id": 5,
    "dataset": "mall",
    "user": "vera",
    "group": None,
    "role": "",
    "created_at": "2026-03-14T09:30:00Z",
}


class AccessApi(APIView):
    """Administrators only."""

    permission_classes = [IsAuthenticated, Administers]
    key_scope = "operate"


class UserOutput(serializers.ModelSerializer):
    class Meta:
        ref_name = "User"
        model = User
        fields = list(USER)


class UsersApi(AccessApi):
    """Who may log in."""

    class Input(serializers.Serializer):
        username = serializers.CharField(max_length=150)
        email = serializers.EmailField(default="", allow_blank=True)
        role = serializers.ChoiceField(User.Role.choices)
        password = serializers.CharField(
            max_length=128, trim_whitespace=False, help_text="At least 12 characters."
        )

        class Meta:
            ref_name = "MakeUser"

    @extend_schema(
        operation_id="users",
        parameters=PAGING,
        responses=UserOutput(many=True),
        examples=[OpenApiExample("A user", response_only=True, value=USER)],
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        pages = Pages()
        page = pages.paginate_queryset(User.objects.all(), request, view=self)
        return pages.get_paginated_response(UserOutput(page, many=True).data)

    @extend_schema(
        operation_id="make_user",
        request=Input,
        responses={201: UserOutput},
        examples=[
            OpenApiExample(
                "A reviewer",
                request_only=True,
                value={"username": "vera", "role": "reviewer", "password": "four words are best"},
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Make one."""
        given = _valid(self.Input, request)
        return Response(UserOutput(users.make(request.user, **given)).data, status=201)


class UserApi(AccessApi):
    """One user."""

    class Input(serializers.Serializer):
        role = serializers.ChoiceField(User.Role.choices, required=False)
        is_active = serializers.BooleanField(
            required=False, help_text="false ends sessions and keys with their next request."
        )

        class Meta:
            ref_name = "ChangeUser"

    @extend_schema(
        operation_id="user",
        responses=UserOutput,
        examples=[OpenApiExample("A user", response_only=True, value=USER)],
    )
    def get(self, request: Request, pk: int) -> Response:
        """What they are called and what they may do."""
        return Response(UserOutput(_found(User, pk)).data)

    @extend_schema(
        operation_id="change_user",
        request=Input,
        responses=UserOutput,
        examples=[OpenApiExample("Shut out", request_only=True, value={"is_active": False})],
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change the role, let them in or shut them out; at once."""
        user, given = _found(User, pk), _valid(self.Input, request)
        if "role" in given:
            users.change_role(request.user, user, given["role"])
        if "is_active" in given:
            users.set_active(request.user, user, given["is_active"])
        return Response(UserOutput(_found(User, pk)).data)


class GrantOutput(serializers.ModelSerializer):
    dataset = serializers.CharField(source="dataset.name")
    user = serializers.CharField(source="user.username", default=None, allow_null=True)
    group = serializers.CharField(source="group.name", default=None, allow_null=True)

    class Meta:
        ref_name = "Grant"
        model = DatasetGrant
        fields = list(GRANT)


class GrantsApi(AccessApi):
    """Who may see which dataset."""

    class Input(serializers.Serializer):
        dataset = serializers.CharField(max_length=100)
        user = serializers.CharField(max_length=150, required=False)
        role = serializers.ChoiceField(User.Role.choices, required=False)

        class Meta:
            ref_name = "MakeGrant"

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            if ("user" in attrs) == ("role" in attrs):
                raise serializers.ValidationError("Name a user or a role, not both.")
            return attrs

    @extend_schema(
        operation_id="grants",
        parameters=PAGING,
        responses=GrantOutput(many=True),
        examples=[OpenApiExample("A grant", response_only=True, value=GRANT)],
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        pages = Pages()
        rows = DatasetGrant.objects.select_related("dataset", "user", "group")
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(GrantOutput(page, many=True).data)

    @extend_schema(
        operation_id="make_grant",
        request=Input,
        responses={201: GrantOutput},
        examples=[
            OpenApiExample(
                "To a user", request_only=True, value={"dataset": "mall", "user": "vera"}
            ),
            OpenApiExample(
                "To a role", request_only=True, value={"dataset": "mall", "role": "reviewer"}
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Let a user, or everyone of a role, see a dataset."""
        given = _valid(self.Input, request)
        to = given.get("role") or User.objects.filter(username=given.get("user")).first()
        if to is None:
            raise serializers.ValidationError({"user": ["There is no such user."]})
        made = datasets.grant(datasets.get(given["dataset"]), to, by=request.user)
        return Response(GrantOutput(made).data, status=201)


class GrantApi(AccessApi):
    """One grant."""

    @extend_schema(operation_id="remove_grant", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Take it back, at once."""
        datasets.take_back(_found(DatasetGrant, pk), by=request.user)
        return Response(status=204)


def _valid(shape: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _found(model: Any, pk: int) -> Any:
    row = model.objects.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row
