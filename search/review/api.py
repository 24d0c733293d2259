"""Findings and judgements for programs: send a search to review, list, decide, undo."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pedsite.accounts.roles import Reviews
from pedsite.api import Pages
from search.review import agreement, asked, judging, queue
from search.review.models import Decision, Finding, Judgement, Verdict

# Ids beyond are refused before the database is asked.
LARGEST = 2**63 - 1
PAGING = [OpenApiParameter("cursor"), OpenApiParameter("limit", int)]


class ReviewApi(APIView):
    """Only reviewers; what they may not see is as if it were not there."""

    permission_classes = [IsAuthenticated, Reviews]


class Ids(serializers.ListField):
    child = serializers.IntegerField(min_value=1, max_value=LARGEST)


class SearchQuery(serializers.CharField):
    """A search as its page has it in its address, or only its words."""

    def __init__(self) -> None:
        super().__init__(
            max_length=4000,
            help_text="The query string of the search page: q=red+coat&camera=3. Without a = it "
            "is taken for the words themselves: a man in a red coat.",
        )

    def to_internal_value(self, data: Any) -> str:
        return asked.as_query_string(super().to_internal_value(data))


class DecisionOutput(serializers.Serializer):
    id = serializers.IntegerField(
        allow_null=True, help_text="To undo it; null where nothing changed."
    )
    changed = serializers.IntegerField()

    class Meta:
        ref_name = "Decision"


class FindingsApi(ReviewApi):
    """What waits for review, or was judged."""

    throttle_scope = "search"

    class Wanted(serializers.Serializer):
        state = serializers.ChoiceField(
            [*queue.STATES, "disputed"],
            default=Verdict.UNREVIEWED,
            help_text="second: judged by others and not by you; disputed: judged in two ways.",
        )
        query = serializers.IntegerField(required=False, max_value=LARGEST)

    class Output(serializers.ModelSerializer):
        text = serializers.CharField(source="query.text")
        like = serializers.IntegerField(source="query.like_id", allow_null=True)
        version = serializers.CharField(source="version.name", allow_null=True, default=None)
        verdict = serializers.ChoiceField(Verdict.choices, help_text="Yours.")
        crop_url = serializers.HyperlinkedRelatedField(
            source="box", view_name="gallery:crop", lookup_url_kwarg="box_id", read_only=True
        )

        class Meta:
            ref_name = "Finding"
            model = Finding
            fields = [
                "id", "query", "text", "like", "box", "rank", "score", "version", "verdict",
                "found_at", "crop_url",
            ]  # fmt: skip

    class Input(serializers.Serializer):
        query = SearchQuery()
        limit = serializers.IntegerField(
            min_value=1,
            max_value=queue.MOST_SENT,
            default=queue.MOST_SENT,
            help_text="How many first hits are sent, or looked at for the rank of the boxes.",
        )
        boxes = serializers.ListField(
            child=serializers.IntegerField(min_value=1, max_value=LARGEST),
            max_length=judging.MOST,
            required=False,
            help_text="Only these; one that is not among the first hits comes without a rank.",
        )

        class Meta:
            ref_name = "SendToReview"

    class Sent(serializers.Serializer):
        query = serializers.IntegerField()
        added = serializers.IntegerField()

        class Meta:
            ref_name = "SentToReview"

    class Withdrawn(serializers.Serializer):
        query = serializers.IntegerField(max_value=LARGEST)

    class Removed(serializers.Serializer):
        removed = serializers.IntegerField()

        class Meta:
            ref_name = "RemovedFromReview"

    @extend_schema(
        operation_id="findings", parameters=[Wanted, *PAGING], responses=Output(many=True)
    )
    def get(self, request: Request) -> Response:
        """Findings in one state as you judged them, newest first."""
        wanted = self.Wanted(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        state, query = wanted.validated_data["state"], wanted.validated_data.get("query")
        if state == "disputed":
            rows = agreement.disagreements(request.user)
            rows = rows if query is None else rows.filter(query=query)
        else:
            rows = queue.findings(request.user, state, query)
        return _paged(self, rows, self.Output, request)

    @extend_schema(operation_id="send_to_review", request=Input, responses={201: Sent})
    def post(self, request: Request) -> Response:
        """Put the first hits of a search, or chosen boxes, into the queue."""
        data = self.Input(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        kept, added = queue.send(given["query"], request.user, given["limit"], given.get("boxes"))
        return Response({"query": kept.pk, "added": added}, status=201)

    @extend_schema(operation_id="withdraw", parameters=[Withdrawn], responses=Removed)
    def delete(self, request: Request) -> Response:
        """Take what nobody judged of a query out of the queue: what you sent, or as an operator
        what anybody sent."""
        given = self.Withdrawn(data=request.query_params)
        given.is_valid(raise_exception=True)
        return Response({"removed": queue.withdraw(given.validated_data["query"], request.user)})


class JudgementsApi(ReviewApi):
    """What reviewers said."""

    class Wanted(serializers.Serializer):
        query = serializers.IntegerField(required=False, max_value=LARGEST)
        verdict = serializers.ChoiceField(Verdict.choices, required=False)

    class Output(serializers.ModelSerializer):
        query = serializers.IntegerField(source="finding.query_id")
        text = serializers.CharField(source="finding.query.text")
        like = serializers.IntegerField(source="finding.query.like_id", allow_null=True)
        box = serializers.IntegerField(source="finding.box_id")
        reviewer = serializers.CharField(source="reviewer.username")

        class Meta:
            ref_name = "Judgement"
            model = Judgement
            fields = [
                "id", "finding", "query", "text", "like", "box", "reviewer", "verdict",
                "decision", "decided_at",
            ]  # fmt: skip

    class Input(serializers.Serializer):
        text = serializers.CharField(
            max_length=4000, default="", allow_blank=True, help_text="Whom was looked for."
        )
        like = serializers.IntegerField(
            required=False,
            allow_null=True,
            max_value=LARGEST,
            help_text="A box that was asked with.",
        )
        boxes = serializers.ListField(
            child=serializers.IntegerField(min_value=1, max_value=LARGEST),
            max_length=judging.MOST,
            required=False,
        )
        findings = serializers.ListField(
            child=serializers.IntegerField(min_value=1, max_value=LARGEST),
            max_length=judging.MOST,
            required=False,
        )
        verdict = serializers.ChoiceField(Verdict.choices)

        class Meta:
            ref_name = "Judge"

        def validate(self, given: dict[str, Any]) -> dict[str, Any]:
            if bool(given.get("boxes")) == bool(given.get("findings")):
                raise serializers.ValidationError("Name boxes, or findings.")
            return given

    @extend_schema(
        operation_id="judgements", parameters=[Wanted, *PAGING], responses=Output(many=True)
    )
    def get(self, request: Request) -> Response:
        """Yours, and those of others on what you decided yourself; newest first."""
        wanted = self.Wanted(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        rows = Judgement.objects.open_to(request.user)
        if "query" in wanted.validated_data:
            rows = rows.filter(finding__query=wanted.validated_data["query"])
        if "verdict" in wanted.validated_data:
            rows = rows.filter(verdict=wanted.validated_data["verdict"])
        return _paged(self, rows.select_related("finding__query", "reviewer"), self.Output, request)

    @extend_schema(operation_id="judge", request=Input, responses=DecisionOutput)
    def post(self, request: Request) -> Response:
        """Say what findings are, or whether boxes answer a description or are like a box."""
        data = self.Input(data=request.data)
        data.is_valid(raise_exception=True)
        given, user = data.validated_data, request.user
        if given.get("findings"):
            made = judging.decide(given["findings"], given["verdict"], user)
        else:
            judging.require_reviewer(user)
            query = asked.of_words(given["text"], given.get("like"), user)
            made = judging.judge(query, given["boxes"], given["verdict"], user)
        return Response(_told(made))


class AgreementApi(ReviewApi):
    """How far reviewers say the same."""

    class Output(serializers.Serializer):
        first = serializers.CharField()
        second = serializers.CharField()
        count = serializers.IntegerField(help_text="Findings that both decided.")
        same = serializers.IntegerField(help_text="Of these, with one verdict.")
        kappa = serializers.FloatField(allow_null=True, help_text="Cohen's.")

        class Meta:
            ref_name = "Agreement"

    @extend_schema(operation_id="agreement", responses=Output(many=True))
    def get(self, request: Request) -> Response:
        """Every two reviewers, on what both decided and you did as well; /findings lists where
        they differ (`state=disputed`)."""
        return Response(self.Output(agreement.pairs(request.user), many=True).data)


class UndoApi(ReviewApi):
    """The way back."""

    class Input(serializers.Serializer):
        decision = serializers.IntegerField(
            required=False,
            allow_null=True,
            max_value=LARGEST,
            help_text="Your newest one by default.",
        )

        class Meta:
            ref_name = "Undo"

    @extend_schema(operation_id="undo_judgement", request=Input, responses=DecisionOutput)
    def post(self, request: Request) -> Response:
        """Take a decision of yours back; what was said before holds again."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(_told(judging.undo(request.user, given.validated_data.get("decision"))))


def _told(made: Decision | None) -> dict[str, Any]:
    return {"id": made and made.pk, "changed": made.changes.count() if made else 0}


def _paged(
    view: APIView, rows: Any, output: type[serializers.ModelSerializer], request: Request
) -> Response:
    pages = Pages()
    page = pages.paginate_queryset(rows, request, view=view)
    context = {"request": request}
    return pages.get_paginated_response(output(page, many=True, context=context).data)
