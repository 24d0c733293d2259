"""The operations of the API. Written by manage.py write_client; do not edit."""

from typing import Any, Literal, NotRequired, TypedDict

from pedsite.client.transport import Picture, Transport

ActionEnum = Literal['search', 'open', 'export', 'change', 'job', 'forget', 'login', 'logout', 'refused', 'key']


AddCaseNoteRequest = TypedDict(
    "AddCaseNoteRequest",
    {
        'text': str,
    },
)


AddCaseSearchRequest = TypedDict(
    "AddCaseSearchRequest",
    {
        'query': str,
    },
)


AddToCaseRequest = TypedDict(
    "AddToCaseRequest",
    {
        'boxes': list[int],
        'text': NotRequired[str],
    },
)


AddedToCase = TypedDict(
    "AddedToCase",
    {
        'added': int,
    },
)


AdjudicateRequest = TypedDict(
    "AdjudicateRequest",
    {
        'finding': int,
        'verdict': "AdjudicationVerdictEnum",
        'note': NotRequired[str],
    },
)


Adjudication = TypedDict(
    "Adjudication",
    {
        'id': int,
        'finding': int,
        'text': str,
        'box': int,
        'verdict': "AdjudicationVerdictEnum",
        'note': NotRequired[str],
        'adjudicator': str,
        'made_at': str,
    },
)


AdjudicationVerdictEnum = Literal['confirmed', 'rejected', 'unsure']


Agreement = TypedDict(
    "Agreement",
    {
        'first': str,
        'second': str,
        'count': int,
        'same': int,
        'kappa': float | None,
    },
)


AskedLanguage = Literal['en', 'zh']


AskedReview = Literal['approved', 'unreviewed']


AuditChain = TypedDict(
    "AuditChain",
    {
        'head': str,
        'waiting': int,
    },
)


AuditEntry = TypedDict(
    "AuditEntry",
    {
        'id': int,
        'at': str,
        'user_id': NotRequired[int | None],
        'username': NotRequired[str],
        'key': NotRequired[str],
        'via': "ViaEnum",
        'address': NotRequired[str | None],
        'action': "ActionEnum",
        'about': NotRequired[str],
        'text': NotRequired[str],
        'purpose': NotRequired[str],
        'version': NotRequired[str],
        'results': NotRequired[int | None],
        'detail': NotRequired[Any],
        'link': int | None,
        'hash': str | None,
    },
)


BlankEnum = Literal['']


Box = TypedDict(
    "Box",
    {
        'id': int,
        'bbox': list[int],
        'source': "BoxSource",
        'score': NotRequired[float | None],
        'review': NotRequired["Review"],
        'dataset': str,
        'identity': NotRequired[str | None],
        'split': NotRequired[str],
        'image': "BoxImage",
        'captions': list["BoxCaption"],
        'url': str,
    },
)


BoxCaption = TypedDict(
    "BoxCaption",
    {
        'kind': NotRequired["KindEnum"],
        'language': NotRequired[Any],
        'text': str,
        'source': "CaptionSource",
        'review': NotRequired["Review"],
    },
)


BoxDrawRequest = TypedDict(
    "BoxDrawRequest",
    {
        'image': int,
        'bbox': list[int],
    },
)


BoxImage = TypedDict(
    "BoxImage",
    {
        'id': int,
        'name': str,
        'width': int,
        'height': int,
        'camera': NotRequired[str | None],
        'taken_at': NotRequired[str | None],
        'url': str,
    },
)


BoxLeft = TypedDict(
    "BoxLeft",
    {
        'box': int,
        'reason': str,
    },
)


BoxQuality = TypedDict(
    "BoxQuality",
    {
        'box': int,
        'bounds': list[int],
        'shorter': int,
        'longer': int,
        'sharpness': float,
        'covered': float,
        'cut': NotRequired[str],
        'reasons': list[str],
        'measured_at': str,
    },
)


BoxSource = Literal['annotated', 'detected', 'whole']


BoxesChangeRequest = TypedDict(
    "BoxesChangeRequest",
    {
        'boxes': list[int],
        'review': NotRequired["Review"],
        'identity': NotRequired[str | None],
        'delete': NotRequired[bool],
    },
)


Caption = TypedDict(
    "Caption",
    {
        'id': int,
        'box': int,
        'dataset': str,
        'kind': NotRequired["KindEnum"],
        'language': NotRequired[Any],
        'text': str,
        'source': "CaptionSource",
        'drafted_by': NotRequired[str],
        'review': NotRequired["Review"],
        'created_at': str,
    },
)


CaptionAddRequest = TypedDict(
    "CaptionAddRequest",
    {
        'box': int,
        'text': str,
        'language': NotRequired["AskedLanguage"],
    },
)


CaptionLanguage = Literal['en', 'zh']


CaptionLeft = TypedDict(
    "CaptionLeft",
    {
        'caption': int,
        'reason': str,
    },
)


CaptionReplaced = TypedDict(
    "CaptionReplaced",
    {
        'caption': int,
        'before': str,
        'after': str,
        'problem': str,
    },
)


CaptionSource = Literal['imported', 'drawn', 'drafted', 'typed']


CaptionsChanged = TypedDict(
    "CaptionsChanged",
    {
        'changed': int,
        'actions': list[int],
        'left': list["CaptionLeft"],
    },
)


CaptionsDecideRequest = TypedDict(
    "CaptionsDecideRequest",
    {
        'captions': list[int],
        'review': "Review",
    },
)


CaptionsReplaceRequest = TypedDict(
    "CaptionsReplaceRequest",
    {
        'dataset': str,
        'find': str,
        'put': str,
        'match_case': NotRequired[bool],
        'whole_words': NotRequired[bool],
        'language': NotRequired["AskedLanguage"],
        'source': NotRequired["CaptionSource"],
        'review': NotRequired["Review"],
        'dry_run': NotRequired[bool],
    },
)


CaptionsReplaced = TypedDict(
    "CaptionsReplaced",
    {
        'would': list["CaptionReplaced"],
        'done': Any,
    },
)


Case = TypedDict(
    "Case",
    {
        'id': int,
        'title': str,
        'reference': NotRequired[str],
        'state': NotRequired["CaseState"],
        'opened_by': NotRequired[str | None],
        'members': list[str],
        'created_at': str,
    },
)


CaseEvent = TypedDict(
    "CaseEvent",
    {
        'id': int,
        'what': "WhatEnum",
        'detail': NotRequired[str],
        'user': NotRequired[str | None],
        'at': str,
    },
)


CaseExport = TypedDict(
    "CaseExport",
    {
        'id': int,
        'sha256': str,
        'byte_size': int,
        'created_at': str,
        'url': str,
    },
)


CaseHit = TypedDict(
    "CaseHit",
    {
        'id': int,
        'box_number': int,
        'state': str,
        'added_by': NotRequired[str | None],
        'added_at': str,
    },
)


CaseMemberRequest = TypedDict(
    "CaseMemberRequest",
    {
        'username': str,
        'member': NotRequired[bool],
    },
)


CaseNote = TypedDict(
    "CaseNote",
    {
        'id': int,
        'text': str,
        'added_by': NotRequired[str | None],
        'added_at': str,
    },
)


CaseSearch = TypedDict(
    "CaseSearch",
    {
        'id': int,
        'query': str,
        'added_by': NotRequired[str | None],
        'added_at': str,
    },
)


CaseState = Literal['open', 'closed']


CompareRequest = TypedDict(
    "CompareRequest",
    {
        'old': str,
        'new': str,
        'texts': NotRequired[list[str]],
    },
)


Comparing = TypedDict(
    "Comparing",
    {
        'id': int,
        'job': int,
    },
)


Comparison = TypedDict(
    "Comparison",
    {
        'old': str,
        'new': str,
        'state': str,
        'overlap': float,
        'overlap_interval': list[float] | None,
        'moved': float,
        'first': dict[str, Any] | None,
        'reciprocal': dict[str, Any] | None,
        'preferred': dict[str, Any] | None,
        'changes': list[dict[str, Any]],
    },
)


CurationAction = TypedDict(
    "CurationAction",
    {
        'id': int,
        'dataset': str,
        'kind': str,
        'rows': int,
        'made_by': NotRequired[str | None],
        'made_at': str,
        'undoes': NotRequired[int | None],
        'undone_by': NotRequired[int | None],
    },
)


CurationChange = TypedDict(
    "CurationChange",
    {
        'model': "ModelEnum",
        'row': int,
        'before': dict[str, Any] | None,
        'after': dict[str, Any] | None,
    },
)


CurationOutcome = TypedDict(
    "CurationOutcome",
    {
        'changed': int,
        'actions': list[int],
        'left': list["BoxLeft"],
    },
)


CurationUndone = TypedDict(
    "CurationUndone",
    {
        'action': int,
        'restored': int,
        'left': list["RowLeft"],
    },
)


Dataset = TypedDict(
    "Dataset",
    {
        'name': str,
        'title': NotRequired[str],
        'kind': NotRequired[str],
        'licence': NotRequired[str],
        'source': NotRequired[str],
        'images': int,
        'boxes': int,
        'identities': int,
        'cameras': list[str],
        'created_at': str,
        'page_url': str,
    },
)


Decision = TypedDict(
    "Decision",
    {
        'id': int | None,
        'changed': int,
    },
)


Delivery = TypedDict(
    "Delivery",
    {
        'id': str,
        'event': "EventEnum",
        'data': dict[str, Any],
        'state': NotRequired["DeliveryStateEnum"],
        'attempts': NotRequired[int],
        'status': NotRequired[int | None],
        'problem': NotRequired[str],
        'created_at': str,
        'due_at': NotRequired[str],
        'delivered_at': NotRequired[str | None],
    },
)


DeliveryStateEnum = Literal['waiting', 'delivered', 'failed']


Differing = TypedDict(
    "Differing",
    {
        'id': int,
        'text': str,
        'like': int | None,
        'box': int,
    },
)


DraftCaptionsRequest = TypedDict(
    "DraftCaptionsRequest",
    {
        'dataset': str,
        'languages': NotRequired[list["AskedLanguage"]],
        'model': NotRequired[str],
        'seed': NotRequired[int],
        'certainty': NotRequired[float],
        'again': NotRequired[bool],
    },
)


Duplicates = TypedDict(
    "Duplicates",
    {
        'keep': int,
        'exact': bool,
        'twins': list["Twin"],
    },
)


Evaluation = TypedDict(
    "Evaluation",
    {
        'id': int,
        'url': str,
        'page_url': str,
        'version': NotRequired[str | None],
        'teacher': NotRequired[str | None],
        'dataset': str,
        'snapshot': int,
        'fingerprint': str,
        'split': "SplitEnum",
        'protocol': "ProtocolEnum",
        'language': NotRequired[str],
        'look': NotRequired[int | None],
        'state': str,
        'job': int,
        'error': str,
        'created_at': str,
    },
)


EvaluationDetail = TypedDict(
    "EvaluationDetail",
    {
        'id': int,
        'url': str,
        'page_url': str,
        'version': NotRequired[str | None],
        'teacher': NotRequired[str | None],
        'dataset': str,
        'snapshot': int,
        'fingerprint': str,
        'split': "SplitEnum",
        'protocol': "ProtocolEnum",
        'language': NotRequired[str],
        'look': NotRequired[int | None],
        'state': str,
        'job': int,
        'error': str,
        'created_at': str,
        'metrics': Any,
    },
)


EvaluationRequestRequest = TypedDict(
    "EvaluationRequestRequest",
    {
        'version': NotRequired[str],
        'teacher': NotRequired[str],
        'dataset': str,
        'split': "SplitEnum",
        'protocol': NotRequired["ProtocolEnum"],
        'language': NotRequired[Any],
    },
)


EventEnum = Literal['job.finished', 'search.matched', 'ping']


EventsEnum = Literal['job.finished', 'search.matched']


FailedBoxes = TypedDict(
    "FailedBoxes",
    {
        'reason': str,
        'boxes': int,
        'examples': list[str],
    },
)


Finding = TypedDict(
    "Finding",
    {
        'id': int,
        'query': int,
        'text': str,
        'like': int | None,
        'box': int,
        'rank': NotRequired[int | None],
        'score': NotRequired[float | None],
        'version': NotRequired[str | None],
        'verdict': "VerdictEnum",
        'found_at': str,
        'crop_url': str,
    },
)


ForgetRequest = TypedDict(
    "ForgetRequest",
    {
        'box': int,
        'confirm': str,
        'purpose': NotRequired[str],
    },
)


FormatEnum = Literal['folder', 'video', 'cuhk_pedes', 'synth_pedes', 'chinese_clip', 'chinese_clip_lmdb', 'flickr8k_cn', 'folder_per_class', 'coco', 'reid_pickles', 'compcars', 'image_matrix']


FreezeRequest = TypedDict(
    "FreezeRequest",
    {
        'dataset': str,
    },
)


GateCheck = TypedDict(
    "GateCheck",
    {
        'title': str,
        'result': "ResultEnum",
        'detail': str,
        'may_be_confirmed': bool,
    },
)


Generation = TypedDict(
    "Generation",
    {
        'version': str,
        'state': "GenerationStateEnum",
        'serves': list[str],
        'boxes': int,
        'enrolled': int,
        'waiting': int,
        'failed': int,
        'jobs': list[int],
        'index': dict[str, Any] | None,
    },
)


GenerationStateEnum = Literal['new', 'enrolling', 'partial', 'ready', 'serving', 'retired', 'deleting']


Grant = TypedDict(
    "Grant",
    {
        'id': int,
        'dataset': str,
        'user': NotRequired[str | None],
        'group': NotRequired[str | None],
        'role': NotRequired[Any],
        'created_at': str,
    },
)


Hit = TypedDict(
    "Hit",
    {
        'rank': int,
        'score': float,
        'box': int,
        'image': str,
        'bbox': list[int],
        'dataset': str,
        'camera': str | None,
        'taken_at': str | None,
        'crop_url': str,
        'frame_url': str,
        'phrases': list["PhraseEvidence"],
        'false_accept_rate': float | None,
        'confident': bool | None,
    },
)


Identity = TypedDict(
    "Identity",
    {
        'id': int,
        'dataset': str,
        'key': str,
        'split': NotRequired[Any],
        'boxes': int,
    },
)


IdentityEnum = Literal['known', 'unknown']


IdentityMergeRequest = TypedDict(
    "IdentityMergeRequest",
    {
        'others': list[int],
        'split': NotRequired[Any],
    },
)


IdentityPartRequest = TypedDict(
    "IdentityPartRequest",
    {
        'boxes': list[int],
        'key': NotRequired[str],
    },
)


Image = TypedDict(
    "Image",
    {
        'id': int,
        'dataset': str,
        'name': str,
        'width': int,
        'height': int,
        'camera': NotRequired[str | None],
        'taken_at': NotRequired[str | None],
        'boxes': int,
        'url': str,
    },
)


ImageBox = TypedDict(
    "ImageBox",
    {
        'id': int,
        'bbox': list[int],
        'source': "BoxSource",
        'score': NotRequired[float | None],
        'review': NotRequired["Review"],
        'identity': NotRequired[str | None],
    },
)


ImageWithBoxes = TypedDict(
    "ImageWithBoxes",
    {
        'id': int,
        'dataset': str,
        'name': str,
        'width': int,
        'height': int,
        'camera': NotRequired[str | None],
        'taken_at': NotRequired[str | None],
        'boxes': list["ImageBox"],
        'url': str,
    },
)


Import = TypedDict(
    "Import",
    {
        'id': int,
        'url': str,
        'name': str,
        'stage': "StageEnum",
        'dataset': str,
        'format': NotRequired[str],
        'path': NotRequired[str],
        'images': NotRequired[str],
        'options': dict[str, Any],
        'upload': NotRequired[int | None],
        'upload_is_gone': bool,
        'report': dict[str, Any],
        'check_job': Any,
        'job': Any,
        'undo_job': Any,
        'created_at': str,
    },
)


ImportBeginRequest = TypedDict(
    "ImportBeginRequest",
    {
        'dataset': str,
        'format': NotRequired["FormatEnum"],
        'images': NotRequired[str],
        'options': NotRequired["OptionsRequest"],
        'upload': NotRequired[int],
        'folder': NotRequired[str],
    },
)


ImportChoicesRequest = TypedDict(
    "ImportChoicesRequest",
    {
        'dataset': str,
        'format': NotRequired["FormatEnum"],
        'images': NotRequired[str],
        'options': NotRequired["OptionsRequest"],
    },
)


ImportLine = TypedDict(
    "ImportLine",
    {
        'id': int,
        'url': str,
        'name': str,
        'stage': "StageEnum",
        'dataset': str,
        'format': NotRequired[str],
        'path': NotRequired[str],
        'images': NotRequired[str],
        'options': dict[str, Any],
        'upload': NotRequired[int | None],
        'upload_is_gone': bool,
        'report': dict[str, Any],
        'check_job': Any,
        'job': Any,
        'undo_job': Any,
        'created_at': str,
    },
)


ImportUndo = TypedDict(
    "ImportUndo",
    {
        'captions': int,
        'boxes': int,
        'images': int,
        'identities': int,
        'cameras': int,
        'named': int,
        'kept_captions': int,
        'kept_boxes': int,
        'kept_images': int,
        'kept_identities': int,
    },
)


JobFailure = TypedDict(
    "JobFailure",
    {
        'id': int,
        'item': str,
        'reason': str,
        'created_at': str,
    },
)


JobOutput = TypedDict(
    "JobOutput",
    {
        'id': int,
        'url': str,
        'kind': str,
        'queue': NotRequired[str],
        'state': NotRequired["JobOutputStateEnum"],
        'params': NotRequired[Any],
        'total': NotRequired[int | None],
        'done': NotRequired[int],
        'failed': NotRequired[int],
        'rate': float | None,
        'eta': float | None,
        'queue_position': int | None,
        'note': NotRequired[str],
        'error': NotRequired[str],
        'result': NotRequired[Any],
        'retry_of': NotRequired[int | None],
        'created_at': str,
        'started_at': NotRequired[str | None],
        'finished_at': NotRequired[str | None],
    },
)


JobOutputStateEnum = Literal['queued', 'running', 'done', 'failed', 'cancelled']


JudgeRequest = TypedDict(
    "JudgeRequest",
    {
        'text': NotRequired[str],
        'like': NotRequired[int | None],
        'boxes': NotRequired[list[int]],
        'findings': NotRequired[list[int]],
        'verdict': "VerdictEnum",
    },
)


Judgement = TypedDict(
    "Judgement",
    {
        'id': int,
        'finding': int,
        'query': int,
        'text': str,
        'like': int | None,
        'box': int,
        'reviewer': str,
        'verdict': "VerdictEnum",
        'decision': NotRequired[int | None],
        'decided_at': str,
    },
)


Key = TypedDict(
    "Key",
    {
        'id': int,
        'name': str,
        'prefix': str,
        'scopes': list["ScopesEnum"],
        'created_at': str,
        'last_used_at': NotRequired[str | None],
        'expires_at': NotRequired[str | None],
        'revoked_at': NotRequired[str | None],
    },
)


KindEnum = Literal['caption', 'attributes', 'prompt']


MadeKey = TypedDict(
    "MadeKey",
    {
        'id': int,
        'name': str,
        'prefix': str,
        'scopes': list["ScopesEnum"],
        'created_at': str,
        'last_used_at': NotRequired[str | None],
        'expires_at': NotRequired[str | None],
        'revoked_at': NotRequired[str | None],
        'secret': str,
    },
)


MadeWebhook = TypedDict(
    "MadeWebhook",
    {
        'id': int,
        'url': str,
        'events': list["EventsEnum"],
        'is_on': bool,
        'off_reason': NotRequired[str],
        'off_at': NotRequired[str | None],
        'failures': int,
        'heard_at': NotRequired[str | None],
        'rotated_at': NotRequired[str | None],
        'created_at': str,
        'secret': str,
    },
)


MakeGrantRequest = TypedDict(
    "MakeGrantRequest",
    {
        'dataset': str,
        'user': NotRequired[str],
        'role': NotRequired["RoleEnum"],
    },
)


MakeKeyRequest = TypedDict(
    "MakeKeyRequest",
    {
        'name': str,
        'scopes': list["ScopesEnum"],
        'days': int | None,
    },
)


MakeUserRequest = TypedDict(
    "MakeUserRequest",
    {
        'username': str,
        'email': NotRequired[Any],
        'role': "RoleEnum",
        'password': str,
    },
)


MakeWebhookRequest = TypedDict(
    "MakeWebhookRequest",
    {
        'url': str,
        'events': NotRequired[list["EventsEnum"]],
    },
)


MeasureBoxesRequest = TypedDict(
    "MeasureBoxesRequest",
    {
        'dataset': str,
    },
)


ModeEnum = Literal['fast', 'thorough', 'exact', 'compact']


Model = TypedDict(
    "Model",
    {
        'id': int,
        'name': str,
        'space': str,
        'dim': int,
        'image': "Tower",
        'text': Any,
        'licence': NotRequired[str],
        'notes': NotRequired[str],
        'metrics': NotRequired[Any],
        'created_at': str,
    },
)


ModelEnum = Literal['image', 'identity', 'box', 'caption']


OpenCaseRequest = TypedDict(
    "OpenCaseRequest",
    {
        'title': str,
        'reference': NotRequired[str],
    },
)


OptionsRequest = TypedDict(
    "OptionsRequest",
    {
        'fps': NotRequired[float],
        'start': NotRequired[str],
        'test_records': NotRequired[int],
        'category': NotRequired[str],
    },
)


PageOfAdjudication = TypedDict(
    "PageOfAdjudication",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Adjudication"],
    },
)


PageOfAuditEntry = TypedDict(
    "PageOfAuditEntry",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["AuditEntry"],
    },
)


PageOfBox = TypedDict(
    "PageOfBox",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Box"],
    },
)


PageOfBoxQuality = TypedDict(
    "PageOfBoxQuality",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["BoxQuality"],
    },
)


PageOfCaption = TypedDict(
    "PageOfCaption",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Caption"],
    },
)


PageOfCase = TypedDict(
    "PageOfCase",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Case"],
    },
)


PageOfCaseEvent = TypedDict(
    "PageOfCaseEvent",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["CaseEvent"],
    },
)


PageOfCaseHit = TypedDict(
    "PageOfCaseHit",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["CaseHit"],
    },
)


PageOfCaseNote = TypedDict(
    "PageOfCaseNote",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["CaseNote"],
    },
)


PageOfCaseSearch = TypedDict(
    "PageOfCaseSearch",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["CaseSearch"],
    },
)


PageOfCurationAction = TypedDict(
    "PageOfCurationAction",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["CurationAction"],
    },
)


PageOfCurationChange = TypedDict(
    "PageOfCurationChange",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["CurationChange"],
    },
)


PageOfDataset = TypedDict(
    "PageOfDataset",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Dataset"],
    },
)


PageOfDelivery = TypedDict(
    "PageOfDelivery",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Delivery"],
    },
)


PageOfDiffering = TypedDict(
    "PageOfDiffering",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Differing"],
    },
)


PageOfDuplicates = TypedDict(
    "PageOfDuplicates",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Duplicates"],
    },
)


PageOfEvaluation = TypedDict(
    "PageOfEvaluation",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Evaluation"],
    },
)


PageOfFinding = TypedDict(
    "PageOfFinding",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Finding"],
    },
)


PageOfGrant = TypedDict(
    "PageOfGrant",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Grant"],
    },
)


PageOfIdentity = TypedDict(
    "PageOfIdentity",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Identity"],
    },
)


PageOfImage = TypedDict(
    "PageOfImage",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Image"],
    },
)


PageOfImportLine = TypedDict(
    "PageOfImportLine",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["ImportLine"],
    },
)


PageOfJobFailure = TypedDict(
    "PageOfJobFailure",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["JobFailure"],
    },
)


PageOfJobOutput = TypedDict(
    "PageOfJobOutput",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["JobOutput"],
    },
)


PageOfJudgement = TypedDict(
    "PageOfJudgement",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Judgement"],
    },
)


PageOfModel = TypedDict(
    "PageOfModel",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Model"],
    },
)


PageOfRemoval = TypedDict(
    "PageOfRemoval",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Removal"],
    },
)


PageOfRun = TypedDict(
    "PageOfRun",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Run"],
    },
)


PageOfSnapshot = TypedDict(
    "PageOfSnapshot",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Snapshot"],
    },
)


PageOfUser = TypedDict(
    "PageOfUser",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["User"],
    },
)


PageOfWebhook = TypedDict(
    "PageOfWebhook",
    {
        'next': str | None,
        'previous': str | None,
        'results': list["Webhook"],
    },
)


PatchedBoxEditRequest = TypedDict(
    "PatchedBoxEditRequest",
    {
        'bbox': NotRequired[list[int]],
        'review': NotRequired["Review"],
        'identity': NotRequired[str | None],
    },
)


PatchedCaptionEditRequest = TypedDict(
    "PatchedCaptionEditRequest",
    {
        'text': NotRequired[str],
    },
)


PatchedChangeCaseRequest = TypedDict(
    "PatchedChangeCaseRequest",
    {
        'title': NotRequired[str],
        'reference': NotRequired[str],
        'state': NotRequired["CaseState"],
    },
)


PatchedChangeUserRequest = TypedDict(
    "PatchedChangeUserRequest",
    {
        'role': NotRequired["RoleEnum"],
        'is_active': NotRequired[bool],
    },
)


PatchedIdentityEditRequest = TypedDict(
    "PatchedIdentityEditRequest",
    {
        'key': NotRequired[str],
        'split': NotRequired[Any],
    },
)


PauseQueueRequest = TypedDict(
    "PauseQueueRequest",
    {
        'reason': NotRequired[str],
    },
)


PersonLikeness = TypedDict(
    "PersonLikeness",
    {
        'version': str,
        'boxes': list["PersonSighting"],
        'alike': list["PersonSuggestion"],
    },
)


PersonSighting = TypedDict(
    "PersonSighting",
    {
        'box': int,
        'likeness': float | None,
        'is_odd': bool,
    },
)


PersonSuggestion = TypedDict(
    "PersonSuggestion",
    {
        'box': int,
        'identity': int | None,
        'key': NotRequired[str | None],
        'likeness': float,
    },
)


PhraseEvidence = TypedDict(
    "PhraseEvidence",
    {
        'phrase': str,
        'role': str,
        'shown': float,
    },
)


Problem = TypedDict(
    "Problem",
    {
        'type': str,
        'title': str,
        'status': int,
        'detail': str,
        'code': str,
        'errors': NotRequired[Any],
    },
)


ProtocolEnum = Literal['all_pairs', 'sequential']


QueryKindsEnum = Literal['text', 'picture']


Queue = TypedDict(
    "Queue",
    {
        'name': str,
        'running': int,
        'waiting': int,
        'paused': bool,
        'since': NotRequired[str | None],
        'reason': NotRequired[str],
    },
)


QueuedJobs = TypedDict(
    "QueuedJobs",
    {
        'jobs': list[int],
    },
)


RecipeEnum = Literal['clip', 'distill', 'distill_text', 'cmpm', 'gem']


Removal = TypedDict(
    "Removal",
    {
        'id': int,
        'why': "WhyEnum",
        'dataset_name': str,
        'purpose': NotRequired[str],
        'job': NotRequired[int | None],
        'state': NotRequired[str],
        'report': NotRequired[Any],
        'requested_by': NotRequired[str | None],
        'requested_at': str,
        'finished_at': NotRequired[str | None],
    },
)


ResultEnum = Literal['passed', 'unknown', 'failed']


RetentionRule = TypedDict(
    "RetentionRule",
    {
        'dataset': str,
        'days': int | None,
        'since': "SinceEnum",
        'images_due': int,
        'boxes_due': int,
    },
)


Review = Literal['unreviewed', 'approved', 'hidden']


RoleEnum = Literal['viewer', 'reviewer', 'curator', 'operator', 'admin']


RowLeft = TypedDict(
    "RowLeft",
    {
        'model': str,
        'row': int,
        'reason': str,
    },
)


Run = TypedDict(
    "Run",
    {
        'id': int,
        'url': str,
        'page_url': str,
        'recipe': str,
        'version_name': str,
        'version': NotRequired[str | None],
        'source': str,
        'fingerprint': NotRequired[str | None],
        'revision': NotRequired[str],
        'state': str,
        'job': int,
        'queue_position': int | None,
        'done': int,
        'total': int | None,
        'eta': float | None,
        'note': str,
        'error': str,
        'created_at': str,
    },
)


RunDetail = TypedDict(
    "RunDetail",
    {
        'id': int,
        'url': str,
        'page_url': str,
        'recipe': str,
        'version_name': str,
        'version': NotRequired[str | None],
        'source': str,
        'fingerprint': NotRequired[str | None],
        'revision': NotRequired[str],
        'state': str,
        'job': int,
        'queue_position': int | None,
        'done': int,
        'total': int | None,
        'eta': float | None,
        'note': str,
        'error': str,
        'created_at': str,
        'config': Any,
        'curves': dict[str, Any],
    },
)


RunRequestRequest = TypedDict(
    "RunRequestRequest",
    {
        'recipe': "RecipeEnum",
        'dataset': str,
        'snapshot': NotRequired[int | None],
        'settings': NotRequired[dict[str, Any]],
        'name': NotRequired[str],
        'licence': NotRequired[str],
    },
)


SaveSearchRequest = TypedDict(
    "SaveSearchRequest",
    {
        'name': str,
        'query': str,
    },
)


SavedSearch = TypedDict(
    "SavedSearch",
    {
        'id': int,
        'name': str,
        'query': str,
        'seen_at': str,
        'created_at': str,
    },
)


SavedSearchNews = TypedDict(
    "SavedSearchNews",
    {
        'id': int,
        'name': str,
        'query': str,
        'seen_at': str,
        'created_at': str,
        'version': str,
        'problem': str,
        'matches': int,
        'new': list["Hit"],
    },
)


ScopesEnum = Literal['search', 'read', 'write', 'operate']


SearchBatchAnswer = TypedDict(
    "SearchBatchAnswer",
    {
        'status': int,
        'page': NotRequired["SearchPage"],
        'problem': NotRequired[Any],
    },
)


SearchBatchAnswers = TypedDict(
    "SearchBatchAnswers",
    {
        'answers': list["SearchBatchAnswer"],
    },
)


SearchBatchRequest = TypedDict(
    "SearchBatchRequest",
    {
        'queries': list[Any],
    },
)


SearchPage = TypedDict(
    "SearchPage",
    {
        'version': str,
        'mode': str,
        'exact': bool,
        'searched': int,
        'waiting': int,
        'failed': int,
        'failures': list["FailedBoxes"],
        'expected_false_hits': float | None,
        'measured_on': str | None,
        'next': str | None,
        'hits': list["Hit"],
    },
)


SearchRequest = TypedDict(
    "SearchRequest",
    {
        'text': NotRequired[str],
        'image': NotRequired[Picture],
        'box': NotRequired[int],
        'text_weight': NotRequired[float],
        'image_weight': NotRequired[float],
        'box_weight': NotRequired[float],
        'datasets': NotRequired[list[str]],
        'cameras': NotRequired[list[str]],
        'after': NotRequired[str | None],
        'before': NotRequired[str | None],
        'hours': NotRequired[str | None],
        'identity': NotRequired[Any],
        'captions': NotRequired[list[str]],
        'review': NotRequired[Any],
        'far': NotRequired[float],
        'purpose': NotRequired[str],
        'limit': NotRequired[int],
        'cursor': NotRequired[str],
        'version': NotRequired[str],
        'mode': NotRequired["ModeEnum"],
    },
)


SearchRetryJobs = TypedDict(
    "SearchRetryJobs",
    {
        'jobs': list[int],
    },
)


SearchRetryRequest = TypedDict(
    "SearchRetryRequest",
    {
        'version': str,
        'datasets': NotRequired[list[str]],
    },
)


SendToReviewRequest = TypedDict(
    "SendToReviewRequest",
    {
        'query': str,
        'limit': NotRequired[int],
        'boxes': NotRequired[list[int]],
    },
)


SentToReview = TypedDict(
    "SentToReview",
    {
        'query': int,
        'added': int,
    },
)


Serving = TypedDict(
    "Serving",
    {
        'version': str,
        'query_kind': str,
        'since': str,
    },
)


SetRetentionRequest = TypedDict(
    "SetRetentionRequest",
    {
        'dataset': str,
        'days': int | None,
        'since': NotRequired["SinceEnum"],
    },
)


SinceEnum = Literal['taken', 'imported']


Snapshot = TypedDict(
    "Snapshot",
    {
        'id': int,
        'dataset': str,
        'number': int,
        'fingerprint': str,
        'boxes': int,
        'captions': int,
        'frozen_by': NotRequired[str | None],
        'created_at': str,
    },
)


SnapshotChange = TypedDict(
    "SnapshotChange",
    {
        'box': int,
        'split': str,
        'kind': str,
        'what': list[list[str]],
    },
)


SnapshotComparison = TypedDict(
    "SnapshotComparison",
    {
        'counts': Any,
        'changes': list["SnapshotChange"],
        'more': int,
    },
)


SnapshotDetail = TypedDict(
    "SnapshotDetail",
    {
        'id': int,
        'dataset': str,
        'number': int,
        'fingerprint': str,
        'boxes': int,
        'captions': int,
        'frozen_by': NotRequired[str | None],
        'created_at': str,
        'splits': dict[str, Any],
        'judged': Any,
        'gains': list[dict[str, Any]],
    },
)


SplitCounts = TypedDict(
    "SplitCounts",
    {
        'none': int,
        'train': int,
        'validation': int,
        'test': int,
    },
)


SplitEnum = Literal['train', 'validation', 'test']


SplitSharesRequest = TypedDict(
    "SplitSharesRequest",
    {
        'train': NotRequired[float],
        'validation': NotRequired[float],
        'test': NotRequired[float],
        'seed': NotRequired[int],
    },
)


StageEnum = Literal['checking', 'checked', 'unreadable', 'importing', 'imported', 'undoing', 'undone']


SwitchRequest = TypedDict(
    "SwitchRequest",
    {
        'query_kinds': NotRequired[list["QueryKindsEnum"]],
        'confirmed': NotRequired[bool],
    },
)


Tower = TypedDict(
    "Tower",
    {
        'id': int,
        'sha256': str,
        'byte_size': int,
        'preprocessing': NotRequired[Any],
    },
)


Twin = TypedDict(
    "Twin",
    {
        'box': int,
        'bits': int,
    },
)


UndoRequest = TypedDict(
    "UndoRequest",
    {
        'decision': NotRequired[int | None],
    },
)


Upload = TypedDict(
    "Upload",
    {
        'id': int,
        'name': str,
        'size': int,
        'received': NotRequired[int],
        'is_whole': bool,
        'piece': int,
        'created_at': str,
    },
)


UploadBeginRequest = TypedDict(
    "UploadBeginRequest",
    {
        'name': str,
        'size': int,
    },
)


User = TypedDict(
    "User",
    {
        'id': int,
        'username': str,
        'email': NotRequired[Any],
        'role': NotRequired["RoleEnum"],
        'is_active': NotRequired[bool],
        'last_login': NotRequired[str | None],
        'date_joined': NotRequired[str],
    },
)


VerdictEnum = Literal['unreviewed', 'confirmed', 'rejected', 'unsure']


ViaEnum = Literal['page', 'api', 'admin', 'command', 'worker']


Webhook = TypedDict(
    "Webhook",
    {
        'id': int,
        'url': str,
        'events': list["EventsEnum"],
        'is_on': bool,
        'off_reason': NotRequired[str],
        'off_at': NotRequired[str | None],
        'failures': int,
        'heard_at': NotRequired[str | None],
        'rotated_at': NotRequired[str | None],
        'created_at': str,
    },
)


WebhookSecret = TypedDict(
    "WebhookSecret",
    {
        'secret': str,
    },
)


WhatEnum = Literal['opened', 'changed', 'added_hits', 'added_search', 'added_note', 'removed', 'shared', 'unshared', 'exported', 'downloaded']


WhyEnum = Literal['person', 'retention']


class Operations(Transport):
    """Every operation, by the name that the description gives it."""

    def action(
        self,
        action_id: int,
    ) -> CurationAction:
        """GET one action."""
        answer: CurationAction = self.send(
            "GET",
            "/api/v1/actions/{action_id}",
            places={"action_id": action_id},
        )
        return answer

    def action_undo(
        self,
        action_id: int,
    ) -> CurationUndone:
        """POST to take an action back; 409 where all of it was changed since."""
        answer: CurationUndone = self.send(
            "POST",
            "/api/v1/actions/{action_id}/undo",
            places={"action_id": action_id},
        )
        return answer

    def actions(
        self,
        *,
        cursor: str | None = None,
        dataset: str | None = None,
        limit: int | None = None,
        model: Literal['image', 'identity', 'box', 'caption'] | None = None,
        row: int | None = None,
    ) -> PageOfCurationAction:
        """GET who changed what by hand, newest first; with `model` and `row`, of one row."""
        answer: PageOfCurationAction = self.send(
            "GET",
            "/api/v1/actions",
            query={"cursor": cursor, "dataset": dataset, "limit": limit, "model": model, "row": row},
        )
        return answer

    def add_case_hits(
        self,
        id: int,
        *,
        boxes: list[int],
        text: str | None = None,
    ) -> AddedToCase:
        """Add boxes; those in it stay as they are."""
        answer: AddedToCase = self.send(
            "POST",
            "/api/v1/cases/{id}/hits",
            places={"id": id},
            body={"boxes": boxes, "text": text},
        )
        return answer

    def add_case_note(
        self,
        id: int,
        *,
        text: str,
    ) -> CaseNote:
        """Add one."""
        answer: CaseNote = self.send(
            "POST",
            "/api/v1/cases/{id}/notes",
            places={"id": id},
            body={"text": text},
        )
        return answer

    def add_case_search(
        self,
        id: int,
        *,
        query: str,
    ) -> CaseSearch:
        """Add one."""
        answer: CaseSearch = self.send(
            "POST",
            "/api/v1/cases/{id}/searches",
            places={"id": id},
            body={"query": query},
        )
        return answer

    def adjudicate(
        self,
        *,
        finding: int,
        verdict: AdjudicationVerdictEnum,
        note: str | None = None,
    ) -> Adjudication:
        """Decide on a finding of which others say different things. Who judged it may not; what."""
        answer: Adjudication = self.send(
            "POST",
            "/api/v1/adjudications",
            body={"finding": finding, "verdict": verdict, "note": note},
        )
        return answer

    def adjudications(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfAdjudication:
        """Decisions that stand, yours and those on what you judged; newest first."""
        answer: PageOfAdjudication = self.send(
            "GET",
            "/api/v1/adjudications",
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def agreement(
        self,
    ) -> list[Agreement]:
        """Every two reviewers, on what both decided and you did as well; /findings lists where."""
        answer: list[Agreement] = self.send(
            "GET",
            "/api/v1/agreement",
        )
        return answer

    def audit(
        self,
        *,
        action: Literal['search', 'open', 'export', 'change', 'job', 'forget', 'login', 'logout', 'refused', 'key'] | None = None,
        after: str | None = None,
        before: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        purpose: str | None = None,
        who: str | None = None,
        words: str | None = None,
    ) -> PageOfAuditEntry:
        """Newest first."""
        answer: PageOfAuditEntry = self.send(
            "GET",
            "/api/v1/audit",
            query={"action": action, "after": after, "before": before, "cursor": cursor, "limit": limit, "purpose": purpose, "who": who, "words": words},
        )
        return answer

    def audit_chain(
        self,
    ) -> AuditChain:
        """The head of the chain, and what waits to be linked."""
        answer: AuditChain = self.send(
            "GET",
            "/api/v1/audit/chain",
        )
        return answer

    def audit_entry(
        self,
        id: int,
    ) -> AuditEntry:
        """All that is known of it."""
        answer: AuditEntry = self.send(
            "GET",
            "/api/v1/audit/{id}",
            places={"id": id},
        )
        return answer

    def box(
        self,
        box_id: int,
    ) -> Box:
        """GET one box; PATCH its bounds, its review or who it is; DELETE it with its captions."""
        answer: Box = self.send(
            "GET",
            "/api/v1/boxes/{box_id}",
            places={"box_id": box_id},
        )
        return answer

    def box_delete(
        self,
        box_id: int,
    ) -> None:
        """GET one box; PATCH its bounds, its review or who it is; DELETE it with its captions."""
        answer: None = self.send(
            "DELETE",
            "/api/v1/boxes/{box_id}",
            places={"box_id": box_id},
        )
        return answer

    def box_draw(
        self,
        *,
        image: int,
        bbox: list[int],
    ) -> Box:
        """GET boxes that you may see, by the filters of a dataset's page; POST draws one."""
        answer: Box = self.send(
            "POST",
            "/api/v1/boxes",
            body={"image": image, "bbox": bbox},
        )
        return answer

    def box_edit(
        self,
        box_id: int,
        *,
        bbox: list[int] | None = None,
        review: Review | None = None,
        identity: str | None | None = None,
    ) -> Box:
        """GET one box; PATCH its bounds, its review or who it is; DELETE it with its captions."""
        answer: Box = self.send(
            "PATCH",
            "/api/v1/boxes/{box_id}",
            places={"box_id": box_id},
            body={"bbox": bbox, "review": review, "identity": identity},
        )
        return answer

    def boxes(
        self,
        *,
        camera: str | None = None,
        cursor: str | None = None,
        dataset: str | None = None,
        identity: Literal['known', 'unknown'] | None = None,
        least: int | None = None,
        limit: int | None = None,
        most: int | None = None,
        review: Literal['unreviewed', 'approved', 'hidden', 'any'] | None = None,
        source: Literal['annotated', 'detected', 'whole'] | None = None,
        split: Literal['train', 'validation', 'test', 'none'] | None = None,
        words: str | None = None,
    ) -> PageOfBox:
        """GET boxes that you may see, by the filters of a dataset's page; POST draws one."""
        answer: PageOfBox = self.send(
            "GET",
            "/api/v1/boxes",
            query={"camera": camera, "cursor": cursor, "dataset": dataset, "identity": identity, "least": least, "limit": limit, "most": most, "review": review, "source": source, "split": split, "words": words},
        )
        return answer

    def boxes_change(
        self,
        *,
        boxes: list[int],
        review: Review | None = None,
        identity: str | None | None = None,
        delete: bool | None = None,
    ) -> CurationOutcome:
        """POST one action on many boxes, which is undone as one: review, assign or delete."""
        answer: CurationOutcome = self.send(
            "POST",
            "/api/v1/boxes/change",
            body={"boxes": boxes, "review": review, "identity": identity, "delete": delete},
        )
        return answer

    def caption(
        self,
        caption_id: int,
    ) -> Caption:
        """Curators only; what they may not see is as if it were not there."""
        answer: Caption = self.send(
            "GET",
            "/api/v1/captions/{caption_id}",
            places={"caption_id": caption_id},
        )
        return answer

    def caption_add(
        self,
        *,
        box: int,
        text: str,
        language: AskedLanguage | None = None,
    ) -> Caption:
        """A caption that a person wrote: it is approved."""
        answer: Caption = self.send(
            "POST",
            "/api/v1/captions",
            body={"box": box, "text": text, "language": language},
        )
        return answer

    def caption_edit(
        self,
        caption_id: int,
        *,
        text: str | None = None,
    ) -> Caption:
        """Other words: they are yours from then on, and approved."""
        answer: Caption = self.send(
            "PATCH",
            "/api/v1/captions/{caption_id}",
            places={"caption_id": caption_id},
            body={"text": text},
        )
        return answer

    def captions(
        self,
        *,
        box: int | None = None,
        cursor: str | None = None,
        dataset: str | None = None,
        kind: Literal['caption', 'attributes', 'prompt'] | None = None,
        language: Literal['en', 'zh'] | None = None,
        limit: int | None = None,
        review: Literal['unreviewed', 'approved', 'hidden'] | None = None,
        source: Literal['imported', 'drawn', 'drafted', 'typed'] | None = None,
        words: str | None = None,
    ) -> PageOfCaption:
        """Captions of the datasets that you may see, newest first."""
        answer: PageOfCaption = self.send(
            "GET",
            "/api/v1/captions",
            query={"box": box, "cursor": cursor, "dataset": dataset, "kind": kind, "language": language, "limit": limit, "review": review, "source": source, "words": words},
        )
        return answer

    def captions_decide(
        self,
        *,
        captions: list[int],
        review: Review,
    ) -> CaptionsChanged:
        """Approve or reject many; one action in each dataset, which can be undone."""
        answer: CaptionsChanged = self.send(
            "POST",
            "/api/v1/captions/decide",
            body={"captions": captions, "review": review},
        )
        return answer

    def captions_replace(
        self,
        *,
        dataset: str,
        find: str,
        put: str,
        match_case: bool | None = None,
        whole_words: bool | None = None,
        language: AskedLanguage | None = None,
        source: CaptionSource | None = None,
        review: Review | None = None,
        dry_run: bool | None = None,
    ) -> CaptionsReplaced:
        """Words for words in a dataset's captions, a dry run unless told otherwise."""
        answer: CaptionsReplaced = self.send(
            "POST",
            "/api/v1/captions/replace",
            body={"dataset": dataset, "find": find, "put": put, "match_case": match_case, "whole_words": whole_words, "language": language, "source": source, "review": review, "dry_run": dry_run},
        )
        return answer

    def case(
        self,
        id: int,
    ) -> Case:
        """What it is called, and who works on it."""
        answer: Case = self.send(
            "GET",
            "/api/v1/cases/{id}",
            places={"id": id},
        )
        return answer

    def case_export_file(
        self,
        export_id: int,
        id: int,
    ) -> bytes:
        """The zip; each download is noted in the case's history."""
        answer: bytes = self.send(
            "GET",
            "/api/v1/cases/{id}/exports/{export_id}/file",
            places={"export_id": export_id, "id": id},
            file=True,
        )
        return answer

    def case_exports(
        self,
        id: int,
    ) -> list[CaseExport]:
        """Those that you may have, newest first."""
        answer: list[CaseExport] = self.send(
            "GET",
            "/api/v1/cases/{id}/exports",
            places={"id": id},
        )
        return answer

    def case_history(
        self,
        id: int,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfCaseEvent:
        """Newest first."""
        answer: PageOfCaseEvent = self.send(
            "GET",
            "/api/v1/cases/{id}/history",
            places={"id": id},
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def case_hits(
        self,
        id: int,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfCaseHit:
        """Newest first; a box that was deleted says so."""
        answer: PageOfCaseHit = self.send(
            "GET",
            "/api/v1/cases/{id}/hits",
            places={"id": id},
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def case_members(
        self,
        id: int,
        *,
        username: str,
        member: bool | None = None,
    ) -> Case:
        """Let a reviewer in, or shut one out."""
        answer: Case = self.send(
            "POST",
            "/api/v1/cases/{id}/members",
            places={"id": id},
            body={"username": username, "member": member},
        )
        return answer

    def case_notes(
        self,
        id: int,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfCaseNote:
        """Newest first."""
        answer: PageOfCaseNote = self.send(
            "GET",
            "/api/v1/cases/{id}/notes",
            places={"id": id},
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def case_searches(
        self,
        id: int,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfCaseSearch:
        """Newest first."""
        answer: PageOfCaseSearch = self.send(
            "GET",
            "/api/v1/cases/{id}/searches",
            places={"id": id},
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def cases(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfCase:
        """Newest first."""
        answer: PageOfCase = self.send(
            "GET",
            "/api/v1/cases",
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def change_case(
        self,
        id: int,
        *,
        title: str | None = None,
        reference: str | None = None,
        state: CaseState | None = None,
    ) -> Case:
        """Rename, close or open it."""
        answer: Case = self.send(
            "PATCH",
            "/api/v1/cases/{id}",
            places={"id": id},
            body={"title": title, "reference": reference, "state": state},
        )
        return answer

    def change_user(
        self,
        id: int,
        *,
        role: RoleEnum | None = None,
        is_active: bool | None = None,
    ) -> User:
        """Change the role, let them in or shut them out; at once."""
        answer: User = self.send(
            "PATCH",
            "/api/v1/users/{id}",
            places={"id": id},
            body={"role": role, "is_active": is_active},
        )
        return answer

    def changes(
        self,
        action_id: int,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfCurationChange:
        """GET what an action changed: each row with its fields before and after."""
        answer: PageOfCurationChange = self.send(
            "GET",
            "/api/v1/actions/{action_id}/changes",
            places={"action_id": action_id},
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def compare(
        self,
        *,
        old: str,
        new: str,
        texts: list[str] | None = None,
    ) -> Comparing:
        """Have two versions answer the same questions."""
        answer: Comparing = self.send(
            "POST",
            "/api/v1/comparisons",
            body={"old": old, "new": new, "texts": texts},
        )
        return answer

    def compare_snapshots(
        self,
        id: int,
        *,
        old: int,
    ) -> SnapshotComparison:
        """What came, went and changed since an older one, by split."""
        answer: SnapshotComparison = self.send(
            "GET",
            "/api/v1/snapshots/{id}/compare",
            places={"id": id},
            query={"old": old},
        )
        return answer

    def comparison(
        self,
        comparison_id: int,
    ) -> Comparison:
        """What changed between two versions, each interval paired by question."""
        answer: Comparison = self.send(
            "GET",
            "/api/v1/comparisons/{comparison_id}",
            places={"comparison_id": comparison_id},
        )
        return answer

    def datasets(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfDataset:
        """GET the datasets that you may see, newest first, with how much is in each."""
        answer: PageOfDataset = self.send(
            "GET",
            "/api/v1/datasets",
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def delete_case(
        self,
        id: int,
    ) -> None:
        """Delete it with its history and the files of its exports."""
        answer: None = self.send(
            "DELETE",
            "/api/v1/cases/{id}",
            places={"id": id},
        )
        return answer

    def delete_saved_search(
        self,
        id: int,
    ) -> None:
        """Delete it."""
        answer: None = self.send(
            "DELETE",
            "/api/v1/searches/{id}",
            places={"id": id},
        )
        return answer

    def differing(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfDiffering:
        """Others differ on them, and you have not judged them."""
        answer: PageOfDiffering = self.send(
            "GET",
            "/api/v1/adjudications/waiting",
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def draft_captions(
        self,
        *,
        dataset: str,
        languages: list[AskedLanguage] | None = None,
        model: str | None = None,
        seed: int | None = None,
        certainty: float | None = None,
        again: bool | None = None,
    ) -> JobOutput:
        """Drafts are marked as such until somebody approves them; what people wrote stays."""
        answer: JobOutput = self.send(
            "POST",
            "/api/v1/captions/draft",
            body={"dataset": dataset, "languages": languages, "model": model, "seed": seed, "certainty": certainty, "again": again},
        )
        return answer

    def duplicates(
        self,
        *,
        dataset: str,
        cursor: str | None = None,
        kind: Literal['exact', 'near'] | None = None,
        limit: int | None = None,
    ) -> PageOfDuplicates:
        """Boxes that look the same, in groups, each with the one that is worth keeping."""
        answer: PageOfDuplicates = self.send(
            "GET",
            "/api/v1/duplicates",
            query={"cursor": cursor, "dataset": dataset, "kind": kind, "limit": limit},
        )
        return answer

    def evaluate(
        self,
        *,
        dataset: str,
        split: SplitEnum,
        version: str | None = None,
        teacher: str | None = None,
        protocol: ProtocolEnum | None = None,
        language: Any | None = None,
    ) -> Evaluation:
        """Have a version measured on a split."""
        answer: Evaluation = self.send(
            "POST",
            "/api/v1/evaluations",
            body={"version": version, "teacher": teacher, "dataset": dataset, "split": split, "protocol": protocol, "language": language},
        )
        return answer

    def evaluation(
        self,
        evaluation_id: int,
    ) -> EvaluationDetail:
        """One evaluation with all its numbers."""
        answer: EvaluationDetail = self.send(
            "GET",
            "/api/v1/evaluations/{evaluation_id}",
            places={"evaluation_id": evaluation_id},
        )
        return answer

    def evaluations(
        self,
        *,
        cursor: str | None = None,
        dataset: str | None = None,
        limit: int | None = None,
        split: Literal['train', 'validation', 'test'] | None = None,
        version: str | None = None,
    ) -> PageOfEvaluation:
        """Evaluations on datasets that you may see, newest first."""
        answer: PageOfEvaluation = self.send(
            "GET",
            "/api/v1/evaluations",
            query={"cursor": cursor, "dataset": dataset, "limit": limit, "split": split, "version": version},
        )
        return answer

    def export_case(
        self,
        id: int,
    ) -> JobOutput:
        """Have it written by the workers; the job's result names the export."""
        answer: JobOutput = self.send(
            "POST",
            "/api/v1/cases/{id}/exports",
            places={"id": id},
        )
        return answer

    def findings(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        query: int | None = None,
        state: Literal['unreviewed', 'second', 'confirmed', 'rejected', 'unsure', 'disputed'] | None = None,
    ) -> PageOfFinding:
        """Findings in one state as you judged them, newest first."""
        answer: PageOfFinding = self.send(
            "GET",
            "/api/v1/findings",
            query={"cursor": cursor, "limit": limit, "query": query, "state": state},
        )
        return answer

    def forget_person(
        self,
        *,
        box: int,
        confirm: str,
        purpose: str | None = None,
    ) -> Removal:
        """Forget a person: there is no way back."""
        answer: Removal = self.send(
            "POST",
            "/api/v1/removals",
            body={"box": box, "confirm": confirm, "purpose": purpose},
        )
        return answer

    def freeze(
        self,
        *,
        dataset: str,
    ) -> JobOutput:
        """Freeze a dataset as it is, with what reviewers agree on; curators only. The finished."""
        answer: JobOutput = self.send(
            "POST",
            "/api/v1/snapshots",
            body={"dataset": dataset},
        )
        return answer

    def gate(
        self,
        name: str,
    ) -> list[GateCheck]:
        """GET what has to hold before a version takes over."""
        answer: list[GateCheck] = self.send(
            "GET",
            "/api/v1/generations/{name}/gate",
            places={"name": name},
        )
        return answer

    def generation_delete(
        self,
        name: str,
    ) -> QueuedJobs:
        """Delete the vectors of a version that does not serve."""
        answer: QueuedJobs = self.send(
            "POST",
            "/api/v1/generations/{name}/delete",
            places={"name": name},
        )
        return answer

    def generation_enroll(
        self,
        name: str,
    ) -> QueuedJobs:
        """Embed every box with this version, beside the one that serves."""
        answer: QueuedJobs = self.send(
            "POST",
            "/api/v1/generations/{name}/enroll",
            places={"name": name},
        )
        return answer

    def generations(
        self,
    ) -> list[Generation]:
        """GET every version with what it covers; operators only."""
        answer: list[Generation] = self.send(
            "GET",
            "/api/v1/generations",
        )
        return answer

    def grants(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfGrant:
        """Newest first."""
        answer: PageOfGrant = self.send(
            "GET",
            "/api/v1/grants",
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def identities(
        self,
        *,
        cursor: str | None = None,
        dataset: str | None = None,
        key: str | None = None,
        limit: int | None = None,
        split: Literal['train', 'validation', 'test', 'none'] | None = None,
    ) -> PageOfIdentity:
        """GET the people of the datasets that you may see, newest first."""
        answer: PageOfIdentity = self.send(
            "GET",
            "/api/v1/identities",
            query={"cursor": cursor, "dataset": dataset, "key": key, "limit": limit, "split": split},
        )
        return answer

    def identity(
        self,
        identity_id: int,
    ) -> Identity:
        """GET one person; PATCH their key or their split."""
        answer: Identity = self.send(
            "GET",
            "/api/v1/identities/{identity_id}",
            places={"identity_id": identity_id},
        )
        return answer

    def identity_edit(
        self,
        identity_id: int,
        *,
        key: str | None = None,
        split: Any | None = None,
    ) -> Identity:
        """GET one person; PATCH their key or their split."""
        answer: Identity = self.send(
            "PATCH",
            "/api/v1/identities/{identity_id}",
            places={"identity_id": identity_id},
            body={"key": key, "split": split},
        )
        return answer

    def identity_likeness(
        self,
        identity_id: int,
    ) -> PersonLikeness:
        """GET who might be the same person, and which of their boxes look unlike the rest."""
        answer: PersonLikeness = self.send(
            "GET",
            "/api/v1/identities/{identity_id}/likeness",
            places={"identity_id": identity_id},
        )
        return answer

    def identity_merge(
        self,
        identity_id: int,
        *,
        others: list[int],
        split: Any | None = None,
    ) -> Identity:
        """POST to make other people one with this one; 409 where their splits differ."""
        answer: Identity = self.send(
            "POST",
            "/api/v1/identities/{identity_id}/merge",
            places={"identity_id": identity_id},
            body={"others": others, "split": split},
        )
        return answer

    def identity_part(
        self,
        identity_id: int,
        *,
        boxes: list[int],
        key: str | None = None,
    ) -> Identity:
        """POST to take boxes out of a person; they become somebody new, in the same split."""
        answer: Identity = self.send(
            "POST",
            "/api/v1/identities/{identity_id}/part",
            places={"identity_id": identity_id},
            body={"boxes": boxes, "key": key},
        )
        return answer

    def image(
        self,
        image_id: int,
    ) -> ImageWithBoxes:
        """GET one picture with its boxes, hidden ones too."""
        answer: ImageWithBoxes = self.send(
            "GET",
            "/api/v1/images/{image_id}",
            places={"image_id": image_id},
        )
        return answer

    def images(
        self,
        *,
        camera: str | None = None,
        cursor: str | None = None,
        dataset: str | None = None,
        limit: int | None = None,
    ) -> PageOfImage:
        """GET pictures of the datasets that you may see, newest first."""
        answer: PageOfImage = self.send(
            "GET",
            "/api/v1/images",
            query={"camera": camera, "cursor": cursor, "dataset": dataset, "limit": limit},
        )
        return answer

    def import_(
        self,
        import_id: int,
    ) -> Import:
        """GET one import, DELETE one that was not confirmed."""
        answer: Import = self.send(
            "GET",
            "/api/v1/imports/{import_id}",
            places={"import_id": import_id},
        )
        return answer

    def import_begin(
        self,
        *,
        dataset: str,
        format: FormatEnum | None = None,
        images: str | None = None,
        options: OptionsRequest | None = None,
        upload: int | None = None,
        folder: str | None = None,
    ) -> Import:
        """GET your imports, newest first; POST an upload or a folder of the server to be
        checked."""
        answer: Import = self.send(
            "POST",
            "/api/v1/imports",
            body={"dataset": dataset, "format": format, "images": images, "options": options, "upload": upload, "folder": folder},
        )
        return answer

    def import_check(
        self,
        import_id: int,
        *,
        dataset: str,
        format: FormatEnum | None = None,
        images: str | None = None,
        options: OptionsRequest | None = None,
    ) -> Import:
        """POST to check again with other choices; 409 once it was confirmed."""
        answer: Import = self.send(
            "POST",
            "/api/v1/imports/{import_id}/check",
            places={"import_id": import_id},
            body={"dataset": dataset, "format": format, "images": images, "options": options},
        )
        return answer

    def import_confirm(
        self,
        import_id: int,
    ) -> Import:
        """POST to import what was checked; 409 before the check is done, and the second time."""
        answer: Import = self.send(
            "POST",
            "/api/v1/imports/{import_id}/confirm",
            places={"import_id": import_id},
        )
        return answer

    def import_remove(
        self,
        import_id: int,
    ) -> None:
        """GET one import, DELETE one that was not confirmed."""
        answer: None = self.send(
            "DELETE",
            "/api/v1/imports/{import_id}",
            places={"import_id": import_id},
        )
        return answer

    def import_result(
        self,
        import_id: int,
        *,
        as_: Literal['csv', 'json'] | None = None,
    ) -> dict[str, Any]:
        """GET what was imported and every refusal, as JSON or, with ?as=csv, as CSV."""
        answer: dict[str, Any] = self.send(
            "GET",
            "/api/v1/imports/{import_id}/result",
            places={"import_id": import_id},
            query={"as": as_},
        )
        return answer

    def import_undo(
        self,
        import_id: int,
    ) -> Import:
        """GET what an undo would take away and leave, POST to do it."""
        answer: Import = self.send(
            "POST",
            "/api/v1/imports/{import_id}/undo",
            places={"import_id": import_id},
        )
        return answer

    def import_undo_foretell(
        self,
        import_id: int,
    ) -> ImportUndo:
        """GET what an undo would take away and leave, POST to do it."""
        answer: ImportUndo = self.send(
            "GET",
            "/api/v1/imports/{import_id}/undo",
            places={"import_id": import_id},
        )
        return answer

    def imports(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfImportLine:
        """GET your imports, newest first; POST an upload or a folder of the server to be
        checked."""
        answer: PageOfImportLine = self.send(
            "GET",
            "/api/v1/imports",
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def job(
        self,
        job_id: int,
    ) -> JobOutput:
        """One job and how far it is."""
        answer: JobOutput = self.send(
            "GET",
            "/api/v1/jobs/{job_id}",
            places={"job_id": job_id},
        )
        return answer

    def job_cancel(
        self,
        job_id: int,
    ) -> JobOutput:
        """End a job."""
        answer: JobOutput = self.send(
            "POST",
            "/api/v1/jobs/{job_id}/cancel",
            places={"job_id": job_id},
        )
        return answer

    def job_failures(
        self,
        job_id: int,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfJobFailure:
        """Items that a job could not do, and why."""
        answer: PageOfJobFailure = self.send(
            "GET",
            "/api/v1/jobs/{job_id}/failures",
            places={"job_id": job_id},
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def job_retry(
        self,
        job_id: int,
    ) -> JobOutput:
        """Do the failed items again."""
        answer: JobOutput = self.send(
            "POST",
            "/api/v1/jobs/{job_id}/retry",
            places={"job_id": job_id},
        )
        return answer

    def jobs(
        self,
        *,
        cursor: str | None = None,
        kind: str | None = None,
        limit: int | None = None,
        state: Literal['queued', 'running', 'done', 'failed', 'cancelled'] | None = None,
    ) -> PageOfJobOutput:
        """Jobs that you may see, newest first."""
        answer: PageOfJobOutput = self.send(
            "GET",
            "/api/v1/jobs",
            query={"cursor": cursor, "kind": kind, "limit": limit, "state": state},
        )
        return answer

    def judge(
        self,
        *,
        verdict: VerdictEnum,
        text: str | None = None,
        like: int | None | None = None,
        boxes: list[int] | None = None,
        findings: list[int] | None = None,
    ) -> Decision:
        """Say what findings are, or whether boxes answer a description or are like a box."""
        answer: Decision = self.send(
            "POST",
            "/api/v1/judgements",
            body={"text": text, "like": like, "boxes": boxes, "findings": findings, "verdict": verdict},
        )
        return answer

    def judgements(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        query: int | None = None,
        verdict: Literal['unreviewed', 'confirmed', 'rejected', 'unsure'] | None = None,
    ) -> PageOfJudgement:
        """Yours, and those of others on what you decided yourself; newest first."""
        answer: PageOfJudgement = self.send(
            "GET",
            "/api/v1/judgements",
            query={"cursor": cursor, "limit": limit, "query": query, "verdict": verdict},
        )
        return answer

    def keys(
        self,
    ) -> list[Key]:
        """Newest first, those that ended too."""
        answer: list[Key] = self.send(
            "GET",
            "/api/v1/keys",
        )
        return answer

    def make_grant(
        self,
        *,
        dataset: str,
        user: str | None = None,
        role: RoleEnum | None = None,
    ) -> Grant:
        """Let a user, or everyone of a role, see a dataset."""
        answer: Grant = self.send(
            "POST",
            "/api/v1/grants",
            body={"dataset": dataset, "user": user, "role": role},
        )
        return answer

    def make_key(
        self,
        *,
        name: str,
        scopes: list[ScopesEnum],
        days: int | None,
    ) -> MadeKey:
        """Make one."""
        answer: MadeKey = self.send(
            "POST",
            "/api/v1/keys",
            body={"name": name, "scopes": scopes, "days": days},
        )
        return answer

    def make_user(
        self,
        *,
        username: str,
        role: RoleEnum,
        password: str,
        email: Any | None = None,
    ) -> User:
        """Make one."""
        answer: User = self.send(
            "POST",
            "/api/v1/users",
            body={"username": username, "email": email, "role": role, "password": password},
        )
        return answer

    def measure_boxes(
        self,
        *,
        dataset: str,
    ) -> JobOutput:
        """Measure the boxes that were not, or that changed, and group what looks the same."""
        answer: JobOutput = self.send(
            "POST",
            "/api/v1/quality/measure",
            body={"dataset": dataset},
        )
        return answer

    def models(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfModel:
        """GET the model versions, newest first."""
        answer: PageOfModel = self.send(
            "GET",
            "/api/v1/models",
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def open_case(
        self,
        *,
        title: str,
        reference: str | None = None,
    ) -> Case:
        """Open one."""
        answer: Case = self.send(
            "POST",
            "/api/v1/cases",
            body={"title": title, "reference": reference},
        )
        return answer

    def quality(
        self,
        *,
        dataset: str,
        covered: float | None = None,
        cursor: str | None = None,
        cut: bool | None = None,
        limit: int | None = None,
        reason: Literal['small', 'blurred', 'hidden_by_others', 'cut_off'] | None = None,
        sharpness: float | None = None,
        shorter: int | None = None,
    ) -> PageOfBoxQuality:
        """Boxes below a threshold, newest measure first."""
        answer: PageOfBoxQuality = self.send(
            "GET",
            "/api/v1/quality",
            query={"covered": covered, "cursor": cursor, "cut": cut, "dataset": dataset, "limit": limit, "reason": reason, "sharpness": sharpness, "shorter": shorter},
        )
        return answer

    def queue_pause(
        self,
        name: str,
        *,
        reason: str | None = None,
    ) -> list[Queue]:
        """Pause a queue."""
        answer: list[Queue] = self.send(
            "POST",
            "/api/v1/queues/{name}/pause",
            places={"name": name},
            body={"reason": reason},
        )
        return answer

    def queue_resume(
        self,
        name: str,
    ) -> list[Queue]:
        """Resume a queue."""
        answer: list[Queue] = self.send(
            "POST",
            "/api/v1/queues/{name}/resume",
            places={"name": name},
        )
        return answer

    def queues(
        self,
    ) -> list[Queue]:
        """Queues: what runs, what waits, and which are paused."""
        answer: list[Queue] = self.send(
            "GET",
            "/api/v1/queues",
        )
        return answer

    def queues_resume(
        self,
    ) -> list[Queue]:
        """Resume all queues."""
        answer: list[Queue] = self.send(
            "POST",
            "/api/v1/queues/resume",
        )
        return answer

    def removal(
        self,
        id: int,
    ) -> Removal:
        """How far it is, what it removed, and who had held it."""
        answer: Removal = self.send(
            "GET",
            "/api/v1/removals/{id}",
            places={"id": id},
        )
        return answer

    def removal_again(
        self,
        id: int,
    ) -> Removal:
        """Go on with it."""
        answer: Removal = self.send(
            "POST",
            "/api/v1/removals/{id}/again",
            places={"id": id},
        )
        return answer

    def removals(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfRemoval:
        """Newest first."""
        answer: PageOfRemoval = self.send(
            "GET",
            "/api/v1/removals",
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def remove_from_case(
        self,
        entry: int,
        id: int,
        kind: str,
    ) -> None:
        """Take it out; the history keeps what it was."""
        answer: None = self.send(
            "DELETE",
            "/api/v1/cases/{id}/{kind}/{entry}",
            places={"entry": entry, "id": id, "kind": kind},
        )
        return answer

    def remove_grant(
        self,
        id: int,
    ) -> None:
        """Take it back, at once."""
        answer: None = self.send(
            "DELETE",
            "/api/v1/grants/{id}",
            places={"id": id},
        )
        return answer

    def retention(
        self,
    ) -> list[RetentionRule]:
        """The rules, each with what it would remove now: a dry run."""
        answer: list[RetentionRule] = self.send(
            "GET",
            "/api/v1/retention",
        )
        return answer

    def revoke_key(
        self,
        key_id: int,
    ) -> None:
        """Revoke it: it does not work any longer."""
        answer: None = self.send(
            "DELETE",
            "/api/v1/keys/{key_id}",
            places={"key_id": key_id},
        )
        return answer

    def roll_back(
        self,
        name: str,
    ) -> list[Serving]:
        """Let what answered before this version answer again, at once."""
        answer: list[Serving] = self.send(
            "POST",
            "/api/v1/generations/{name}/roll-back",
            places={"name": name},
        )
        return answer

    def run(
        self,
        run_id: int,
    ) -> RunDetail:
        """One training with its configuration and curves."""
        answer: RunDetail = self.send(
            "GET",
            "/api/v1/runs/{run_id}",
            places={"run_id": run_id},
        )
        return answer

    def run_cancel(
        self,
        run_id: int,
    ) -> Run:
        """End a training at once."""
        answer: Run = self.send(
            "POST",
            "/api/v1/runs/{run_id}/cancel",
            places={"run_id": run_id},
        )
        return answer

    def run_finish(
        self,
        run_id: int,
    ) -> Run:
        """End a training with a version after this epoch."""
        answer: Run = self.send(
            "POST",
            "/api/v1/runs/{run_id}/finish",
            places={"run_id": run_id},
        )
        return answer

    def run_resume(
        self,
        run_id: int,
    ) -> Run:
        """Go on with a training from its last checkpoint."""
        answer: Run = self.send(
            "POST",
            "/api/v1/runs/{run_id}/resume",
            places={"run_id": run_id},
        )
        return answer

    def runs(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        recipe: Literal['clip', 'distill', 'distill_text', 'cmpm', 'gem'] | None = None,
        state: Literal['queued', 'running', 'done', 'failed', 'cancelled'] | None = None,
    ) -> PageOfRun:
        """Trainings that you may see, newest first."""
        answer: PageOfRun = self.send(
            "GET",
            "/api/v1/runs",
            query={"cursor": cursor, "limit": limit, "recipe": recipe, "state": state},
        )
        return answer

    def save_search(
        self,
        *,
        name: str,
        query: str,
    ) -> SavedSearch:
        """Keep one; what it finds now counts as seen."""
        answer: SavedSearch = self.send(
            "POST",
            "/api/v1/searches",
            body={"name": name, "query": query},
        )
        return answer

    def saved_search(
        self,
        id: int,
    ) -> SavedSearchNews:
        """It, and its matches that were not there when it was last marked as seen."""
        answer: SavedSearchNews = self.send(
            "GET",
            "/api/v1/searches/{id}",
            places={"id": id},
        )
        return answer

    def saved_search_seen(
        self,
        id: int,
    ) -> None:
        """Mark all that it finds now as seen."""
        answer: None = self.send(
            "POST",
            "/api/v1/searches/{id}/seen",
            places={"id": id},
        )
        return answer

    def saved_searches(
        self,
    ) -> list[SavedSearch]:
        """All of them, by name."""
        answer: list[SavedSearch] = self.send(
            "GET",
            "/api/v1/searches",
        )
        return answer

    def search(
        self,
        *,
        text: str | None = None,
        image: Picture | None = None,
        box: int | None = None,
        text_weight: float | None = None,
        image_weight: float | None = None,
        box_weight: float | None = None,
        datasets: list[str] | None = None,
        cameras: list[str] | None = None,
        after: str | None | None = None,
        before: str | None | None = None,
        hours: str | None | None = None,
        identity: Any | None = None,
        captions: list[str] | None = None,
        review: Any | None = None,
        far: float | None = None,
        purpose: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        version: str | None = None,
        mode: ModeEnum | None = None,
    ) -> SearchPage:
        """Find people by a description, by a picture, or by another box."""
        answer: SearchPage = self.send(
            "POST",
            "/api/v1/search",
            body={"text": text, "image": image, "box": box, "text_weight": text_weight, "image_weight": image_weight, "box_weight": box_weight, "datasets": datasets, "cameras": cameras, "after": after, "before": before, "hours": hours, "identity": identity, "captions": captions, "review": review, "far": far, "purpose": purpose, "limit": limit, "cursor": cursor, "version": version, "mode": mode},
        )
        return answer

    def search_batch(
        self,
        *,
        queries: list[Any],
    ) -> SearchBatchAnswers:
        """One answer for each query, in their order; one that is refused does not stop the
        rest."""
        answer: SearchBatchAnswers = self.send(
            "POST",
            "/api/v1/search/batch",
            body={"queries": queries},
        )
        return answer

    def search_retry(
        self,
        *,
        version: str,
        datasets: list[str] | None = None,
    ) -> SearchRetryJobs:
        """Queue the enrollment of all that waits or failed; operators only."""
        answer: SearchRetryJobs = self.send(
            "POST",
            "/api/v1/search/retry",
            body={"version": version, "datasets": datasets},
        )
        return answer

    def send_to_review(
        self,
        *,
        query: str,
        limit: int | None = None,
        boxes: list[int] | None = None,
    ) -> SentToReview:
        """Put the first hits of a search, or chosen boxes, into the queue."""
        answer: SentToReview = self.send(
            "POST",
            "/api/v1/findings",
            body={"query": query, "limit": limit, "boxes": boxes},
        )
        return answer

    def set_retention(
        self,
        *,
        dataset: str,
        days: int | None,
        since: SinceEnum | None = None,
    ) -> RetentionRule:
        """Set or, with null days, drop the rule of a dataset; it is applied once a day."""
        answer: RetentionRule = self.send(
            "PUT",
            "/api/v1/retention",
            body={"dataset": dataset, "days": days, "since": since},
        )
        return answer

    def snapshot(
        self,
        id: int,
    ) -> SnapshotDetail:
        """What is in it, and what was learned from it."""
        answer: SnapshotDetail = self.send(
            "GET",
            "/api/v1/snapshots/{id}",
            places={"id": id},
        )
        return answer

    def snapshots(
        self,
        *,
        cursor: str | None = None,
        dataset: str | None = None,
        limit: int | None = None,
    ) -> PageOfSnapshot:
        """Newest first."""
        answer: PageOfSnapshot = self.send(
            "GET",
            "/api/v1/snapshots",
            query={"cursor": cursor, "dataset": dataset, "limit": limit},
        )
        return answer

    def splits(
        self,
        name: str,
    ) -> SplitCounts:
        """GET how many people each split has; POST to share out those who have none."""
        answer: SplitCounts = self.send(
            "GET",
            "/api/v1/datasets/{name}/splits",
            places={"name": name},
        )
        return answer

    def splits_assign(
        self,
        name: str,
        *,
        train: float | None = None,
        validation: float | None = None,
        test: float | None = None,
        seed: int | None = None,
    ) -> SplitCounts:
        """GET how many people each split has; POST to share out those who have none."""
        answer: SplitCounts = self.send(
            "POST",
            "/api/v1/datasets/{name}/splits",
            places={"name": name},
            body={"train": train, "validation": validation, "test": test, "seed": seed},
        )
        return answer

    def switch(
        self,
        name: str,
        *,
        query_kinds: list[QueryKindsEnum] | None = None,
        confirmed: bool | None = None,
    ) -> list[Serving]:
        """Let this version answer, in one transaction."""
        answer: list[Serving] = self.send(
            "POST",
            "/api/v1/generations/{name}/switch",
            places={"name": name},
            body={"query_kinds": query_kinds, "confirmed": confirmed},
        )
        return answer

    def train(
        self,
        *,
        recipe: RecipeEnum,
        dataset: str,
        snapshot: int | None | None = None,
        settings: dict[str, Any] | None = None,
        name: str | None = None,
        licence: str | None = None,
    ) -> Run:
        """Start a training."""
        answer: Run = self.send(
            "POST",
            "/api/v1/runs",
            body={"recipe": recipe, "dataset": dataset, "snapshot": snapshot, "settings": settings, "name": name, "licence": licence},
        )
        return answer

    def undo_adjudication(
        self,
        id: int,
    ) -> None:
        """Take yours back: the finding waits again, and the decision stays in the history."""
        answer: None = self.send(
            "DELETE",
            "/api/v1/adjudications/{id}",
            places={"id": id},
        )
        return answer

    def undo_judgement(
        self,
        *,
        decision: int | None | None = None,
    ) -> Decision:
        """Take a decision of yours back; what was said before holds again."""
        answer: Decision = self.send(
            "POST",
            "/api/v1/judgements/undo",
            body={"decision": decision},
        )
        return answer

    def upload(
        self,
        upload_id: int,
    ) -> Upload:
        """GET how far an upload is, PATCH its next piece, DELETE it; 409 while an import uses
        it."""
        answer: Upload = self.send(
            "GET",
            "/api/v1/uploads/{upload_id}",
            places={"upload_id": upload_id},
        )
        return answer

    def upload_begin(
        self,
        *,
        name: str,
        size: int,
    ) -> Upload:
        """POST to begin an upload; its pieces follow by PATCH."""
        answer: Upload = self.send(
            "POST",
            "/api/v1/uploads",
            body={"name": name, "size": size},
        )
        return answer

    def upload_piece(
        self,
        upload_id: int,
        piece: bytes,
        *,
        upload_offset: int,
    ) -> Upload:
        """GET how far an upload is, PATCH its next piece, DELETE it; 409 while an import uses
        it."""
        answer: Upload = self.send(
            "PATCH",
            "/api/v1/uploads/{upload_id}",
            places={"upload_id": upload_id},
            raw=piece,
            headers={"Upload-Offset": str(upload_offset)},
        )
        return answer

    def upload_remove(
        self,
        upload_id: int,
    ) -> None:
        """GET how far an upload is, PATCH its next piece, DELETE it; 409 while an import uses
        it."""
        answer: None = self.send(
            "DELETE",
            "/api/v1/uploads/{upload_id}",
            places={"upload_id": upload_id},
        )
        return answer

    def user(
        self,
        id: int,
    ) -> User:
        """What they are called and what they may do."""
        answer: User = self.send(
            "GET",
            "/api/v1/users/{id}",
            places={"id": id},
        )
        return answer

    def users(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfUser:
        """Newest first."""
        answer: PageOfUser = self.send(
            "GET",
            "/api/v1/users",
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def webhook(
        self,
        webhook_id: int,
    ) -> Webhook:
        """One webhook, and whether it is on."""
        answer: Webhook = self.send(
            "GET",
            "/api/v1/webhooks/{webhook_id}",
            places={"webhook_id": webhook_id},
        )
        return answer

    def webhook_delete(
        self,
        webhook_id: int,
    ) -> None:
        """Delete a webhook."""
        answer: None = self.send(
            "DELETE",
            "/api/v1/webhooks/{webhook_id}",
            places={"webhook_id": webhook_id},
        )
        return answer

    def webhook_deliver_again(
        self,
        delivery_id: str,
        webhook_id: int,
    ) -> Delivery:
        """Send a message again."""
        answer: Delivery = self.send(
            "POST",
            "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/again",
            places={"delivery_id": delivery_id, "webhook_id": webhook_id},
        )
        return answer

    def webhook_deliveries(
        self,
        webhook_id: int,
        *,
        cursor: str | None = None,
        limit: int | None = None,
        state: Literal['waiting', 'delivered', 'failed'] | None = None,
    ) -> PageOfDelivery:
        """Messages of 30 days, and which arrived."""
        answer: PageOfDelivery = self.send(
            "GET",
            "/api/v1/webhooks/{webhook_id}/deliveries",
            places={"webhook_id": webhook_id},
            query={"cursor": cursor, "limit": limit, "state": state},
        )
        return answer

    def webhook_make(
        self,
        *,
        url: str,
        events: list[EventsEnum] | None = None,
    ) -> MadeWebhook:
        """Have messages sent to an address."""
        answer: MadeWebhook = self.send(
            "POST",
            "/api/v1/webhooks",
            body={"url": url, "events": events},
        )
        return answer

    def webhook_on(
        self,
        webhook_id: int,
    ) -> Webhook:
        """Turn a webhook on again, and send what waited."""
        answer: Webhook = self.send(
            "POST",
            "/api/v1/webhooks/{webhook_id}/on",
            places={"webhook_id": webhook_id},
        )
        return answer

    def webhook_ping(
        self,
        webhook_id: int,
    ) -> Delivery:
        """Send a test message."""
        answer: Delivery = self.send(
            "POST",
            "/api/v1/webhooks/{webhook_id}/ping",
            places={"webhook_id": webhook_id},
        )
        return answer

    def webhook_secret(
        self,
        webhook_id: int,
    ) -> WebhookSecret:
        """Change the secret of a webhook."""
        answer: WebhookSecret = self.send(
            "POST",
            "/api/v1/webhooks/{webhook_id}/secret",
            places={"webhook_id": webhook_id},
        )
        return answer

    def webhooks(
        self,
        *,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> PageOfWebhook:
        """Your webhooks."""
        answer: PageOfWebhook = self.send(
            "GET",
            "/api/v1/webhooks",
            query={"cursor": cursor, "limit": limit},
        )
        return answer

    def withdraw(
        self,
        *,
        query: int,
    ) -> None:
        """Take what nobody judged of a query out of the queue: what you sent, or as an operator."""
        answer: None = self.send(
            "DELETE",
            "/api/v1/findings",
            query={"query": query},
        )
        return answer
