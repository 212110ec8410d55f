"""Why no connection came about, in the words of who must mend it."""

import socket
import ssl
from collections.abc import Iterator

import httpx

from connectors.errors import TransientError

#: X509_V_ERR_CERT_NOT_YET_VALID, _CERT_HAS_EXPIRED, _HOSTNAME_MISMATCH and _IP_ADDRESS_MISMATCH
_NOT_YET, _EXPIRED, _OTHER_HOST = 9, 10, (62, 64)  #: (x509_vfy.h)


def is_certificate_refused(error: BaseException) -> bool:
    """Whether we did not trust the server; nothing that a second try would change."""
    return any(isinstance(one, ssl.SSLCertVerificationError) for one in _causes(error))


def unreachable(origin: str, error: httpx.TransportError) -> TransientError:
    """What to tell of a connection that failed before anything was sent."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _untrusted(origin, cause)
        if isinstance(cause, ssl.SSLError):
            return TransientError(
                f"{origin} speaks no TLS that we accept",
                remedy="check the address and its port; TLS 1.2 or newer is needed",
            )
        if isinstance(cause, socket.gaierror):
            return TransientError(
                f"the name of {origin} is not found",
                remedy="check the address for a misspelling, and this machine's DNS",
            )
        if isinstance(cause, ConnectionRefusedError):
            return TransientError(
                f"{origin} refuses the connection: nothing listens there",
                remedy="check the port, and whether the system is up",
            )
        if isinstance(cause, TimeoutError | httpx.TimeoutException):
            return TransientError(
                f"{origin} did not answer in time",
                remedy="check the address, and that the firewall lets this machine out to it",
            )
    return TransientError(f"{origin} cannot be reached", remedy="check the address and the network")


def _untrusted(origin: str, error: ssl.SSLCertVerificationError) -> TransientError:
    if error.verify_code in _OTHER_HOST:
        return TransientError(
            f"the certificate of {origin} was issued for another host",
            remedy="use the address that the certificate names",
        )
    if error.verify_code == _EXPIRED:
        return TransientError(
            f"the certificate of {origin} has expired",
            remedy="have it renewed, and check this machine's clock",
        )
    if error.verify_code == _NOT_YET:
        return TransientError(
            f"the certificate of {origin} is not valid yet",
            remedy="check this machine's clock, which may be behind",
        )
    return TransientError(
        f"the certificate of {origin} is not trusted",
        remedy="name the PEM file of the authority that issued it in the instance's ca_file",
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
