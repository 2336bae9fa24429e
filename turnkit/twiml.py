"""The TwiML that connects a telephone call to us (twilio.com/docs/voice/twiml/stream). Pure."""

from xml.etree import ElementTree as ET


def connect(url: str) -> bytes:
    """Tell Twilio to stream the call both ways to `url`."""
    response = ET.Element("Response")
    ET.SubElement(ET.SubElement(response, "Connect"), "Stream", url=url)
    return _xml(response)


def reject() -> bytes:
    """Tell Twilio that the line is busy."""
    response = ET.Element("Response")
    ET.SubElement(response, "Reject", reason="busy")
    return _xml(response)


def stream_url(public_url: str | None, called_url: str) -> str:
    """Return where Twilio shall connect: `/twilio` at the public URL, or beside what it called."""
    base = public_url or called_url.partition("?")[0].removesuffix("/twiml")
    scheme, _, rest = base.partition("://")
    secure = scheme in ("https", "wss")
    return f"{'wss' if secure else 'ws'}://{rest.rstrip('/')}/twilio"


def _xml(root: ET.Element) -> bytes:
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
