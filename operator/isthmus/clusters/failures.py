"""What a failed connection means: the errors of the HTTP library, said in this project's tree."""

import ssl

import aiohttp

from .errors import ClusterError, InvalidCredentials, TimedOut, TLSFailure, UnexpectedAnswer, Unreachable


def failure(error: Exception, *, about: str, server: str) -> ClusterError:
    """The error for what the HTTP library or the socket raised; `about` names the cluster and the request."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        return TLSFailure(
            f"{about}: the certificate of {server} is not accepted: {_verdict(error)}; "
            "check certificate-authority-data, tls-server-name and both clocks"
        )
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return TLSFailure(f"{about}: TLS with {server} failed: {_words(error)}")
    if isinstance(error, TimeoutError):  # aiohttp's timeouts are among these
        return TimedOut(f"{about}: {server} did not answer in time; check that it is up and no firewall drops packets")
    if isinstance(error, aiohttp.InvalidURL):
        return InvalidCredentials(f"the server {server!r} is no URL that can be reached")
    if isinstance(error, aiohttp.ClientResponseError) and not isinstance(error, aiohttp.ClientHttpProxyError):
        return UnexpectedAnswer(f"{about}: {server} does not answer in HTTP: {_words(error)}")
    return Unreachable(f"{about}: no connection to {server}: {_words(error)}; check the address and the network")


def _verdict(error: Exception) -> str:
    cause = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error
    return getattr(cause, "verify_message", "") or str(cause)


def _words(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.strerror:
        return error.os_error.strerror
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message
    return str(error) or type(error).__name__
