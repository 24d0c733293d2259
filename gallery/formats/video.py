"""Frames of a video at a chosen rate, stored as JPEG; detection finds the people in them later."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2

from gallery.formats.records import (
    MAX_KEY,
    Entry,
    Format,
    Mark,
    Record,
    Refusal,
    Tick,
    Unreadable,
    shown,
)

DEFAULT_FPS = 2.0
QUALITY = 92
# Where a file does not say its rate.
ASSUMED_FPS = 25.0
TICK_FRAMES = 50
# First bytes of the containers that are opened. A play list would name other files to read.
_CONTAINERS = (
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"), (8, b"AVI "),
    (0, b"\x1aE\xdf\xa3"), (0, b"\x00\x00\x01\xba"), (0, b"\x00\x00\x01\xb3"), (0, b"G@"),
    (0, b"FLV"), (0, b"0&\xb2u"), (0, b"OggS"),
)  # fmt: skip


def read(
    path: str,
    images: str | None = None,
    *,
    after: Mark | None = None,
    fps: float = DEFAULT_FPS,
    start: str | None = None,
) -> Iterator[Entry]:
    """Frames at `fps`, in order; the camera is the file's stem.

    Frame times are `start` (ISO 8601, UTC where it names no zone) plus the position in the
    video; without `start` there are none. Every frame before a mark is decoded again: seeking
    in compressed video may land beside the frame, which would then count as another picture.

    Raises:
        Unreadable: not a video, a rate that is not positive, or a start that is no time.
    """
    begin = _time(start)
    wanted = _rate(fps)
    video, source = _open(path), Path(path)
    try:
        rate = video.get(cv2.CAP_PROP_FPS) or ASSUMED_FPS
        done = after if isinstance(after, int) else -1
        frame = -1
        while video.grab():
            frame += 1
            if frame <= done or not _chosen(frame, wanted, rate):
                if frame % TICK_FRAMES == 0:
                    yield Tick()
                continue
            taken_at = begin + timedelta(seconds=frame / rate) if begin else None
            yield _entry(video, source.stem, frame, taken_at)
        promised = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        # Headers round; a file that was cut lacks more than that.
        if frame + 1 < promised * 0.95 - 2 and frame >= done:
            reason = f"the video ends after {frame + 1} of {promised} frames: it was cut"
            yield Refusal(item=f"{shown(source.name)} frame {frame + 1}", reason=reason, mark=frame)
    finally:
        video.release()


def total(
    path: str, images: str | None = None, *, fps: float = DEFAULT_FPS, start: str | None = None
) -> int | None:
    """About how many frames will be taken, by the file's header.

    Raises:
        Unreadable: as `read`.
    """
    _time(start)
    wanted = _rate(fps)
    video = _open(path)
    try:
        rate = video.get(cv2.CAP_PROP_FPS) or ASSUMED_FPS
        frames = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    finally:
        video.release()
    if frames <= 0:
        return None
    return sum(_chosen(frame, wanted, rate) for frame in range(frames))


def _chosen(frame: int, wanted: float, rate: float) -> bool:
    """Whether a frame is the first one of its slot of 1 / wanted seconds."""
    return frame == 0 or int(frame * wanted / rate) > int((frame - 1) * wanted / rate)


def _entry(
    video: cv2.VideoCapture, stem: str, frame: int, taken_at: datetime | None
) -> Record | Refusal:
    item = f"{shown(stem)} frame {frame}"
    good, picture = video.retrieve()
    if good:
        good, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not good:
        return Refusal(item=item, reason="the frame does not decode", mark=frame)
    return Record(
        item=item,
        name=shown(f"{stem}-{frame:06d}.jpg"),
        content=coded.tobytes(),
        mark=frame,
        camera=shown(stem)[:MAX_KEY],
        taken_at=taken_at,
    )


def _open(path: str) -> cv2.VideoCapture:
    source = Path(path)
    if not source.is_file():
        raise Unreadable(f"{path} is not a file.")
    with source.open("rb") as file:
        head = file.read(16)
    if not any(head[at : at + len(magic)] == magic for at, magic in _CONTAINERS):
        raise Unreadable(f"{path} is not a video (no container of a known kind).")
    video = cv2.VideoCapture(str(source), cv2.CAP_FFMPEG)
    if not video.isOpened():
        raise Unreadable(f"{path} is not a video that can be decoded.")
    return video


def _rate(fps: float) -> float:
    if not 0 < fps <= 1000:
        raise Unreadable(f"{fps} frames a second cannot be taken.")
    return fps


def _time(start: str | None) -> datetime | None:
    if start is None:
        return None
    try:
        moment = datetime.fromisoformat(start)
    except ValueError as exc:
        raise Unreadable(f"“{start}” is not a time like 2024-05-01T09:30:00.") from exc
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


FORMAT = Format(read=read, total=total, options=frozenset({"fps", "start"}))
