"""Pages and forms of the accounts: signing in and out, language, devices, password, the demo's start page."""

from panel.accounts.views import demo, devices, sign_in

routes = [*sign_in.routes, *devices.routes, *demo.routes]
