import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from isthmus.clusters import Credentials, InvalidCredentials
from isthmus.clusters.configfiles import files_named, read_merged
from isthmus.clusters.overrides import Overrides, overridden


def config(name: str, *, current: bool = True, **user: Any) -> dict[str, Any]:
    """A kubeconfig whose cluster, user and context are all called `name`."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}:6443"}}],
        "users": [{"name": name, "user": user or {"token": name}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"ns-{name}"}}],
        **({"current-context": name} if current else {}),
    }


def write(path: Path, document: dict[str, Any]) -> Path:
    """The file, written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.parametrize(
    ("variable", "named"),
    [
        ("", ["~/.kube/config"]),
        ("a", ["a"]),
        (os.pathsep.join(["a", "", "b", "a"]), ["a", "b"]),
    ],
)
def test_which_files_count(variable: str, named: list[str]) -> None:
    """Those of KUBECONFIG, each once, else the one in the home directory."""
    home = Path("/home/x")
    found = files_named({"KUBECONFIG": variable}, home)
    assert [str(path).replace(str(home), "~") for path in found] == named


def test_the_first_word_counts(tmp_path: Path) -> None:
    """Of entries of one name, and of current-contexts, the first file's is taken; others are added."""
    one = write(tmp_path / "one", config("a", current=False))
    second = config("b")
    second["clusters"].append({"name": "a", "cluster": {"server": "https://other"}})
    whole = read_merged([one, tmp_path / "none", write(tmp_path / "two", second)], required=False)
    assert whole["current-context"] == "b"
    assert {each["name"]: each["cluster"]["server"] for each in whole["clusters"]} == {
        "a": "https://a:6443",
        "b": "https://b:6443",
    }


def test_paths_count_from_their_own_file(tmp_path: Path) -> None:
    """Certificates, token files and plugins that are named by a path stand beside the file that names them."""
    plugin = {"command": "./bin/get", "apiVersion": "v1"}
    document = config("a")
    paths = {"client-certificate": "c.pem", "client-key": "/k.pem", "tokenFile": "t"}
    document["users"][0]["user"] = {**paths, "exec": plugin}
    document["clusters"][0]["cluster"]["certificate-authority"] = "ca.pem"
    path = write(tmp_path / "folder" / "config", document)
    whole = read_merged([path], required=True)
    folder = tmp_path.resolve() / "folder"
    assert whole["clusters"][0]["cluster"]["certificate-authority"] == str(folder / "ca.pem")
    user = whole["users"][0]["user"]
    assert (user["client-certificate"], user["client-key"]) == (str(folder / "c.pem"), "/k.pem")
    assert (user["tokenFile"], user["exec"]["command"]) == (str(folder / "t"), str(folder / "bin" / "get"))


def test_a_plugin_on_the_path_stays_a_name(tmp_path: Path) -> None:
    """A command without a slash is looked for on PATH."""
    path = write(tmp_path / "config", config("a", exec={"command": "get", "apiVersion": "v1"}))
    assert read_merged([path], required=True)["users"][0]["user"]["exec"]["command"] == "get"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "is not there"),
        ("{", "not YAML"),
        ("[]", "no mapping"),
        ("clusters: {a: b}", "clusters are no list"),
        ("users: [{user: {}}]", "users are no list of entries with a name"),
    ],
)
def test_files_that_are_no_kubeconfig(tmp_path: Path, text: str | None, words: str) -> None:
    """The message names the file and what is wrong with it."""
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidCredentials, match=words) as caught:
        read_merged([path], required=True)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "server", "headers", "namespace"),
    [
        (Overrides(), "https://b:6443", {"Authorization": "Bearer b"}, "ns-b"),
        (Overrides(context="a"), "https://a:6443", {"Authorization": "Bearer a"}, "ns-a"),
        (Overrides(user="a"), "https://b:6443", {"Authorization": "Bearer a"}, "ns-b"),
        (Overrides(cluster="a", user="a"), "https://a:6443", {"Authorization": "Bearer a"}, "ns-b"),
        (Overrides(server="http://x"), "http://x", {"Authorization": "Bearer b"}, "ns-b"),
        (Overrides(token="other"), "https://b:6443", {"Authorization": "Bearer other"}, "ns-b"),  # noqa: S106
    ],
    ids=["current", "context", "user", "cluster", "server", "token"],
)
async def test_what_the_command_line_says_counts_more(
    tmp_path: Path, overrides: Overrides, server: str, headers: dict[str, str], namespace: str
) -> None:
    """Each option of kubectl changes what it names and nothing else."""
    paths = [write(tmp_path / "b", config("b")), write(tmp_path / "a", config("a"))]
    credentials = Credentials.from_kubeconfig(overridden(read_merged(paths, required=False), overrides))
    assert (credentials.server, credentials.namespace) == (server, namespace)
    assert dict((await credentials.source.identity()).headers) == headers


def test_acting_as_another() -> None:
    """--as and --as-group become the headers of impersonation."""
    found = Credentials.from_kubeconfig(overridden(config("a"), Overrides(as_user="bob", as_groups=("dev", "ops"))))
    assert found.headers == (
        ("Impersonate-User", "bob"),
        ("Impersonate-Group", "dev"),
        ("Impersonate-Group", "ops"),
    )


def test_how_the_server_is_verified() -> None:
    """The name in the certificate can be given, and verification be given up with the authority that goes with it."""
    document = config("a")
    document["clusters"][0]["cluster"]["certificate-authority"] = "/nowhere"
    skipped = overridden(document, Overrides(insecure_skip_tls_verify=True, tls_server_name="api"))
    tls = Credentials.from_kubeconfig(skipped).tls
    assert (tls.ca, tls.verify, tls.server_name) == (None, False, "api")


@pytest.mark.parametrize(
    ("document", "overrides", "words"),
    [
        (config("a"), Overrides(context="x"), "context 'x' is not in the kubeconfig"),
        (config("a"), Overrides(cluster="x"), "cluster 'x' is not in the kubeconfig"),
        (config("a"), Overrides(user="x"), "user 'x' is not in the kubeconfig"),
        (config("a", current=False), Overrides(), "no cluster is chosen"),
    ],
    ids=["context", "cluster", "user", "none"],
)
def test_names_that_are_not_there(document: dict[str, Any], overrides: Overrides, words: str) -> None:
    """What is named and missing is told."""
    with pytest.raises(InvalidCredentials, match=words):
        overridden(document, overrides)
