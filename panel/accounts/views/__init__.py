"""Pages and forms of the accounts: the first run, signing in and out, devices, password, administration, the demo."""

from panel.accounts.views import (
    administration,
    demo,
    devices,
    factors,
    health,
    links,
    passkeys,
    people,
    rehearsal,
    set_up,
    sign_in,
)

routes = [
    *sign_in.routes,
    *devices.routes,
    *set_up.routes,
    *administration.routes,
    *health.routes,
    *people.routes,
    *factors.routes,
    *passkeys.routes,
    *links.routes,
    *rehearsal.routes,
    *demo.routes,
]
