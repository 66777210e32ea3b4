"""A bank at work with the portal: its copy in step, its counter, its pushes, its webhooks.

Beside a running portal (`make run`) with demonstration data, make a key for the demo bank and
start the bank with it, until Ctrl-C; with `--once` for one round:

    .venv/bin/python manage.py create_api_key --department bank-demo --officer bank-liaison \\
        --scopes read check feedback manage
    PYTHONPATH=clients/python .venv/bin/python clients/python/examples/bank.py --key KEY

To take webhooks as well, start the portal with WEBHOOK_ALLOWED_NETWORKS=127.0.0.0/8 and the bank
with `--listen 9000`. The first time it registers its address and prints the secret; from then on
give it as `--secret whsec_…`.
"""

import argparse
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from credit_portal_client import Client, Copy, ForgedError, UnreachableError, verify
from credit_portal_client.local_copy import today

LARGEST = 1_000_000  # bytes of a webhook
NEWS = (
    "listing.published",
    "listing.corrected",
    "listing.withdrawn",
    "listing.repaired",
    "listing.expired",
    "push.created",
)


class Bank:
    """What the bank does with the portal; `path` is the file of its copy."""

    def __init__(self, client, path):
        self.client = client
        self.path = path
        self.bell = threading.Event()  # rung when a webhook says that there is news

    def counter(self, code, reference):
        """Answer the clerk about a customer, and tell the portal what became of each hit.

        The check is what counts: it is logged, and the bank can prove it. Where the portal can't
        be reached the copy answers, as far as it has come.
        """
        try:
            check = self.client.check({"code": code}, purpose="贷款审批", reference=reference)
        except UnreachableError:
            copy = Copy(self.path)
            print(f"{code}: the copy says", [told(entry) for entry in copy.of_code(code)])
            copy.close()
            return
        result = check["results"][0]
        print(f"{code}: {result['outcome']}", [told(entry) for entry in result["listings"]])
        for entry in result["listings"]:
            self.client.answer_hit(
                check["id"],
                listing=entry["id"],
                handling="applied" if entry["measures"] else "other",
                measures=[measure["code"] for measure in entry["measures"]],
                result="已按本行制度办理",
            )

    def pushes(self):
        """Acknowledge what was put before the bank, and answer each measure."""
        for push in self.client.pushes("open"):
            self.client.acknowledge(push["id"], once=f"acknowledge-{push['id']}")
        for push in self.client.pushes("acknowledged"):
            outcome = "lifted" if push["kind"] == "lift" else "applied"
            applied = {"applied_on": today()} if outcome == "applied" else {}
            answers = [
                {"code": measure["code"], "outcome": outcome, **applied}
                for measure in push["measures"]
            ]
            self.client.answer_push(push["id"], answers, once=f"answer-{push['id']}")
            print(f"push {push['id']}: {push['kind']}, {len(answers)} measures {outcome}")


def told(entry):
    return f"{entry['list']} {entry['category']['name']} until {entry['visible_until']}"


def registered(client, port):
    """Have the portal send its webhooks here; returns the secret, which it tells only once."""
    told = client.post("/endpoints/", {"url": f"http://127.0.0.1:{port}/", "events": NEWS})
    print(f"registered; next time: --listen {port} --secret {told['secret']}")
    return told["secret"]


def listener(port, secret, bell):
    """A server that takes the portal's webhooks and rings the bell; everything else is a 400.

    It does no work itself: what came twice or out of order does no harm, the feed has the truth.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(min(length, LARGEST))
            try:
                delivery = verify(secret, self.headers, body)
            except ForgedError as reason:
                print(f"refused: {reason}")
                self.send_response(400)
            else:
                print(f"webhook {delivery.id}: {delivery.event.get('type')}")
                bell.set()
                self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main(arguments=None):
    asked = parser().parse_args(arguments)
    with Client(asked.portal, asked.key) as client:
        bank = Bank(client, asked.copy)
        if asked.listen:
            listener(asked.listen, asked.secret or registered(client, asked.listen), bank.bell)
        copy = Copy(bank.path, client)
        copy.ensure()
        print(f"{len(copy)} entries in force, in step at change {copy.position.seq}")
        firms = (entry["subject"]["code"] for entry in copy if entry["list"] == "black")
        code = asked.code or next(filter(None, firms), None)
        if code:
            bank.counter(code, f"示例-{uuid.uuid4()}")
        for came in copy.follow(bell=bank.bell):
            bank.pushes()
            if came:
                print(f"{came} changes; {len(copy)} entries in force")
            if asked.once:
                break
        copy.close()


def parser():
    reader = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    reader.add_argument("--portal", default="http://127.0.0.1:8000")
    reader.add_argument("--key", required=True)
    reader.add_argument("--copy", default="bank.db", help="the file of the copy")
    reader.add_argument("--code", help="a customer; without it the first firm on the black list")
    reader.add_argument("--listen", type=int, metavar="PORT", help="take webhooks there")
    reader.add_argument("--secret", help="of the endpoint, whsec_…; without it a new one is made")
    reader.add_argument("--once", action="store_true", help="end after one round")
    return reader


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("stopped")
