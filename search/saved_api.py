"""Saved searches for programs: list, save, what is new, mark as seen, delete."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from search import saved
from search.answers import Hit, told_hits
from search.models import SavedSearch


class Shown(serializers.ModelSerializer):
    class Meta:
        model = SavedSearch
        fields = ["id", "name", "query", "seen_at", "created_at"]
        ref_name = "SavedSearch"


class News(Shown):
    version = serializers.CharField()
    problem = serializers.CharField(help_text="Why it cannot be asked any longer; else empty.")
    matches = serializers.IntegerField()
    new = Hit(many=True, help_text="Matches since it was last seen.")

    class Meta(Shown.Meta):
        fields = [*Shown.Meta.fields, "version", "problem", "matches", "new"]
        ref_name = "SavedSearchNews"


class SavedSearchesApi(APIView):
    """The searches that a user keeps."""

    class Input(serializers.Serializer):
        name = serializers.CharField(max_length=100)
        query = serializers.CharField(
            max_length=4000, help_text="The query string of the search page: q=red+coat&camera=3"
        )

        class Meta:
            ref_name = "SaveSearch"

    @extend_schema(operation_id="saved_searches", responses=Shown(many=True))
    def get(self, request: Request) -> Response:
        """All of them, by name."""
        return Response(Shown(request.user.saved_searches.all(), many=True).data)

    @extend_schema(operation_id="save_search", request=Input, responses={201: Shown})
    def post(self, request: Request) -> Response:
        """Keep one; what it finds now counts as seen."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(Shown(saved.save(request.user, **given.validated_data)).data, status=201)


class SavedSearchApi(APIView):
    """One search that a user keeps."""

    key_scope = {"GET": "search"}
    throttle_scope = "search"

    @extend_schema(operation_id="saved_search", responses=News)
    def get(self, request: Request, pk: int) -> Response:
        """It, and its matches that were not there when it was last marked as seen."""
        return Response(_news(saved.find(request.user, pk), request))

    @extend_schema(operation_id="delete_saved_search", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Delete it."""
        saved.find(request.user, pk).delete()
        return Response(status=204)


class SavedSearchSeenApi(APIView):
    """That everything a saved search finds has been looked at."""

    throttle_scope = "search"

    @extend_schema(operation_id="saved_search_seen", request=None, responses={204: None})
    def post(self, request: Request, pk: int) -> Response:
        """Mark all that it finds now as seen."""
        saved.mark_seen(saved.find(request.user, pk))
        return Response(status=204)


def _news(kept: SavedSearch, request: Request) -> dict[str, Any]:
    found = saved.news(kept)
    return {
        **Shown(kept).data,
        "version": found.version,
        "problem": found.problem,
        "matches": len(found.matches),
        "new": told_hits(found.new, 1.0, request),
    }
