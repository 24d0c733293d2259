"""The page on which a third decides where two differ, and the same for programs."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from pedsite.accounts.roles import reviewers_only
from pedsite.api import DomainError, Pages
from search.review import adjudication
from search.review.api import LARGEST, PAGING, ReviewApi
from search.review.models import Adjudication
from search.review.views import numbers

PAGE_SIZE = 20
# Decisions that the page lists below those that wait.
SETTLED = 20
HOME = "search:review:differing"
EXAMPLE = {
    "id": 3,
    "finding": 71,
    "text": "a man in a red coat",
    "box": 486,
    "verdict": "rejected",
    "note": "the coat is orange",
    "adjudicator": "wei",
    "made_at": "2026-03-14T09:30:00Z",
}


@require_safe
@login_required
@reviewers_only
@never_cache
def differing(request: HttpRequest) -> HttpResponse:
    """GET /review/differing/: what waits for this user's decision, and what was decided."""
    page = Paginator(adjudication.waiting(request.user), PAGE_SIZE)
    context = {
        "page": page.get_page(request.GET.get("page")),
        "settled": adjudication.settled(request.user)[:SETTLED],
        "choices": Adjudication.Verdict.choices,
    }
    return render(request, "review/differing.html", context)


@require_POST
@login_required
@reviewers_only
def decide(request: HttpRequest) -> HttpResponse:
    """POST /review/adjudicate/"""
    finding = numbers([request.POST.get("finding", "")])
    try:
        adjudication.decide(
            finding[0] if finding else 0,
            request.POST.get("verdict", ""),
            request.user,
            request.POST.get("note", ""),
        )
        messages.success(request, _("Decided. The verdicts are shown below."))
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect(HOME)


@require_POST
@login_required
@reviewers_only
def undo(request: HttpRequest) -> HttpResponse:
    """POST /review/adjudicate/undo/"""
    made = numbers([request.POST.get("adjudication", "")])
    try:
        adjudication.undo(made[0] if made else 0, request.user)
        messages.success(request, _("The decision is undone."))
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect(HOME)


class AdjudicationOutput(serializers.ModelSerializer):
    text = serializers.CharField(source="finding.query.text")
    box = serializers.IntegerField(source="finding.box_id")
    adjudicator = serializers.CharField(source="adjudicator.username")

    class Meta:
        ref_name = "Adjudication"
        model = Adjudication
        fields = list(EXAMPLE)


class AdjudicationsApi(ReviewApi):
    """What counts where reviewers differ."""

    class Input(serializers.Serializer):
        finding = serializers.IntegerField(min_value=1, max_value=LARGEST)
        verdict = serializers.ChoiceField(
            Adjudication.Verdict.choices, help_text="unsure: nobody can tell, so nothing counts."
        )
        note = serializers.CharField(max_length=500, default="", allow_blank=True)

        class Meta:
            ref_name = "Adjudicate"

    @extend_schema(
        operation_id="adjudications",
        parameters=PAGING,
        responses=AdjudicationOutput(many=True),
        examples=[OpenApiExample("One", response_only=True, value=EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Decisions that stand, yours and those on what you judged; newest first."""
        pages = Pages()
        page = pages.paginate_queryset(adjudication.settled(request.user), request, view=self)
        return pages.get_paginated_response(AdjudicationOutput(page, many=True).data)

    @extend_schema(
        operation_id="adjudicate",
        request=Input,
        responses={201: AdjudicationOutput},
        examples=[
            OpenApiExample(
                "Decide", request_only=True, value={"finding": 71, "verdict": "rejected"}
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Decide on a finding of which others say different things. Who judged it may not; what
        waits for you is at /adjudications/waiting."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        made = adjudication.decide(
            wanted["finding"], wanted["verdict"], request.user, wanted["note"]
        )
        return Response(AdjudicationOutput(made).data, status=201)


class WaitingApi(ReviewApi):
    """Findings that wait for a decision of yours."""

    class Output(serializers.Serializer):
        id = serializers.IntegerField(source="pk")
        text = serializers.CharField(source="query.text")
        like = serializers.IntegerField(source="query.like_id", allow_null=True)
        box = serializers.IntegerField(source="box_id")

        class Meta:
            ref_name = "Differing"

    @extend_schema(operation_id="differing", parameters=PAGING, responses=Output(many=True))
    def get(self, request: Request) -> Response:
        """Others differ on them, and you have not judged them."""
        pages = Pages()
        page = pages.paginate_queryset(adjudication.waiting(request.user), request, view=self)
        return pages.get_paginated_response(self.Output(page, many=True).data)


class AdjudicationApi(ReviewApi):
    """One decision."""

    @extend_schema(operation_id="undo_adjudication", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Take yours back: the finding waits again, and the decision stays in the history."""
        adjudication.undo(pk, request.user)
        return Response(status=204)
