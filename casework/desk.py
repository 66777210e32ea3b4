"""What the desks of all matters show alike."""


def timeline(events, titles):
    """A journal as steps for the page, newest first; `titles` says in words what each action was.

    Takes lines of several matters too, if they are told apart by their actions.
    """
    lines = sorted(events, key=lambda event: event.pk, reverse=True)
    return [
        {
            "at": event.at,
            "by": event.by_label,
            "title": titles.get(event.action, event.action),
            "text": "　".join(filter(None, [event.note, event.private_note])),
            "state": "done" if index else "now",
        }
        for index, event in enumerate(lines)
    ]


def given(request):
    """What was posted, for a form to be bound to; None where the page is only looked at."""
    return request.POST if request.method == "POST" else None
