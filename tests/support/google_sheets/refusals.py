"""Error answers of the service."""

from typing import Any

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
}
NO_PERMISSION = "The caller does not have permission"
UNKNOWN_TOKEN = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


class Refusal(Exception):
    """A reply with an error in it: `body` is the JSON that goes out."""

    def __init__(self, code: int, body: dict[str, Any]) -> None:
        super().__init__(str(body))
        self.code = code
        self.body = body


class Invalid(Exception):
    """Something asked for makes no sense; who knows where it stands in the request puts that before it."""


def refusal(code: int, message: str, details: list[dict[str, Any]] | None = None, status: str = "") -> Refusal:
    """An error as the Sheets API tells it."""
    error: dict[str, Any] = {"code": code, "message": message, "status": status or STATUSES[code]}
    if details:
        error["details"] = details
    return Refusal(code, {"error": error})


def violation(field: str, description: str) -> Refusal:
    """A request that does not fit the description of the service."""
    place = {"field": field, "description": description} if field else {"description": description}
    bad = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [place]}
    return refusal(400, description, [bad])


def drive_refusal(code: int, reason: str, message: str, location: str = "", kind: str = "parameter") -> Refusal:
    """An error as the Drive API tells it: with a list of errors, and no status."""
    one = {"message": message, "domain": "global", "reason": reason}
    if location:
        one |= {"location": location, "locationType": kind}
    return Refusal(code, {"error": {"code": code, "message": message, "errors": [one]}})


def disabled(title: str, service: str, project: str) -> Refusal:
    """An API that is not switched on in the project of the account."""
    address = f"https://console.developers.google.com/apis/api/{service}/overview?project={project}"
    message = (
        f"{title} has not been used in project {project} before or it is disabled. Enable it by visiting {address} "
        "then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems "
        "and retry."
    )
    reason = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
        "metadata": {
            "service": service,
            "consumer": f"projects/{project}",
            "serviceTitle": title,
            "activationUrl": address,
            "containerInfo": project,
        },
    }
    return refusal(403, message, [reason])
