"""POST /api/v1/search/batch: many queries, one answer each."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pedsite.api import DomainError, handle_exception
from pedsite.parsers import JsonParser
from search.answers import SearchPage, told
from search.api import SearchApi, ask

MAX_QUERIES = 50


class BatchApi(APIView):
    """Many queries at once."""

    key_scope = "search"
    throttle_scope = "search"
    changes_nothing = True
    parser_classes = [JsonParser]

    class Input(serializers.Serializer):
        queries = serializers.ListField(
            child=serializers.JSONField(),
            min_length=1,
            max_length=MAX_QUERIES,
            help_text="Each as POST /api/v1/search takes it, without an image.",
        )

        class Meta:
            ref_name = "SearchBatch"

    class Output(serializers.Serializer):
        class Answer(serializers.Serializer):
            status = serializers.IntegerField()
            page = SearchPage(required=False)
            problem = serializers.JSONField(required=False, help_text="As an error's own answer.")

            class Meta:
                ref_name = "SearchBatchAnswer"

        answers = Answer(many=True)

        class Meta:
            ref_name = "SearchBatchAnswers"

    @extend_schema(
        operation_id="search_batch",
        request=Input,
        responses=Output,
        examples=[
            OpenApiExample(
                "Two",
                request_only=True,
                value={"queries": [{"text": "a man in a blue coat"}, {"box": 17, "limit": 5}]},
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """One answer for each query, in their order; one that is refused does not stop the rest."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        answers = [self._answer(query, request) for query in given.validated_data["queries"]]
        return Response({"answers": answers})

    def _answer(self, query: Any, request: Request) -> dict[str, Any]:
        try:
            asked = SearchApi.Input(data=query if isinstance(query, dict) else {})
            asked.is_valid(raise_exception=True)
            page = ask(asked.validated_data, request)
        except (DomainError, APIException) as exc:
            refused = handle_exception(exc, {})
            return {"status": refused.status_code, "problem": refused.data}
        return {"status": 200, "page": told(page, asked.validated_data["far"], request)}
