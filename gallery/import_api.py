"""Imports for programs: send a file in pieces, check, confirm, undo; each answer names its job."""

import time
from typing import Any

from django.http import Http404, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import import_views, imports, undo, uploads
from gallery.errors import BadUpload, UploadTooLarge
from gallery.models import Import, Upload
from pedsite.accounts.roles import Curates
from pedsite.api import Pages
from pedsite.jobs.api import JobOutput
from pedsite.parsers import PieceParser

# A piece that takes longer than this is given up, and sent again.
PATIENCE_S = 120.0
_READ = 2**14


class UploadOutput(serializers.ModelSerializer):
    """How far an upload is; `received` is where the next piece begins."""

    piece = serializers.SerializerMethodField(help_text="Bytes that one piece may have at most.")
    is_whole = serializers.BooleanField()

    class Meta:
        ref_name = "Upload"
        model = Upload
        fields = ["id", "name", "size", "received", "is_whole", "piece", "created_at"]

    def get_piece(self, upload: Upload) -> int:
        return uploads.PIECE


class ImportOutput(serializers.ModelSerializer):
    """An import with its three jobs; `report` is what the last check found."""

    stage = serializers.ChoiceField(
        ["checking", "checked", "unreadable", "importing", "imported", "undoing", "undone"]
    )
    dataset = serializers.CharField(source="dataset_name")
    check_job = JobOutput(allow_null=True)
    job = JobOutput(allow_null=True)
    undo_job = JobOutput(allow_null=True)
    url = serializers.HyperlinkedIdentityField(view_name="api:import", lookup_url_kwarg="import_id")
    upload_is_gone = serializers.BooleanField(
        source="is_gone", help_text="Its upload was removed: it can only be removed too."
    )
    report = serializers.DictField()
    options = serializers.DictField()

    class Meta:
        ref_name = "Import"
        model = Import
        fields = [
            "id",
            "url",
            "name",
            "stage",
            "dataset",
            "format",
            "path",
            "images",
            "options",
            "upload",
            "upload_is_gone",
            "report",
            "check_job",
            "job",
            "undo_job",
            "created_at",
        ]


class ImportLine(ImportOutput):
    """An import in a list; `report` has no `rows`, which hold pictures."""

    report = serializers.SerializerMethodField()

    class Meta(ImportOutput.Meta):
        ref_name = "ImportLine"

    def get_report(self, found: Import) -> dict[str, Any]:
        return {name: value for name, value in found.report.items() if name != "rows"}


class Options(serializers.Serializer):
    """What only some formats take."""

    fps = serializers.FloatField(required=False, min_value=0.01, max_value=240)
    start = serializers.CharField(required=False, max_length=40)
    test_records = serializers.IntegerField(required=False, min_value=0, max_value=10**9)
    category = serializers.CharField(required=False, max_length=100)


class Choices(serializers.Serializer):
    """Which dataset, and how to read what was brought; without a format it is found out."""

    dataset = serializers.CharField(max_length=100)
    format = serializers.ChoiceField(imports.BROUGHT, required=False)
    images = serializers.CharField(max_length=1000, required=False, default="")
    options = Options(required=False)

    class Meta:
        ref_name = "ImportChoices"


class CurationApi(APIView):
    permission_classes = [IsAuthenticated, Curates]


class UploadListApi(CurationApi):
    """POST to begin an upload; its pieces follow by PATCH."""

    class Input(serializers.Serializer):
        name = serializers.CharField(max_length=255)
        size = serializers.IntegerField(min_value=1, max_value=2**53)

        class Meta:
            ref_name = "UploadBegin"

    @extend_schema(operation_id="upload_begin", request=Input, responses={201: UploadOutput})
    def post(self, request: Request) -> Response:
        data = self.Input(data=request.data)
        data.is_valid(raise_exception=True)
        wanted = data.validated_data
        upload = uploads.begin(request.user, wanted["name"], wanted["size"])
        return Response(UploadOutput(upload).data, status=status.HTTP_201_CREATED)


class UploadApi(CurationApi):
    """GET how far an upload is, PATCH its next piece, DELETE it; 409 while an import uses it."""

    parser_classes = [PieceParser]

    @extend_schema(operation_id="upload", responses=UploadOutput)
    def get(self, request: Request, upload_id: int) -> Response:
        return Response(UploadOutput(_upload(request, upload_id)).data)

    @extend_schema(
        operation_id="upload_piece",
        parameters=[
            OpenApiParameter(
                "Upload-Offset",
                OpenApiTypes.INT,
                OpenApiParameter.HEADER,
                required=True,
                description="The byte with which the piece begins: `received`. Another is "
                "answered 409, with the right one in the header of that name.",
            )
        ],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses=UploadOutput,
    )
    def patch(self, request: Request, upload_id: int) -> Response:
        upload = _upload(request, upload_id)
        named = request.headers.get("Upload-Offset", "")
        if not (named.isascii() and named.isdigit() and len(named) < 18):
            raise BadUpload(_("The header Upload-Offset says at which byte the piece begins."))
        upload = uploads.append(upload, int(named), _piece(request))
        return Response(UploadOutput(upload).data)

    @extend_schema(operation_id="upload_remove", responses={204: None})
    def delete(self, request: Request, upload_id: int) -> Response:
        uploads.give_up(_upload(request, upload_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ImportListApi(CurationApi):
    """GET your imports, newest first; POST an upload or a folder of the server to be checked."""

    class Input(Choices):
        upload = serializers.IntegerField(required=False, min_value=1, max_value=2**62)
        folder = serializers.CharField(max_length=1000, required=False)

        class Meta:
            ref_name = "ImportBegin"

        def validate(self, data: dict[str, Any]) -> dict[str, Any]:
            if ("upload" in data) == ("folder" in data):
                raise serializers.ValidationError("Give an upload or a folder, one of them.")
            return data

    @extend_schema(
        operation_id="imports",
        parameters=[OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=ImportLine(many=True),
    )
    def get(self, request: Request) -> Response:
        pages = Pages()
        page = pages.paginate_queryset(_imports(request), request, view=self)
        output = ImportLine(page, many=True, context={"request": request})
        return pages.get_paginated_response(output.data)

    @extend_schema(operation_id="import_begin", request=Input, responses={202: ImportOutput})
    def post(self, request: Request) -> Response:
        data = self.Input(data=request.data)
        data.is_valid(raise_exception=True)
        wanted = data.validated_data
        upload = _upload(request, wanted["upload"]) if "upload" in wanted else None
        wish = _wish(wanted, upload=upload, folder=wanted.get("folder", ""))
        return _answer(request, imports.begin(request.user, wish).pk)


class ImportApi(CurationApi):
    """GET one import, DELETE one that was not confirmed."""

    @extend_schema(operation_id="import", responses=ImportOutput)
    def get(self, request: Request, import_id: int) -> Response:
        return _answer(request, _import(request, import_id).pk, status.HTTP_200_OK)

    @extend_schema(operation_id="import_remove", responses={204: None})
    def delete(self, request: Request, import_id: int) -> Response:
        imports.remove(_import(request, import_id).pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CheckApi(CurationApi):
    """POST to check again with other choices; 409 once it was confirmed."""

    @extend_schema(operation_id="import_check", request=Choices, responses={202: ImportOutput})
    def post(self, request: Request, import_id: int) -> Response:
        found = _import(request, import_id)
        data = Choices(data=request.data)
        data.is_valid(raise_exception=True)
        imports.check_again(found.pk, request.user, _wish(data.validated_data))
        return _answer(request, found.pk)


class ConfirmApi(CurationApi):
    """POST to import what was checked; 409 before the check is done, and the second time."""

    @extend_schema(operation_id="import_confirm", request=None, responses={202: ImportOutput})
    def post(self, request: Request, import_id: int) -> Response:
        found = _import(request, import_id)
        imports.confirm(found.pk, request.user)
        return _answer(request, found.pk)


class UndoApi(CurationApi):
    """GET what an undo would take away and leave, POST to do it."""

    class Output(serializers.Serializer):
        captions = serializers.IntegerField()
        boxes = serializers.IntegerField()
        images = serializers.IntegerField()
        identities = serializers.IntegerField()
        cameras = serializers.IntegerField()
        named = serializers.IntegerField(help_text="Others' boxes that get back whom they had.")
        kept_captions = serializers.IntegerField()
        kept_boxes = serializers.IntegerField()
        kept_images = serializers.IntegerField()
        kept_identities = serializers.IntegerField()

        class Meta:
            ref_name = "ImportUndo"

    @extend_schema(operation_id="import_undo_foretell", responses=Output)
    def get(self, request: Request, import_id: int) -> Response:
        found = _import(request, import_id)
        if found.job is None:
            raise Http404
        return Response(self.Output(undo.foretell(found.job)).data)

    @extend_schema(operation_id="import_undo", request=None, responses={202: ImportOutput})
    def post(self, request: Request, import_id: int) -> Response:
        found = _import(request, import_id)
        undo.request(found.pk, request.user)
        return _answer(request, found.pk)


class ResultApi(CurationApi):
    """GET what was imported and every refusal, as JSON or, with ?as=csv, as CSV."""

    class Input(serializers.Serializer):
        vars()["as"] = serializers.ChoiceField(["json", "csv"], default="json")

    @extend_schema(
        operation_id="import_result",
        parameters=[OpenApiParameter("as", enum=["json", "csv"])],
        responses={(200, "application/json"): OpenApiTypes.OBJECT, (200, "text/csv"): str},
    )
    def get(self, request: Request, import_id: int) -> StreamingHttpResponse:
        found = _import(request, import_id)
        wanted = self.Input(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        return import_views.result(found, wanted.validated_data["as"], request.user)


def _piece(request: Request) -> bytes:
    """The body of a request, of the length that it says.

    Raises:
        UploadTooLarge: more than a piece may have; it is not read.
        BadUpload: it ended early, or came too slowly.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    size = int(length) if length.isdigit() else 0
    if size > uploads.PIECE:
        raise UploadTooLarge(
            _("A piece has 1 to %(most)d bytes, not %(size)d.")
            % {"most": uploads.PIECE, "size": size}
        )
    until, data = time.monotonic() + PATIENCE_S, bytearray()
    while len(data) < size:
        part = request._request.read(min(_READ, size - len(data)))
        data += part
        if not part or time.monotonic() > until:
            raise BadUpload(
                _("Of the piece %(there)d bytes of %(size)d came.")
                % {"there": len(data), "size": size}
            )
    return bytes(data)


def _wish(wanted: dict[str, Any], **more: Any) -> imports.Wish:
    return imports.Wish(
        dataset=wanted["dataset"],
        format=wanted.get("format", ""),
        images=wanted["images"],
        options=dict(wanted.get("options", {})),
        **more,
    )


def _upload(request: Request, pk: int) -> Upload:
    found = Upload.objects.visible_to(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _imports(request: Request):
    rows = Import.objects.visible_to(request.user)
    return rows.select_related("check_job", "job", "undo_job", "upload")


def _import(request: Request, pk: int) -> Import:
    found = _imports(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _answer(request: Request, pk: int, code: int = status.HTTP_202_ACCEPTED) -> Response:
    output = ImportOutput(_imports(request).get(pk=pk), context={"request": request})
    job = output.data["undo_job"] or output.data["job"] or output.data["check_job"]
    headers = {"Location": job["url"]} if code == status.HTTP_202_ACCEPTED and job else {}
    return Response(output.data, status=code, headers=headers)
