"""Pages and forms of committees: their seats, and the roster from which they are formed."""

from panel.committees.views import roster, seats

routes = [*seats.routes, *roster.routes]
