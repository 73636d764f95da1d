"""Where a command comes from: what is written down of it beside its arguments."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from engine.capture.writer import Command

PATIENCE: Final = 2.0  # seconds that git may take
SHOWN: Final = 20  # changed files that are named
MOST_TEXT: Final = 4096  # characters of a variable
# What of the environment can change what a script computes. Never all of it: there are secrets.
VARIABLES: Final = (
    *("PYTHONPATH", "PYTHONHASHSEED", "PYTHONOPTIMIZE", "PYTHONSAFEPATH", "PYTHONUTF8"),
    *("OMP_NUM_THREADS", "OMP_DYNAMIC", "OMP_PROC_BIND", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"),
    *("MKL_NUM_THREADS", "MKL_DYNAMIC", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS"),
    *("OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "NUMEXPR_NUM_THREADS"),
    *("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY"),
    *("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUDA_LAUNCH_BLOCKING"),
    *("CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"),
    *("HIP_VISIBLE_DEVICES", "PYTORCH_ENABLE_MPS_FALLBACK"),
    *("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF", "TORCH_COMPILE_DISABLE"),
    *("TORCHDYNAMO_DISABLE", "PYTORCH_JIT"),
    *("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"),
    *("LANG", "LC_ALL", "TZ"),
)


def started(
    name: str,
    arguments: Sequence[str],
    options: Mapping[str, Any],
    environment: Mapping[str, str],
    script: Path | None = None,
) -> Command:
    """A command that is about to be started here, with what it can depend on: of its environment
    the variables of a list, the state of its git repository, where its program is.

    ``options`` are those of the capture itself, as plain data.
    """
    directory = Path.cwd()
    facts: dict[str, Any] = {"capture": dict(options), "environment": chosen(environment)}
    program = shutil.which(arguments[0], path=environment.get("PATH"))
    if program is not None:
        facts["program"] = str(Path(program).absolute())
    if script is not None:
        facts["script"] = str(script)
    found = git_state(directory)
    if found is not None:
        facts["git"] = found
    return Command(name, tuple(arguments), str(directory), facts)


def chosen(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that are written down, those that are there and no longer than they may be."""
    found = {name: environment[name] for name in VARIABLES if name in environment}
    return {name: value for name, value in found.items() if len(value) <= MOST_TEXT}


def git_state(directory: Path) -> dict[str, Any] | None:
    """The commit that is checked out, and which files differ from it; None outside of git."""
    commit = git(directory, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = (git(directory, "status", "--porcelain", "--untracked-files=no") or "").splitlines()
    return {
        "commit": commit.strip(),
        "changed": [line[3:] for line in changed[:SHOWN]],
        "changed_files": len(changed),
    }


def git(directory: Path, *words: str) -> str | None:
    """What git says; None where there is none, or it does not answer in time."""
    try:
        found = subprocess.run(
            ("git", "-C", str(directory), *words),
            capture_output=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.decode("utf-8", "replace") if found.returncode == 0 else None
