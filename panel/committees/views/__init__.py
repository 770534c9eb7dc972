"""Pages and forms of committees: which there are, their seats, and the roster from which they are formed."""

from panel.committees.views import lists, overview, roster, seats

routes = [*seats.routes, *overview.routes, *roster.routes, *lists.routes]
