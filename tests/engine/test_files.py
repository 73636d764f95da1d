"""Files read and written whole: nothing but regular ones, and nothing lost by a failure."""

import os
import socket
import stat
from pathlib import Path

import pytest

from engine.errors import GradstepError
from engine.files import create, open_regular, read_regular, replacing


def write(path, content):
    with replacing(path) as file:
        file.write(content)


def test_a_file_is_replaced_when_all_is_written(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with replacing(path) as file:
        file.write(b"new" * 100_000)
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new" * 100_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def half():
        with replacing(path) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_mode_that_others_have(tmp_path):
    write(tmp_path / "a", b"")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_what_a_link_points_at_is_replaced_and_not_the_link(tmp_path):
    path, link = tmp_path / "out", tmp_path / "link"
    path.write_bytes(b"old")
    link.symlink_to(path)
    write(link, b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"


def test_a_device_is_written_to():
    write(Path(os.devnull), b"nothing")


def test_a_pipe_that_nobody_reads_is_refused_at_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(GradstepError, match="pipe: "):
        write(path, b"x")
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_name_of_the_longest_kind(tmp_path):
    path = tmp_path / ("n" * 255)
    write(path, b"x")
    assert path.read_bytes() == b"x"


def test_create_never_takes_the_place_of_anything(tmp_path):
    path, dangling = tmp_path / "out", tmp_path / "dangling"
    create(path, b"first")
    dangling.symlink_to(tmp_path / "none")
    for there in (path, dangling):
        with pytest.raises(GradstepError, match="not overwritten"):
            create(there, b"second")
    assert path.read_bytes() == b"first"
    assert not (tmp_path / "none").exists()
    assert len(list(tmp_path.iterdir())) == 2


def test_create_works_where_there_are_no_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    create(tmp_path / "out", b"first")
    assert (tmp_path / "out").read_bytes() == b"first"
    with pytest.raises(GradstepError, match="not overwritten"):
        create(tmp_path / "out", b"second")


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(GradstepError, match=r"out: No space left on device"):
        write(tmp_path / "out", b"x")
    assert list(tmp_path.iterdir()) == []


def kinds(folder):
    """Things that are no regular files."""
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
    return [folder / "pipe", folder / "socket", folder, Path("/dev/zero"), Path("/dev/tty")]


def test_nothing_but_a_regular_file_is_opened(tmp_path):
    for path in kinds(tmp_path):
        with pytest.raises(GradstepError, match="not a file"):
            open_regular(path)


def test_a_limit_of_bytes(tmp_path):
    path = tmp_path / "in"
    path.write_bytes(b"12345")
    assert read_regular(path, 5) == b"12345"
    with pytest.raises(GradstepError, match="more than 4 bytes"):
        read_regular(path, 4)
