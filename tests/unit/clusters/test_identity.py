import json
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.clusters.authorities import CertificateAuthority

from isthmus.clusters import InvalidCredentials
from isthmus.clusters.identity import Identity, TokenFile
from isthmus.clusters.kubeconfig import ExecEntry, ExecVariable
from isthmus.clusters.plugin import PluginIdentity
from isthmus.clusters.tls import ClientCertificate, TLSSettings, context_for

V1 = "client.authentication.k8s.io/v1"


class Clock:
    """A wall clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time set."""
        return self.now


def _plugin(folder: Path, body: str) -> str:
    """A program in Python that runs `body`; each run adds a line to the file `runs`."""
    file = folder / "plugin"
    file.write_text(
        f"#!{sys.executable}\nimport json, os, sys, time\nopen({str(folder / 'runs')!r}, 'a').write('x')\n{body}"
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


def _runs(folder: Path) -> int:
    return len((folder / "runs").read_text())


def _prints(status: dict[str, str]) -> str:
    return f"print({json.dumps({'apiVersion': V1, 'kind': 'ExecCredential', 'status': status})!r})"


def _identity(command: str, clock: Clock | None = None, timeout_seconds: float = 30.0) -> PluginIdentity:
    entry = ExecEntry(api_version=V1, command=command, env=[ExecVariable("COLOUR", "green")], provide_cluster_info=True)
    return PluginIdentity(
        entry,
        directory=None,
        cluster={"server": "https://k"},
        timeout_seconds=timeout_seconds,
        clock=clock or Clock(),
    )


async def test_a_plugins_token_is_kept_until_it_expires(tmp_path: Path) -> None:
    """A plugin runs once while its token is valid, and again shortly before it ends."""
    clock = Clock()
    plugin = _identity(_plugin(tmp_path, _prints({"token": "t", "expirationTimestamp": "2026-01-01T01:00:00Z"})), clock)
    for _ in range(3):
        assert dict((await plugin.identity()).headers) == {"Authorization": "Bearer t"}
    assert _runs(tmp_path) == 1
    clock.now += timedelta(minutes=59, seconds=45)
    await plugin.identity()
    assert _runs(tmp_path) == 2


async def test_a_plugin_is_told_what_it_needs(tmp_path: Path) -> None:
    """The plugin sees its own variables and, where it asks, the cluster."""
    body = (
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "token = info['spec']['cluster']['server'] + os.environ['COLOUR'] + str(info['spec']['interactive'])\n"
        f"print(json.dumps({{'apiVersion': {V1!r}, 'kind': 'ExecCredential', 'status': {{'token': token}}}}))"
    )
    identity = await _identity(_plugin(tmp_path, body)).identity()
    assert dict(identity.headers) == {"Authorization": "Bearer https://kgreenFalse"}


@pytest.mark.parametrize(
    ("mode", "person", "told"),
    [("IfAvailable", True, True), ("Always", True, True), ("Never", True, False), ("IfAvailable", False, False)],
)
async def test_a_plugin_may_ask_whoever_is_there(tmp_path: Path, mode: str, person: bool, told: bool) -> None:
    """Where a person can be asked and the plugin wants to, it is told so and stays at our terminal."""
    body = (
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "token = f\"{info['spec']['interactive']}{os.getsid(0) == os.getsid(os.getppid())}\"\n"
        f"print(json.dumps({{'apiVersion': {V1!r}, 'kind': 'ExecCredential', 'status': {{'token': token}}}}))"
    )
    entry = ExecEntry(api_version=V1, command=_plugin(tmp_path, body), interactive_mode=mode)
    plugin = PluginIdentity(entry, directory=None, cluster={}, interactive=person)
    assert dict((await plugin.identity()).headers) == {"Authorization": f"Bearer {told}{told}"}


async def test_a_plugin_may_give_a_certificate(tmp_path: Path, authority: CertificateAuthority) -> None:
    """A certificate and key from a plugin are used as if they stood in the kubeconfig."""
    certificate, key = (pem.decode() for pem in authority.sign("client"))
    body = _prints({"clientCertificateData": certificate, "clientKeyData": key})
    identity = await _identity(_plugin(tmp_path, body)).identity()
    assert identity.certificate == ClientCertificate(certificate.encode(), key.encode())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param("sys.exit('log in first')", "exit code 1: log in first", id="fails"),
        pytest.param("print('hello')", "printed no ExecCredential", id="prints something else"),
        pytest.param(_prints({}), "neither a token nor a certificate", id="empty"),
        pytest.param(_prints({"clientCertificateData": "x"}), "neither a token nor", id="certificate without key"),
        pytest.param(_prints({"token": "t"}).replace("v1", "v1beta1"), "answered in .*v1beta1", id="another version"),
        pytest.param("time.sleep(60)", "did not answer within", id="hangs"),
        pytest.param("os.system('sleep 60')", "did not answer within", id="waits for another that hangs"),
    ],
)
async def test_a_plugin_that_gives_nothing_is_told(tmp_path: Path, body: str, words: str) -> None:
    """Each way in which a plugin fails has its own words, and one that hangs is ended."""
    with pytest.raises(InvalidCredentials, match=words):
        await _identity(_plugin(tmp_path, body), timeout_seconds=1.0 if "sleep" in body else 30.0).identity()


async def test_a_missing_plugin_is_told_with_its_hint() -> None:
    """A plugin that is not installed is named, with the kubeconfig's own advice."""
    entry = ExecEntry(api_version=V1, command="no-such-plugin", install_hint="Install it from the shop.")
    plugin = PluginIdentity(entry, directory="/", cluster={}, clock=Clock())
    with pytest.raises(InvalidCredentials, match=r"'no-such-plugin' can't be started: No such file.*from the shop"):
        await plugin.identity()


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (ExecEntry(api_version="client.authentication.k8s.io/v1alpha1", command="x"), "none of"),
        (ExecEntry(api_version=V1, command="x", interactive_mode="Always"), "wants a terminal"),
    ],
)
def test_a_plugin_that_cannot_work_is_refused_at_once(entry: ExecEntry, words: str) -> None:
    """An outdated protocol and one that asks a person are refused before they run."""
    with pytest.raises(InvalidCredentials, match=words):
        PluginIdentity(entry, directory=None, cluster={})


async def test_a_refused_credential_is_renewed_once(tmp_path: Path) -> None:
    """After a 401 the plugin runs anew, but a cluster that refuses everything does not make it run for each request."""
    clock = Clock()
    plugin = _identity(_plugin(tmp_path, _prints({"token": "t"})), clock)
    first = await plugin.identity()
    assert not await plugin.renew(first)  # only seconds old
    clock.now += timedelta(minutes=1)
    assert await plugin.renew(first)
    assert _runs(tmp_path) == 2


async def test_a_token_file_is_read_again(tmp_path: Path) -> None:
    """A rotated token is found within a minute, or at once when the old one was refused."""
    now = 0.0
    file = tmp_path / "token"
    file.write_text("one\n")
    source = TokenFile(file, clock=lambda: now)
    first = await source.identity()
    file.write_text("two\n")
    assert await source.identity() == first
    now = 61.0
    assert dict((await source.identity()).headers) == {"Authorization": "Bearer two"}
    assert not await source.renew(await source.identity())
    file.write_text("three\n")
    assert await source.renew(await source.identity())
    file.unlink()
    now = 200.0
    assert dict((await source.identity()).headers) == {"Authorization": "Bearer three"}


@pytest.mark.parametrize("content", [None, "", " \n"])
async def test_a_token_file_without_a_token(tmp_path: Path, content: str | None) -> None:
    """A file that is missing or empty is named."""
    if content is not None:
        (tmp_path / "token").write_text(content)
    with pytest.raises(InvalidCredentials, match=r"token file .*token"):
        await TokenFile(tmp_path / "token").identity()


def test_a_tls_context_is_shared_by_content(authority: CertificateAuthority) -> None:
    """Equal settings share one context, others have their own."""
    client = ClientCertificate(*authority.sign("client"))
    again = ClientCertificate(client.certificate, client.key)
    assert context_for(TLSSettings(ca=authority.pem), client) is context_for(TLSSettings(ca=authority.pem), again)
    assert context_for(TLSSettings(ca=authority.pem), client) is not context_for(TLSSettings(ca=authority.pem), None)


def test_no_secret_is_printed(authority: CertificateAuthority) -> None:
    """Neither a key nor a header shows in what a log might print."""
    client = ClientCertificate(*authority.sign("client"))
    printed = repr(Identity({"Authorization": "Bearer secret"}, client))
    assert "PRIVATE" not in printed
    assert "secret" not in printed
