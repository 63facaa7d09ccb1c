import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.clusters.authorities import CertificateAuthority

from isthmus.clusters import Credentials, InvalidCredentials

EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "command": "get-token", "interactiveMode": "Never"}


async def test_a_token_with_its_authority(
    kubeconfig: Callable[..., str], authority: CertificateAuthority, base64_of: Callable[[bytes], str]
) -> None:
    """The usual kubeconfig: server, inline authority, token, namespace."""
    text = kubeconfig(
        cluster={"certificate-authority-data": base64_of(authority.pem), "tls-server-name": "api"},
        contexts=[{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "work"}}],
    )
    credentials = Credentials.from_kubeconfig(text)
    identity = await credentials.source.identity()
    assert (credentials.server, credentials.namespace) == ("https://api.example.org:6443", "work")
    assert (credentials.tls.ca, credentials.tls.verify, credentials.tls.server_name) == (authority.pem, True, "api")
    assert dict(identity.headers) == {"Authorization": "Bearer secret-token"}


async def test_a_client_certificate(
    kubeconfig: Callable[..., str], authority: CertificateAuthority, base64_of: Callable[[bytes], str]
) -> None:
    """An inline certificate and key prove who we are; no header is sent."""
    certificate, key = authority.sign("client")
    user = {"client-certificate-data": base64_of(certificate), "client-key-data": base64_of(key)}
    identity = await Credentials.from_kubeconfig(kubeconfig(user=user)).source.identity()
    assert identity.certificate is not None
    assert (identity.certificate.certificate, identity.certificate.key) == (certificate, key)
    assert dict(identity.headers) == {}


async def test_name_password_and_impersonation(kubeconfig: Callable[..., str]) -> None:
    """Basic authentication, and the user, UID and groups to act as."""
    user = {"username": "ann", "password": "p:w", "as": "bob", "as-uid": "7", "as-groups": ["dev", "ops"]}
    credentials = Credentials.from_kubeconfig(kubeconfig(user=user))
    identity = await credentials.source.identity()
    assert dict(identity.headers) == {"Authorization": "Basic YW5uOnA6dw=="}
    assert credentials.headers == (
        ("Impersonate-User", "bob"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "dev"),
        ("Impersonate-Group", "ops"),
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"current-context": ""}, "no current-context", id="no context"),
        pytest.param({"current-context": "x"}, "'x', which is not in its contexts", id="unknown context"),
        pytest.param({"clusters": []}, "'k', which is not in its clusters", id="unknown cluster"),
        pytest.param({"users": None}, "'u', which is not in its users", id="unknown user"),
        pytest.param({"clusters": [{"name": "k", "cluster": {}}]}, "missing required field `server`", id="no server"),
        pytest.param({"contexts": [{"name": "c"}]}, "context c is malformed", id="empty context"),
        pytest.param({"contexts": "c"}, "kubeconfig is malformed", id="contexts no list"),
        pytest.param({"cluster": {"server": "api.example.org"}}, "no http", id="server without scheme"),
        pytest.param({"cluster": {"server": "https://"}}, "no http", id="server without host"),
        pytest.param({"cluster": {"server": "https://a:99999"}}, "no http", id="port out of range"),
        pytest.param({"cluster": {"server": "unix:///run/a"}}, "no http", id="another scheme"),
        pytest.param({"cluster": {"certificate-authority-data": "%%"}}, "not base64", id="authority not base64"),
        pytest.param({"cluster": {"certificate-authority-data": "aGk="}}, "not a PEM", id="authority not PEM"),
        pytest.param(
            {"cluster": {"certificate-authority-data": "aGk=", "insecure-skip-tls-verify": True}},
            "not both",
            id="authority and none",
        ),
        pytest.param({"cluster": {"certificate-authority": "/etc/ca"}}, "inline it", id="authority in a file"),
        pytest.param({"cluster": {"proxy-url": "socks5://p:1"}}, "socks5 is not supported", id="socks proxy"),
        pytest.param({"user": {}}, "no token, no client certificate", id="nothing to prove it with"),
        pytest.param({"user": {"tokenFile": "/var/run/token"}}, "inline it", id="token in a file"),
        pytest.param({"user": {"client-certificate": "a", "client-key": "b"}}, "inline it", id="key in a file"),
        pytest.param({"user": {"client-key-data": "aGk="}}, "one of them is missing", id="key alone"),
        pytest.param(
            {"user": {"client-certificate-data": "aGk=", "client-key-data": "aGk="}}, "belong together", id="no PEM"
        ),
        pytest.param({"user": {"exec": EXEC}}, "'get-token', which is not allowed", id="plugin"),
        pytest.param({"user": {"exec": {"command": "x"}}}, "missing required field `apiVersion`", id="half a plugin"),
        pytest.param({"user": {"auth-provider": {"name": "gcp"}}}, "not supported", id="auth-provider"),
        pytest.param({"user": {"token": "a\nb"}}, "no HTTP header", id="token of two lines"),
        pytest.param({"user": {"token": ["secret-token"]}}, "user u is malformed", id="token no text"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(
    kubeconfig: Callable[..., str], changes: dict[str, Any], words: str
) -> None:
    """Each fault of a kubeconfig has its own words, none repeats a secret, and no file is read or program run."""
    with pytest.raises(InvalidCredentials, match=words) as raised:
        Credentials.from_kubeconfig(kubeconfig(**changes))
    assert "secret-token" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("secret-token", "no mapping", id="text"),
        pytest.param("a: [secret-token", "not YAML", id="broken"),
        pytest.param("token: 'secret-token\nb: c", "not YAML.*line 2", id="broken in a string"),
        pytest.param(b"\xff\xfe\x00", "not YAML", id="bytes"),
        pytest.param("!!python/object/apply:os.system ['id']", "not YAML", id="a tag that would run code"),
    ],
)
def test_what_is_no_kubeconfig_is_refused(text: str | bytes, words: str) -> None:
    """Any other text is refused, with the place but never the content."""
    with pytest.raises(InvalidCredentials, match=words) as raised:
        Credentials.from_kubeconfig(text)
    assert "secret-token" not in str(raised.value)


def test_a_key_with_a_passphrase_is_refused(
    kubeconfig: Callable[..., str], authority: CertificateAuthority, base64_of: Callable[[bytes], str]
) -> None:
    """An encrypted key is refused at once: nobody is there to type its passphrase."""
    certificate, key = authority.sign("client", passphrase=b"pass")
    user = {"client-certificate-data": base64_of(certificate), "client-key-data": base64_of(key)}
    with pytest.raises(InvalidCredentials, match="passphrase"):
        Credentials.from_kubeconfig(kubeconfig(user=user))


async def test_our_own_kubeconfig_may_name_files(
    kubeconfig: Callable[..., str], authority: CertificateAuthority, tmp_path: Path
) -> None:
    """A kubeconfig by path reads files beside it, and a token file before a token, as kubectl does."""
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    (tmp_path / "token").write_text("from-file\n")
    file = tmp_path / "config"
    file.write_text(
        kubeconfig(cluster={"certificate-authority": "ca.pem"}, user={"tokenFile": "token", "token": "inline"})
    )
    credentials = Credentials.from_kubeconfig_path(file)
    assert credentials.tls.ca == authority.pem
    assert dict((await credentials.source.identity()).headers) == {"Authorization": "Bearer from-file"}


def test_a_missing_file_is_named(kubeconfig: Callable[..., str], tmp_path: Path) -> None:
    """The message names the key and the file that can't be read."""
    file = tmp_path / "config"
    with pytest.raises(InvalidCredentials, match="config can't be read"):
        Credentials.from_kubeconfig_path(file)
    file.write_text(kubeconfig(cluster={"certificate-authority": "gone.pem"}))
    with pytest.raises(InvalidCredentials, match=r"certificate-authority: .*gone\.pem can't be read"):
        Credentials.from_kubeconfig_path(file)


def test_another_context_can_be_chosen(kubeconfig: Callable[..., str]) -> None:
    """The context given goes before current-context."""
    text = kubeconfig(
        contexts=[
            {"name": "c", "context": {"cluster": "k", "user": "u"}},
            {"name": "d", "context": {"cluster": "l", "user": "u"}},
        ],
        clusters=[
            {"name": "k", "cluster": {"server": "https://k"}},
            {"name": "l", "cluster": {"server": "https://l/k8s/clusters/x/"}},
        ],
    )
    assert Credentials.from_kubeconfig(text, "d").server == "https://l/k8s/clusters/x"


def test_in_a_pod(authority: CertificateAuthority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod's own ServiceAccount is taken from its files, and IPv6 addresses are bracketed."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    for name, content in (("ca.crt", authority.pem.decode()), ("namespace", "work"), ("token", "t1")):
        (tmp_path / name).write_text(content)
    credentials = Credentials.in_cluster(tmp_path)
    assert (credentials.server, credentials.namespace) == ("https://[fd00::1]:443", "work")
    assert credentials.tls.ca == authority.pem
    identity = asyncio.run(credentials.source.identity())
    assert dict(identity.headers) == {"Authorization": "Bearer t1"}


def test_outside_a_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a pod, or without mounted files, the message says so."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(InvalidCredentials, match="no pod of a cluster"):
        Credentials.in_cluster(tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(InvalidCredentials, match="automountServiceAccountToken"):
        Credentials.in_cluster(tmp_path)


@pytest.mark.parametrize(
    ("server", "variables", "proxy"),
    [
        ("https://api.example.org", {}, None),
        ("https://api.example.org", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("http://api.example.org", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://api.example.org", {"https_proxy": "http://p:1", "no_proxy": ".example.org"}, None),
        ("https://10.96.0.1", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "x, 10.0.0.0/8"}, None),
        ("https://11.96.0.1", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "x, 10.0.0.0/8"}, "http://p:1"),
        ("https://127.0.0.1:6443", {"HTTPS_PROXY": "http://p:1"}, None),
        ("https://localhost:6443", {"HTTPS_PROXY": "http://p:1"}, None),
    ],
)
def test_the_environments_proxy(
    kubeconfig: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    server: str,
    variables: dict[str, str],
    proxy: str | None,
) -> None:
    """Proxies come from the usual variables, with the exemptions that other Kubernetes clients know."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Credentials.from_kubeconfig(kubeconfig(cluster={"server": server})).proxy == proxy


def test_the_kubeconfigs_own_proxy_goes_first(kubeconfig: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """proxy-url stands above the environment."""
    monkeypatch.setenv("HTTPS_PROXY", "http://p:1")
    text = kubeconfig(cluster={"proxy-url": "http://q:2"})
    assert Credentials.from_kubeconfig(text).proxy == "http://q:2"


def test_nothing_secret_shows_in_a_log(kubeconfig: Callable[..., str]) -> None:
    """Neither the credentials nor what they hold print a token."""
    assert "secret-token" not in repr(Credentials.from_kubeconfig(kubeconfig()))
