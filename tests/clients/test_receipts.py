"""The receipt of a check, fetched and proved through the client."""

from tests.builders import liaison, published_black


def test_a_receipt_proves_what_was_asked_and_nothing_else(client_of):
    entry = published_black()
    client = client_of(liaison("czj"), "check")
    asked = {"code": entry.subject.code}
    check = client.check(asked, purpose="招标", reference="ZB-3")
    receipt = client.receipt(check["id"])
    verdict = client.verify_receipt(receipt)
    assert verdict["genuine"]
    assert (verdict["unit"]["code"], verdict["subjects"]) == ("czj", 1)
    assert verdict["query_matches"] is None
    assert client.verify_receipt(receipt, query=asked)["query_matches"] is True
    other = {"code": "91110000600037341L"}
    assert client.verify_receipt(receipt, query=other)["query_matches"] is False
    receipt["receipt"]["subjects"][0]["outcome"] = "clear"
    assert client.verify_receipt(receipt) == {"genuine": False}
