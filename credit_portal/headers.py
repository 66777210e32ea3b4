"""What every answer tells the browser beside what Django and the content policy say."""

HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), "
        "gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()"
    ),
}
STAFF = ("/desk/", "/admin/")


def headers(get_response):
    """Pages may use no sensor and be part of no other site; those of staff are kept nowhere."""

    def middleware(request):
        response = get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.path.startswith(STAFF):
            response["Cache-Control"] = "no-store, private"
        return response

    return middleware
