"""The Content Security Policy of the pages: they run their own script and load nothing from elsewhere.

Names of files and people are escaped in the pages. The policy holds where an escape is forgotten.
"""

import base64
import hashlib
from importlib.resources import files

NOTHING = "'none'"
EMBEDDED = "data:"  # pictures inside the page
BESIDE = "'self' file: blob: data:"  # also files beside the page, and those that a person chooses


def content_policy(script: str = "", pictures: str = EMBEDDED, media: str = NOTHING) -> str:
    """Return the policy of a page.

    Args:
        script: text of the only script that may run; empty: none may.
        pictures: sources of pictures.
        media: sources of videos.
    """
    script_source = f"'sha256-{_digest(script)}'" if script else NOTHING
    directives = {
        "default-src": NOTHING,
        "script-src": script_source,
        "style-src": "'unsafe-inline'",  # figures have the attribute `style`
        "img-src": pictures,
        "media-src": media,
        "connect-src": NOTHING,
        "base-uri": NOTHING,
        "form-action": NOTHING,
    }
    return "; ".join(f"{name} {source}" for name, source in directives.items())


def script_text(name: str) -> str:
    """Return a script of the folder of templates."""
    file = files("learnet.report") / "templates" / f"{name}.js"
    return file.read_text(encoding="utf-8")


def _digest(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return base64.b64encode(digest).decode()
