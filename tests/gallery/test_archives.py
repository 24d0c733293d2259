"""Archives of attackers: each kind is refused, by name, and nothing is written outside."""

import io
import stat
import struct
import tarfile
import zipfile

import pytest

from gallery import archives
from gallery.archives import Limits
from gallery.errors import BadArchive
from tests.gallery.files import coded, pixels

LIMITS = Limits(total=100 * 2**20, files=50)


def zipped(path, members, kind=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def tarred(path, members, mode="w:gz"):
    """Members are (name, data) or a TarInfo of something without data."""
    with tarfile.open(path, mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            archive.addfile(info, io.BytesIO(member[1]))
    return path


def unpack(archive, tmp_path, limits=LIMITS):
    assert archives.is_archive(archive)
    archives.unpack(archive, tmp_path / "out", limits, lambda: None)
    out = tmp_path / "out"
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def refused(archive, tmp_path, limits=LIMITS):
    before = {path for path in tmp_path.rglob("*")}
    with pytest.raises(BadArchive) as caught:
        unpack(archive, tmp_path, limits)
    new = {path for path in tmp_path.rglob("*")} - before
    assert all(path.is_relative_to(tmp_path / "out") for path in new)
    return str(caught.value)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_unpacked(tmp_path, mode):
    archive = tarred(tmp_path / "a.tar", [("set/a.jpg", coded()), ("b.jpg", b"b" * 700)], mode)
    assert unpack(archive, tmp_path) == ["b.jpg", "set/a.jpg"]
    assert (tmp_path / "out" / "set" / "a.jpg").read_bytes() == coded()


def test_a_zip_is_unpacked_with_rights_of_our_own(tmp_path):
    info = zipfile.ZipInfo("set/a.jpg")
    info.external_attr = (stat.S_IFREG | 0o6777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, coded())
    assert unpack(tmp_path / "a.zip", tmp_path) == ["set/a.jpg"]
    assert stat.S_IMODE((tmp_path / "out/set/a.jpg").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name", ["../evil.jpg", "a/../../evil.jpg", "..\\evil.jpg", "a\\..\\..\\evil.jpg"]
)
@pytest.mark.parametrize("make", [zipped, tarred])
def test_zip_slip_is_refused(tmp_path, make, name):
    archive = make(tmp_path / "a", [("good.jpg", b"x"), (name, b"evil")])
    assert "leads out of the archive" in refused(archive, tmp_path)


@pytest.mark.parametrize("name", ["/etc/evil", "C:/evil", "c:\\evil", "\\\\host\\evil"])
@pytest.mark.parametrize("make", [zipped, tarred])
def test_an_absolute_path_is_refused(tmp_path, make, name):
    assert "is absolute" in refused(make(tmp_path / "a", [(name, b"evil")]), tmp_path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_in_a_tar_is_refused(tmp_path, kind):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = kind, "/etc/passwd"
    assert "is a link" in refused(tarred(tmp_path / "a.tar", [link]), tmp_path)


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_a_device_in_a_tar_is_refused(tmp_path, kind):
    device = tarfile.TarInfo("device")
    device.type = kind
    assert "neither a file" in refused(tarred(tmp_path / "a.tar", [device]), tmp_path)


def test_a_link_in_a_zip_is_refused(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = zipped(tmp_path / "a.zip", [(info, "/etc/passwd")])
    assert "is a link" in refused(archive, tmp_path)


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_bomb_is_refused_by_its_ratio(tmp_path, make):
    archive = make(tmp_path / "a", [("zeros.bin", bytes(60 * 2**20))])
    assert "as a bomb does" in refused(archive, tmp_path)
    assert (tmp_path / "out/zeros.bin").stat().st_size <= archives.FREE_BYTES


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_bomb_is_refused_by_its_total_size(tmp_path, make):
    archive = make(tmp_path / "a", [("a", bytes(2**20)), ("b", bytes(2**20))])
    message = refused(archive, tmp_path, Limits(total=2**20 + 2**19, files=9))
    assert "more than 1 MiB" in message


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_bomb_of_many_files_is_refused(tmp_path, make):
    archive = make(tmp_path / "a", [(f"{n}", b"") for n in range(60)])
    assert "more than 50 files" in refused(archive, tmp_path)


def test_members_that_share_their_bytes_are_refused(tmp_path):
    data = bytes(range(256)) * 40
    archive = zipped(tmp_path / "a.zip", [("a", data), ("b", data)], zipfile.ZIP_STORED)
    whole = archive.read_bytes()
    # The second entry of the directory points at the bytes of the first.
    at = whole.rindex(b"PK\x01\x02")
    whole = whole[:at] + whole[at : at + 42] + struct.pack("<I", 0) + whole[at + 46 :]
    # Without the second member's own bytes the file is too short for both.
    first_directory = whole.index(b"PK\x01\x02")
    second = whole.index(b"PK\x03\x04", 4)
    cut = whole[:second] + whole[first_directory:]
    end = cut.rindex(b"PK\x05\x06")
    cut = cut[: end + 16] + struct.pack("<I", second) + cut[end + 20 :]
    archive.write_bytes(cut)
    assert "lie over each other" in refused(archive, tmp_path)


def test_a_size_that_lies_is_not_believed(tmp_path):
    archive = zipped(tmp_path / "a.zip", [("a", bytes(4 * 2**20))])
    whole = archive.read_bytes().replace(struct.pack("<I", 4 * 2**20), struct.pack("<I", 10))
    archive.write_bytes(whole)
    assert refused(archive, tmp_path, Limits(total=2**20, files=9))


def test_an_encrypted_zip_is_refused(tmp_path):
    archive = zipped(tmp_path / "a.zip", [("a.jpg", coded())])
    whole = bytearray(archive.read_bytes())
    whole[6] |= 1
    whole[whole.rindex(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(whole)
    assert "without a password" in refused(archive, tmp_path)


def test_a_name_is_read_as_chinese_systems_write_it(tmp_path):
    archive = zipped(tmp_path / "a.zip", [("name.jpg", coded())])
    archive.write_bytes(archive.read_bytes().replace(b"name", "红衣".encode("gb18030")))
    assert unpack(archive, tmp_path) == ["红衣.jpg"]


@pytest.mark.parametrize(
    ("raw", "words"), [(b"\xff\xff\xff\xff", "neither UTF-8"), (b"a\nb\x1b", "cannot be shown")]
)
def test_a_name_in_an_odd_encoding_is_refused(tmp_path, raw, words):
    archive = zipped(tmp_path / "a.zip", [("name.jpg", coded())])
    archive.write_bytes(archive.read_bytes().replace(b"name", raw))
    assert words in refused(archive, tmp_path)


def test_a_name_that_is_hidden_behind_a_nul_is_refused(tmp_path):
    archive = zipped(tmp_path / "a.zip", [("a.jpgXevil", coded())])
    archive.write_bytes(archive.read_bytes().replace(b"gXe", b"g\x00e"))
    assert "cannot be shown" in refused(archive, tmp_path)


def test_a_name_that_comes_twice_is_refused(tmp_path):
    archive = tarred(tmp_path / "a.tar", [("a/b", b"1"), ("a/./b", b"2")])
    assert "twice" in refused(archive, tmp_path)
    archive = tarred(tmp_path / "b.tar", [("c", b"1"), ("c/d", b"2")])
    with pytest.raises(BadArchive, match="twice"):
        archives.unpack(archive, tmp_path / "other", LIMITS, lambda: None)


def test_a_name_that_is_too_long_is_refused(tmp_path):
    archive = tarred(tmp_path / "a.tar", [("a" * 300, b"1")])
    assert "too long" in refused(archive, tmp_path)


def test_a_tar_whose_header_is_a_bomb_is_refused(tmp_path):
    info = tarfile.TarInfo("a")
    info.pax_headers = {"comment": "x" * (3 * 2**20)}
    archive = tarred(tmp_path / "a.tar", [info])
    assert "header" in refused(archive, tmp_path)


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize("make", [zipped, tarred])
def test_an_archive_that_was_cut_is_refused(tmp_path, make, share):
    noise = b"".join(coded(pixels(200, 200, seed)) for seed in range(4))
    archive = make(tmp_path / "a", [("a", noise)])
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * share)])
    if archives.is_archive(archive):
        assert "damaged" in refused(archive, tmp_path)
    else:
        assert make is zipped  # without its directory at the end it is none


@pytest.mark.parametrize("head", [b"Rar!\x1a\x07\x00", b"7z\xbc\xaf\x27\x1c"])
def test_an_archive_of_another_kind_is_refused_by_its_name(tmp_path, head):
    (tmp_path / "a").write_bytes(head + bytes(600))
    with pytest.raises(BadArchive, match="send a zip or a tar"):
        archives.is_archive(tmp_path / "a")
