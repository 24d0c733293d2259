"""Cases for programs: open, change, fill, share, hand over."""

from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.models import Box, Review
from pedsite.api import Pages
from pedsite.jobs.api import JobOutput
from search.cases import casework, exports, views
from search.cases.errors import UnknownEntry
from search.cases.models import Case, CaseEvent, CaseExport, CaseHit, CaseNote, CaseSearch
from search.review import asked, judging
from search.review.api import PAGING, Ids, ReviewApi, SearchQuery

BY = {"source": "added_by.username", "allow_null": True, "default": None}


class CaseOutput(serializers.ModelSerializer):
    opened_by = serializers.CharField(source="created_by.username", allow_null=True, default=None)
    members = serializers.SlugRelatedField("username", many=True, read_only=True)

    class Meta:
        ref_name = "Case"
        model = Case
        fields = ["id", "title", "reference", "state", "opened_by", "members", "created_at"]


class CasesApi(ReviewApi):
    """The cases that you opened or are a member of."""

    class Input(serializers.Serializer):
        title = serializers.CharField(max_length=200)
        reference = serializers.CharField(max_length=100, default="", allow_blank=True)

        class Meta:
            ref_name = "OpenCase"

    @extend_schema(operation_id="cases", parameters=PAGING, responses=CaseOutput(many=True))
    def get(self, request: Request) -> Response:
        """Newest first."""
        rows = Case.objects.visible_to(request.user).select_related("created_by")
        return _paged(self, rows.prefetch_related("members"), CaseOutput, request)

    @extend_schema(operation_id="open_case", request=Input, responses={201: CaseOutput})
    def post(self, request: Request) -> Response:
        """Open one."""
        given = _valid(self.Input, request)
        return Response(CaseOutput(casework.start(request.user, **given)).data, status=201)


class CaseApi(ReviewApi):
    """One case."""

    class Input(serializers.Serializer):
        title = serializers.CharField(max_length=200, required=False)
        reference = serializers.CharField(max_length=100, required=False, allow_blank=True)
        state = serializers.ChoiceField(Case.State.choices, required=False)

        class Meta:
            ref_name = "ChangeCase"

    @extend_schema(operation_id="case", responses=CaseOutput)
    def get(self, request: Request, pk: int) -> Response:
        """What it is called, and who works on it."""
        return Response(CaseOutput(casework.find(request.user, pk)).data)

    @extend_schema(operation_id="change_case", request=Input, responses=CaseOutput)
    def patch(self, request: Request, pk: int) -> Response:
        """Rename, close or open it."""
        case = casework.find(request.user, pk)
        casework.change(case, request.user, **_valid(self.Input, request))
        return Response(CaseOutput(case).data)

    @extend_schema(operation_id="delete_case", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Delete it with its history and the files of its exports."""
        casework.delete(casework.find(request.user, pk), request.user)
        return Response(status=204)


class HitsApi(ReviewApi):
    """The results in a case."""

    class Output(serializers.ModelSerializer):
        state = serializers.SerializerMethodField(help_text="shown, withheld or deleted")
        added_by = serializers.CharField(**BY)

        class Meta:
            ref_name = "CaseHit"
            model = CaseHit
            fields = ["id", "box_number", "state", "added_by", "added_at"]

        def get_state(self, hit: CaseHit) -> str:
            if hit.box_id is None:
                return "deleted"
            return "shown" if hit.box_id in self.context["seen"] else "withheld"

    class Input(serializers.Serializer):
        boxes = Ids(max_length=judging.MOST)
        text = serializers.CharField(
            max_length=4000, default="", allow_blank=True, help_text="What they were found for."
        )

        class Meta:
            ref_name = "AddToCase"

    class Added(serializers.Serializer):
        added = serializers.IntegerField()

        class Meta:
            ref_name = "AddedToCase"

    @extend_schema(operation_id="case_hits", parameters=PAGING, responses=Output(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Newest first; a box that was deleted says so."""
        rows = casework.find(request.user, pk).hits.select_related("added_by")
        boxes = Box.objects.visible_to(request.user).exclude(review=Review.HIDDEN)
        seen = set(boxes.filter(pk__in=rows.values("box")).values_list("pk", flat=True))
        return _paged(self, rows, self.Output, request, seen=seen)

    @extend_schema(operation_id="add_case_hits", request=Input, responses=Added)
    def post(self, request: Request, pk: int) -> Response:
        """Add boxes; those in it stay as they are."""
        case, given = casework.find(request.user, pk), _valid(self.Input, request)
        text = given["text"]
        query = asked.of_words(text, None, request.user) if text.strip() else None
        added = casework.add_hits(case, given["boxes"], request.user, query)
        return Response({"added": added})


class SearchesApi(ReviewApi):
    """The searches in a case."""

    class Output(serializers.ModelSerializer):
        added_by = serializers.CharField(**BY)

        class Meta:
            ref_name = "CaseSearch"
            model = CaseSearch
            fields = ["id", "query", "added_by", "added_at"]

    class Input(serializers.Serializer):
        query = SearchQuery()

        class Meta:
            ref_name = "AddCaseSearch"

    @extend_schema(operation_id="case_searches", parameters=PAGING, responses=Output(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Newest first."""
        rows = casework.find(request.user, pk).searches.select_related("added_by")
        return _paged(self, rows, self.Output, request)

    @extend_schema(operation_id="add_case_search", request=Input, responses={201: Output})
    def post(self, request: Request, pk: int) -> Response:
        """Add one."""
        case, given = casework.find(request.user, pk), _valid(self.Input, request)
        added = casework.add_search(case, given["query"], request.user)
        return Response(self.Output(added).data, status=201)


class NotesApi(ReviewApi):
    """The notes in a case."""

    class Output(serializers.ModelSerializer):
        added_by = serializers.CharField(**BY)

        class Meta:
            ref_name = "CaseNote"
            model = CaseNote
            fields = ["id", "text", "added_by", "added_at"]

    class Input(serializers.Serializer):
        text = serializers.CharField(max_length=8000)

        class Meta:
            ref_name = "AddCaseNote"

    @extend_schema(operation_id="case_notes", parameters=PAGING, responses=Output(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Newest first."""
        rows = casework.find(request.user, pk).notes.select_related("added_by")
        return _paged(self, rows, self.Output, request)

    @extend_schema(operation_id="add_case_note", request=Input, responses={201: Output})
    def post(self, request: Request, pk: int) -> Response:
        """Add one."""
        case, given = casework.find(request.user, pk), _valid(self.Input, request)
        return Response(
            self.Output(casework.add_note(case, given["text"], request.user)).data, status=201
        )


class EntryApi(ReviewApi):
    """One result (`hits`), search (`searches`) or note (`notes`) of a case."""

    @extend_schema(operation_id="remove_from_case", responses={204: None})
    def delete(self, request: Request, pk: int, kind: str, entry: int) -> Response:
        """Take it out; the history keeps what it was."""
        case = casework.find(request.user, pk)
        if kind not in casework.ENTRIES:
            raise UnknownEntry
        casework.remove(case, kind, entry, request.user)
        return Response(status=204)


class MembersApi(ReviewApi):
    """Who works on a case beside whoever opened it."""

    class Input(serializers.Serializer):
        username = serializers.CharField(max_length=150)
        member = serializers.BooleanField(default=True, help_text="false shuts them out.")

        class Meta:
            ref_name = "CaseMember"

    @extend_schema(operation_id="case_members", request=Input, responses=CaseOutput)
    def post(self, request: Request, pk: int) -> Response:
        """Let a reviewer in, or shut one out."""
        case, given = casework.find(request.user, pk), _valid(self.Input, request)
        act = casework.share if given["member"] else casework.unshare
        act(case, given["username"], request.user)
        return Response(CaseOutput(case).data)


class HistoryApi(ReviewApi):
    """Who did what in a case, and when."""

    class Output(serializers.ModelSerializer):
        user = serializers.CharField(source="user.username", allow_null=True, default=None)

        class Meta:
            ref_name = "CaseEvent"
            model = CaseEvent
            fields = ["id", "what", "detail", "user", "at"]

    @extend_schema(operation_id="case_history", parameters=PAGING, responses=Output(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Newest first."""
        rows = casework.find(request.user, pk).events.select_related("user")
        return _paged(self, rows, self.Output, request)


class ExportsApi(ReviewApi):
    """A case as files."""

    class Output(serializers.ModelSerializer):
        url = serializers.SerializerMethodField()

        class Meta:
            ref_name = "CaseExport"
            model = CaseExport
            fields = ["id", "sha256", "byte_size", "created_at", "url"]

        def get_url(self, made: CaseExport) -> str:
            path = f"/api/v1/cases/{made.case_id}/exports/{made.pk}/file"
            url: str = self.context["request"].build_absolute_uri(path)
            return url

    @extend_schema(operation_id="case_exports", responses=Output(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Those that you may have, newest first."""
        made = exports.offered(casework.find(request.user, pk), request.user)
        return Response(self.Output(made, many=True, context={"request": request}).data)

    @extend_schema(operation_id="export_case", request=None, responses={202: JobOutput})
    def post(self, request: Request, pk: int) -> Response:
        """Have it written by the workers; the job's result names the export."""
        job = exports.request(casework.find(request.user, pk), request.user)
        return Response(JobOutput(job, context={"request": request}).data, status=202)


class ExportFileApi(ReviewApi):
    """The file of an export."""

    @extend_schema(
        operation_id="case_export_file", responses={(200, "application/zip"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, pk: int, export_id: int) -> FileResponse:
        """The zip; each download is noted in the case's history."""
        case = casework.find(request.user, pk)
        return views.answer(exports.find(case, export_id, request.user), request.user)


def _valid(shape: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    data = shape(data=request.data)
    data.is_valid(raise_exception=True)
    return data.validated_data


def _paged(view: Any, rows: Any, output: Any, request: Request, **context: Any) -> Response:
    pages = Pages()
    page = pages.paginate_queryset(rows, request, view=view)
    context["request"] = request
    return pages.get_paginated_response(output(page, many=True, context=context).data)
