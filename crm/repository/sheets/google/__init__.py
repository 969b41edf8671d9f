"""Google's service: HTTP, rate limit, credentials, errors."""
