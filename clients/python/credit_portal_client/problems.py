"""What can go wrong between a program and the portal, as exceptions."""

from typing import Any


class PortalError(Exception):
    """Anything that kept the portal from doing what was asked.

    `retry_after` is in how many seconds to ask again, where the portal said so.
    """

    retry_after: float | None = None


class UnreachableError(PortalError):
    """No answer for as long as the client was told to be patient. A POST may have acted."""


class OutOfStepError(PortalError):
    """The portal's feed does not go on where the local copy stands."""


class MovedOnError(PortalError):
    """The portal had changed each time the copy had caught up: prove it in a calmer moment."""


class ForgedError(PortalError):
    """A webhook that the portal did not sign, or not lately."""


class Problem(PortalError):  # noqa: N818  RFC 9457 calls it so
    """A refusal as the portal words it (RFC 9457).

    `status` is the HTTP status, `code` the machine's word for the reason, `errors` maps dotted
    paths of fields to their messages, `request_id` is what to name to the portal's operator.
    """

    def __init__(
        self,
        status: int,
        body: dict[str, Any],
        *,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        self.code: str = body.get("code", "")
        self.title: str = body.get("title", "")
        self.detail: str = body.get("detail", "")
        self.errors: dict[str, list[str]] = body.get("errors", {})
        self.request_id = request_id
        self.retry_after = retry_after
        super().__init__(f"{status} {self.code}: {self.detail} {self.errors or ''}".rstrip())


class InvalidError(Problem):
    """400, 422: the input; `errors` names each field."""


class NotAllowedError(Problem):
    """401, 403: no valid key, not its scope, or the same officer twice."""


class NotFoundError(Problem):
    """404: there is no such thing, or it is not yours."""


class ConflictError(Problem):
    """409: impossible in this state."""


class StaleError(Problem):
    """412: it changed since you read it."""


KINDS: dict[int, type[Problem]] = {
    400: InvalidError,
    401: NotAllowedError,
    403: NotAllowedError,
    404: NotFoundError,
    409: ConflictError,
    412: StaleError,
    422: InvalidError,
}
