"""Archives from outside, unpacked into a new folder, or refused by the name of what is wrong.

Nothing that an archive says of itself is believed: bytes are counted as they come, files are made
new with our own rights, and one bad member refuses the whole.
"""

import bz2
import gzip
import lzma
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.utils.translation import gettext as _

from gallery.errors import BadArchive

PIECE = 2**18
# A tar's own headers are read in one piece.
MOST_HEADER = 2**20
MOST_NAME = 1000
MOST_PART = 255
# Photographs hardly shrink, texts some twenty times; beyond this, what unpacks is made of nothing.
MOST_RATIO = 200
# Below this nobody is harmed, whatever the ratio.
FREE_BYTES = 32 * 2**20
ENDINGS = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tbz2", ".txz")
_DRIVE = re.compile(r"^[A-Za-z]:")
_COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
_UNKNOWN = {b"Rar!": "RAR", b"7z\xbc\xaf": "7z", b"\x28\xb5\x2f\xfd": "Zstandard"}


@dataclass(frozen=True, slots=True)
class Limits:
    total: int  # bytes of all files together
    files: int
    ratio: int = MOST_RATIO


class _Member(NamedTuple):
    name: str
    is_folder: bool
    open: Callable[[], IO[bytes]]
    packed: int | None  # bytes in the archive, where it says so


def is_archive(path: Path) -> bool:
    """Whether the bytes are those of a zip or a tar, compressed or not.

    Raises:
        BadArchive: they are of an archive that is not read here.
    """
    with path.open("rb") as file:
        head = file.read(512)
    for magic, name in _UNKNOWN.items():
        if head.startswith(magic):
            raise BadArchive(
                _("A %(name)s archive is not read here: send a zip or a tar.") % {"name": name}
            )
    packed = any(head.startswith(magic) for magic in _COMPRESSED)
    return packed or head[257:262] == b"ustar" or zipfile.is_zipfile(path)


def refuse_unlike(name: str) -> None:
    """Nothing, for the name of a file that need not be an archive.

    Raises:
        BadArchive: by its name it is one, so that its bytes were cut short or are something else.
    """
    if name.lower().endswith(ENDINGS):
        raise BadArchive(
            _("%(name)s is not a readable archive: it was cut short, or is something else.")
            % {"name": name}
        )


def unpack(archive: Path, into: Path, limits: Limits, beat: Callable[[], None]) -> None:
    """Unpack a zip or tar into a folder, which is made and must not be there.

    Args:
        beat: called for each piece that is written; what it raises ends the unpacking.

    Raises:
        BadArchive: what is wrong, with the member's name. What was unpacked is left to the caller.
    """
    into.mkdir(parents=True)
    size = archive.stat().st_size
    # NotImplementedError is how zipfile says that a member's compression is unknown to it.
    try:
        members = _zip(archive) if zipfile.is_zipfile(archive) else _tar(archive, limits)
        _write(members, into, limits, size, beat)
    except (
        zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError, zlib.error, lzma.LZMAError,
        EOFError, NotImplementedError, UnicodeError, OSError, RuntimeError, ValueError,
    ) as exc:  # fmt: skip
        raise BadArchive(_("The archive is damaged: %(why)s") % {"why": _words(exc)}) from exc


def _write(
    members: Iterator[_Member], into: Path, limits: Limits, size: int, beat: Callable[[], None]
) -> None:
    total = files = 0
    for member in members:
        files += 1
        if files > limits.files:
            raise BadArchive(
                _("The archive has more than %(most)d files.") % {"most": limits.files}
            )
        target = into / _checked(member.name)
        if member.is_folder:
            _folder(target, member.name)
            continue
        _folder(target.parent, member.name)
        begun = total
        with _new(target, member.name) as out, member.open() as source:
            while data := source.read(PIECE):
                total += len(data)
                _weigh(member, total, total - begun, limits, size)
                out.write(data)
                beat()
        beat()


def _weigh(member: _Member, total: int, unpacked: int, limits: Limits, size: int) -> None:
    """Raises: BadArchive, there is more than the limits allow, or than its bytes can mean."""
    if total > limits.total:
        raise BadArchive(
            _("The archive unpacks to more than %(most)d MiB.") % {"most": limits.total // 2**20}
        )
    packed = size if member.packed is None else max(1, member.packed)
    if max(total / size, unpacked / packed) > limits.ratio and total > FREE_BYTES:
        raise BadArchive(
            _("“%(name)s” unpacks to more than %(ratio)d times its size, as a bomb does.")
            % {"name": member.name[:200], "ratio": limits.ratio}
        )


def _zip(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        # Members that share their bytes are the other kind of bomb.
        if sum(info.compress_size for info in infos) > path.stat().st_size:
            raise BadArchive(_("Members of the archive lie over each other, as in a bomb."))
        for info in infos:
            name = _decoded(info)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.flag_bits & 0x41:
                raise BadArchive(
                    _("“%(name)s” is encrypted: send it without a password.") % {"name": name}
                )
            _refuse_unless(kind in (0, stat.S_IFREG, stat.S_IFDIR), name, stat.S_ISLNK(kind))

            def opened(info: zipfile.ZipInfo = info) -> IO[bytes]:
                return archive.open(info)

            yield _Member(name, name.endswith("/"), opened, info.compress_size)


def _decoded(info: zipfile.ZipInfo) -> str:
    """A member's name: UTF-8 where it says so or is so, else as Chinese systems write it.

    Raises:
        BadArchive: it is neither.
    """
    # What zipfile made of the name ends at a NUL.
    name = info.orig_filename
    if info.flag_bits & 0x800:
        return name
    raw = name.encode("cp437")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadArchive(
        _("The name %(name)s is neither UTF-8 nor GB 18030.") % {"name": ascii(raw)[:200]}
    )


def _tar(path: Path, limits: Limits) -> Iterator[_Member]:
    with path.open("rb") as file:
        head = file.read(6)
    opener = next((o for magic, o in _COMPRESSED.items() if head.startswith(magic)), open)
    with opener(path, "rb") as plain:
        counted = _Counted(plain, limits.total + limits.files * 2048)
        # Headers that follow no standard end it with an error instead of silence.
        with tarfile.open(fileobj=counted, mode="r:", errorlevel=2) as archive:
            for info in archive:
                name = info.name + "/" * info.isdir()
                regular = (info.isreg() and not info.issparse()) or info.isdir()
                _refuse_unless(regular, name, info.issym() or info.islnk())

                def opened(info: tarfile.TarInfo = info) -> IO[bytes]:
                    found = archive.extractfile(info)
                    assert found is not None
                    return found

                yield _Member(name, info.isdir(), opened, None)


class _Counted:
    """A file that refuses to be read in one large piece, or beyond a limit."""

    def __init__(self, file: Any, most: int) -> None:
        self._file, self._most = file, most

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MOST_HEADER:
            raise BadArchive(_("A header of the archive is too large."))
        data: bytes = self._file.read(size)
        self._check()
        return data

    def seek(self, place: int, whence: int = 0) -> int:
        # Seeking in a compressed file reads it.
        if whence == 0 and place > self._most:
            self._refuse()
        found: int = self._file.seek(place, whence)
        return found

    def tell(self) -> int:
        found: int = self._file.tell()
        return found

    def _check(self) -> None:
        if self._file.tell() > self._most:
            self._refuse()

    def _refuse(self) -> None:
        raise BadArchive(
            _("The archive unpacks to more than %(most)d MiB.") % {"most": self._most // 2**20}
        )


def _refuse_unless(regular: bool, name: str, is_link: bool) -> None:
    if is_link:
        raise BadArchive(_("“%(name)s” is a link, which may lead anywhere.") % {"name": name[:200]})
    if not regular:
        raise BadArchive(_("“%(name)s” is neither a file nor a folder.") % {"name": name[:200]})


def _checked(name: str) -> str:
    """The path of a member below the folder.

    Raises:
        BadArchive: it leads elsewhere, or cannot be written.
    """
    text, shown = name.replace("\\", "/"), {"name": ascii(name)[1:-1][:200]}
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if text.startswith("/") or _DRIVE.match(text):
        raise BadArchive(_("The path “%(name)s” is absolute.") % shown)
    if ".." in parts:
        raise BadArchive(_("The path “%(name)s” leads out of the archive.") % shown)
    if not all(letter.isprintable() for letter in text):
        raise BadArchive(_("The name “%(name)s” holds letters that cannot be shown.") % shown)
    sizes = [len(part.encode()) for part in parts]
    if not sizes and text.strip("./"):
        raise BadArchive(_("The name “%(name)s” holds letters that cannot be shown.") % shown)
    if len(text) > MOST_NAME or max(sizes, default=0) > MOST_PART:
        raise BadArchive(_("The name “%(name)s” is too long.") % shown)
    return "/".join(parts)


def _folder(path: Path, name: str) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as exc:
        raise BadArchive(_("“%(name)s” is there twice.") % {"name": name[:200]}) from exc


def _new(path: Path, name: str) -> IO[bytes]:
    try:
        return os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb"
        )
    except (FileExistsError, IsADirectoryError) as exc:
        raise BadArchive(_("“%(name)s” is there twice.") % {"name": name[:200]}) from exc


def _words(exc: BaseException) -> str:
    return str(exc).strip()[:300] or type(exc).__name__
