"""The checks of the machine itself: what is needed to run at all, and what later pieces build upon."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import sys
import time
from pathlib import Path

from sandbox.config.locations import StateFolder
from sandbox.environments.doctor.check import Finding, State, output_of
from sandbox.environments.embedded.ports import environment_at, is_free, owner_of

_OLDEST_PYTHON = (3, 11)
_OLDEST_SQLITE = (3, 38)
_DISK_NEEDED = 100 * 1024 * 1024
_DISK_WANTED = 1024 * 1024 * 1024
_FILES_WANTED = 1024
_BUILT_MS = 1_735_689_600_000
"""2025-01-01: a clock that is earlier is wrong for certain."""
_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph"})
_CLOCK_UNSYNCHRONISED = 5
_USER_NAMESPACE = (
    "import ctypes, os, sys\n"
    "sys.exit(0 if ctypes.CDLL(None, use_errno=True).unshare(0x10000000) == 0 else ctypes.get_errno() or 1)"
)


def python() -> Finding:
    """The interpreter that runs this."""
    version = sys.version.split()[0]
    good = sys.version_info >= _OLDEST_PYTHON
    return Finding(
        name="python",
        state=State.OK if good else State.MISSING,
        found=f"{version} at {sys.executable}",
        enables="everything",
        how="" if good else "install Python 3.11 or later; uv python install 3.12 needs no root",
        required=True,
    )


def sqlite() -> Finding:
    """The SQLite library of this Python. Asked in a process of its own, since the store alone imports it here."""
    version = output_of([sys.executable, "-I", "-S", "-c", "import sqlite3; print(sqlite3.sqlite_version)"])
    good = version is not None and tuple(int(part) for part in version.split(".")[:2]) >= _OLDEST_SQLITE
    return Finding(
        name="sqlite",
        state=State.OK if good else State.MISSING,
        found=version or "this Python has none",
        enables="the database of tasks and events",
        how="" if good else "use a Python with SQLite 3.38 or later; uv python install 3.12 brings one",
        required=True,
    )


def state_folder(folder: StateFolder) -> Finding:
    """Whether the state can be written, and on what kind of file system it lies."""
    there = _existing(folder.path)
    writable = os.access(there, os.W_OK | os.X_OK)
    system = _file_system(there)
    remote = system in _NETWORK_FILE_SYSTEMS
    how = ""
    if not writable:
        how = f"make {there} writable, or choose another folder with XDG_STATE_HOME"
    elif remote:
        how = "put it on a local disk with XDG_STATE_HOME: SQLite's locks aren't reliable over a network"
    return Finding(
        name="state folder",
        state=State.MISSING if not writable else State.WARN if remote else State.OK,
        found=f"{folder.path} ({'can' if writable else 'can NOT'} be written{f', {system}' if system else ''})",
        enables="keeping tasks, results and logs",
        how=how,
        required=True,
    )


def disk(folder: StateFolder) -> Finding:
    """Free space where the state lies."""
    free = shutil.disk_usage(_existing(folder.path)).free
    state = State.MISSING if free < _DISK_NEEDED else State.WARN if free < _DISK_WANTED else State.OK
    return Finding(
        name="disk",
        state=state,
        found=f"{free / 1024**3:.1f} GiB free",
        enables="keeping tasks, results and logs",
        how="" if state is State.OK else "make room: azolla-local reset logs, or another disk with XDG_STATE_HOME",
        required=True,
    )


def ports(host: str, numbers: tuple[int, ...], folder: StateFolder) -> Finding:
    """The ports that `up` takes if nothing else is said."""
    taken: list[str] = []
    foreign = False
    for port in numbers:
        if not port or is_free(host, port):
            continue
        environment = environment_at(port)
        foreign = foreign or environment is None
        if environment is None:
            taken.append(f"{port}: {owner_of(port)}")
        elif environment == folder.name:
            taken.append(f"{port}: used by this environment, which runs")
        else:
            taken.append(f"{port}: the environment {environment} uses it; others take free ones by themselves")
    return Finding(
        name="ports",
        state=State.WARN if foreign else State.OK,
        found="; ".join(taken) or f"{' and '.join(str(port) for port in numbers if port) or 'any'} free on {host}",
        enables="gRPC and HTTP of the orchestrator",
        how="azolla-local up --grpc-port 0 --http-port 0 takes free ones" if foreign else "",
    )


def clock() -> Finding:
    """Whether the time of day can be right. Ids, history and log names carry it."""
    now = time.time_ns() // 1_000_000
    wrong = now < _BUILT_MS
    synchronised = "" if wrong or _is_synchronised() is not False else ", not synchronised as far as the kernel knows"
    return Finding(
        name="clock",
        state=State.WARN if wrong else State.OK,
        found=time.strftime("%Y-%m-%d %H:%M:%S %Z") + synchronised,
        enables="times in ids, history and names of logs",
        how="set the clock: timedatectl set-ntp true" if wrong else "",
    )


def open_files() -> Finding:
    """How many files a process may have open: each running attempt needs a handful."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = soft != resource.RLIM_INFINITY and soft < _FILES_WANTED
    return Finding(
        name="open files",
        state=State.WARN if few else State.OK,
        found="no limit" if soft == resource.RLIM_INFINITY else f"{soft} (up to {hard})",
        enables="many attempts and connections at the same time",
        how=f"ulimit -n {_FILES_WANTED} before azolla-local up" if few else "",
    )


def cgroups(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Finding:
    """Which control groups there are, and whether we may make some of our own."""
    version, folders = _cgroup_folders(root, own)
    writable = bool(folders) and all(os.access(folder, os.W_OK) for folder in folders)
    state = State.OK if writable else State.WARN if folders else State.MISSING
    how = {
        State.OK: "",
        State.WARN: "run as root, or get a delegated group: systemd-run --user --scope -p Delegate=yes azolla-local up",
        State.MISSING: "use a Linux kernel with control groups mounted at /sys/fs/cgroup",
    }[state]
    return Finding(
        name="cgroups",
        state=state,
        found=f"{version}, {'writable' if writable else 'not writable'}" if folders else "none",
        enables="limits of memory, CPU and processes for a whole task; kill without leftovers",
        how=how,
    )


def user_namespaces() -> Finding:
    """Whether a process may make a user namespace: tried out in a process that ends at once."""
    tried = output_of([sys.executable, "-I", "-S", "-c", _USER_NAMESPACE])
    good = tried is not None
    return Finding(
        name="user namespaces",
        state=State.OK if good else State.MISSING,
        found="can be made" if good else _why_no_user_namespaces(),
        enables="jails without root",
        how="" if good else "sysctl -w user.max_user_namespaces=10000 kernel.apparmor_restrict_unprivileged_userns=0",
    )


def bubblewrap() -> Finding:
    """The program that builds jails."""
    path = shutil.which("bwrap")
    version = output_of([path, "--version"]) if path else None
    return Finding(
        name="bubblewrap",
        state=State.OK if version else State.MISSING,
        found=f"{version} at {path}" if version else "not installed" if path is None else f"{path} doesn't run",
        enables="the strongest jails without a container engine",
        how="" if version else "apt install bubblewrap   (dnf, pacman, apk: the same name)",
    )


def uv() -> Finding:
    """The installer that makes environments quickly."""
    path = shutil.which("uv")
    version = output_of([path, "--version"]) if path else None
    return Finding(
        name="uv",
        state=State.OK if version else State.MISSING,
        found=version or "not installed",
        enables="quick installation, and tasks with dependencies of their own; pip is used without it",
        how="" if version else "pip install uv   (or see docs.astral.sh/uv)",
    )


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _file_system(path: Path) -> str:
    """The kind of file system, as the list of mounts tells it; "" where there is no such list."""
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    for line in mounts:
        fields = line.split()
        point = fields[1].encode("latin-1", "replace").decode("unicode_escape", "replace")
        if path.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def _is_synchronised() -> bool | None:
    """What the kernel says of its clock; None where it can't be asked."""
    try:
        answer: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(1024))
    except (AttributeError, OSError):
        return None
    return None if answer < 0 else answer != _CLOCK_UNSYNCHRONISED


def _cgroup_folders(root: Path, own: Path) -> tuple[str, list[Path]]:
    """The version, and the folders in which we would make groups."""
    try:
        lines = [line.split(":", 2) for line in own.read_text("utf-8").splitlines()]
    except OSError:
        return "none", []
    if (root / "cgroup.controllers").exists():
        below = next((path for number, _, path in lines if number == "0"), "/")
        folder = root / below.lstrip("/")
        return "v2", [folder if folder.is_dir() else root]
    folders: list[Path] = []
    for _, controllers, path in lines:
        for name in {"memory", "pids", "cpu"} & set(controllers.split(",")):
            folder = root / name / path.lstrip("/")
            # In a container the path may be that of the host, which isn't mounted here.
            folders += [folder] if folder.is_dir() else [root / name] if (root / name).is_dir() else []
    return "v1", folders


def _why_no_user_namespaces() -> str:
    reasons = {
        "/proc/sys/user/max_user_namespaces": "0",
        "/proc/sys/kernel/unprivileged_userns_clone": "0",
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1",
    }
    for path, refusing in reasons.items():
        try:
            value = Path(path).read_text("ascii").strip()
        except OSError:  # not every kernel has every one
            continue
        if value == refusing:
            return f"refused: {Path(path).name} is {value}"
    return "refused, as in most containers"
