"""Curves in files that TensorBoard reads."""

import struct

from tensorboardX.proto.event_pb2 import Event, SessionLog

from training.ml.event_files import EventFiles


def events(folder) -> list[Event]:
    """The records of all files, oldest file first: length, its checksum, data, its checksum."""
    found = []
    for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns):
        data, at = path.read_bytes(), 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            found.append(Event.FromString(data[at + 12 : at + 12 + length]))
            at += 16 + length
    return found


def points(found: list[Event]) -> list[tuple[str, int, float]]:
    return [(v.tag, e.step, round(v.simple_value, 4)) for e in found for v in e.summary.value]


def test_points_can_be_read_back(tmp_path):
    with EventFiles(tmp_path / "run") as files:
        files.add(1, {"loss": 3.5, "lr": 0.001})
        files.add(2, {"loss": 2.5})
    assert points(events(tmp_path / "run")) == [
        ("loss", 1, 3.5),
        ("lr", 1, 0.001),
        ("loss", 2, 2.5),
    ]


def test_a_resumed_run_tells_which_points_to_forget(tmp_path):
    with EventFiles(tmp_path / "run") as files:
        files.add(4, {"loss": 3.5})
    with EventFiles(tmp_path / "run") as files:
        files.add(3, {"loss": 2.5})
    starts = [e.step for e in events(tmp_path / "run") if e.session_log.status == SessionLog.START]
    assert starts == [3]


def test_a_run_without_points_leaves_no_folder(tmp_path):
    with EventFiles(tmp_path / "run"):
        pass
    assert not (tmp_path / "run").exists()
