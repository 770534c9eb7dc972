"""What the forms of this area bring."""

from typing import Literal

from panel.core.forms import Form


class HandOutForm(Form):
    """For whom a case's bundle is made. The full record has what is sealed from everybody: by command only."""

    audience: Literal["public", "party", "panel"]
