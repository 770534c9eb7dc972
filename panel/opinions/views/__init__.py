"""The editor of an opinion, and the page of a closed round."""

from panel.opinions.views import closed, editor

routes = [*closed.routes, *editor.routes]
