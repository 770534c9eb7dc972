// The live page. A signal only says that there is a newer revision; what it is comes from one address, so that
// reconnecting, polling and live updating are the same request.
(() => {
  "use strict";
  const root = document.querySelector("[data-hearing]");
  if (!root) return;
  const { hearing, audience, zone } = root.dataset;
  const quiet = audience === "observer" || audience === "projector";
  const POLL = quiet ? 10000 : 5000;
  let revision = Number(root.dataset.revision);
  let busy = false;
  let again = false;
  let own = false;
  let online = false;
  let restarting = false;

  // ---- changes: one request at a time; whatever comes meanwhile is one more request afterwards.
  const fetchChanges = async (wantsOwn = false) => {
    own ||= wantsOwn;
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    const path = `/hearings/${hearing}/changes?since=${revision}${own ? "&own=1" : ""}`;
    own = false;
    try {
      await htmx.ajax("GET", path, { source: root, swap: "none", selectOOB: "[data-part]:outerMorph" });
    } finally {
      busy = false;
      if (again) {
        again = false;
        fetchChanges();
      }
    }
  };
  const band = document.getElementById("read-only");
  document.addEventListener("htmx:before:response", (event) => {
    const { request, response } = event.detail.ctx;
    const told = response.headers.get("Panel-Revision");
    if (told === null || !String(request.action).includes("/changes")) return;
    if (band) band.dataset.trouble = response.headers.get("Panel-Trouble") || "";
    // An answer that is older than what is shown is dropped.
    if (Number(told) < revision) event.preventDefault();
    else revision = Number(told);
    serverTime(response.headers.get("Date"));
  });
  document.addEventListener("panel:changed", () => fetchChanges(true));
  root.addEventListener("htmx:response:error", (event) => {
    const { status } = event.detail.ctx.response;
    if (event.target === root && [401, 403, 404, 410].includes(status)) location.reload();
  });

  // ---- connection strip
  const strip = document.getElementById("connection");
  const show = (state) => {
    if (!strip || strip.dataset.state === state) return;
    strip.dataset.state = state;
    const since = strip.querySelector("[data-since]");
    if (since) since.textContent = new Date().toLocaleTimeString("en-GB", { timeZone: zone });
  };
  const socket = io({
    transports: ["websocket"], reconnectionDelay: 500, reconnectionDelayMax: quiet ? 30000 : 5000, randomizationFactor: 0.7,
  });
  socket.on("connect", () => {
    online = true;
    restarting = false;
    show("online");
    socket.emit("join", { hearing });
    fetchChanges(true);
  });
  socket.on("presence", (signal) => {
    if (signal.hearing === hearing) fetchChanges(true);
  });
  socket.on("revision", (signal) => {
    if (signal.hearing === hearing && signal.revision > revision) fetchChanges();
  });
  socket.on("mode", () => fetchChanges(true));
  socket.on("restart", () => {
    restarting = true;
    show("restarting");
  });
  const lost = () => {
    online = false;
    show(!navigator.onLine ? "offline" : restarting ? "restarting" : "reconnecting");
  };
  socket.on("disconnect", (reason) => {
    lost();
    // Closed by the server: the sign-in or the seat may be gone. The page itself tells.
    if (reason === "io server disconnect") fetchChanges(true).then(() => setTimeout(() => socket.connect(), 1000));
  });
  socket.on("connect_error", lost);
  // A proxy may take a socket and shut it without a word: then the library is silent for long, the strip must not be.
  setTimeout(() => online || lost(), 3000);
  window.addEventListener("offline", lost);
  window.addEventListener("online", () => fetchChanges(true));
  // A phone that slept, or a page brought back, may have missed everything.
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && fetchChanges(true));
  setInterval(() => {
    if (!online && document.visibilityState === "visible") fetchChanges(true);
  }, POLL + Math.random() * 1000);
  setInterval(() => online && socket.emit("ping"), 60000);

  // ---- what is polled by a timer: the chair's turnout. The chair votes last: their ballot waits for who is missing.
  let asked = 0;
  setInterval(async () => {
    const part = root.querySelector("[data-poll]");
    if (!part || Date.now() - asked < Number(part.dataset.every || 10) * 1000) return;
    asked = Date.now();
    const { waiting } = part.dataset;
    await htmx.ajax("GET", part.dataset.poll, { source: part, target: part, swap: "outerHTML" });
    const told = root.querySelector("[data-poll]");
    if (told && told.dataset.waiting !== waiting) fetchChanges(true);
  }, 1000);

  // ---- clocks: the server tells how long a turn had lasted at a moment; from there it is counted here.
  let offset = 0;
  const serverTime = (date) => {
    if (date) offset = Date.parse(date) - Date.now();
  };
  const mark = (seconds) => `${seconds < 0 ? "-" : ""}${String(Math.floor(Math.abs(seconds) / 60)).padStart(2, "0")}:${String(Math.abs(seconds) % 60).padStart(2, "0")}`;
  const warned = new Set();
  const tick = () => {
    for (const timer of root.querySelectorAll("[data-timer]")) {
      const { seconds, since, running, warn } = timer.dataset;
      const lasted = running === "true" && since ? (Date.now() + offset - Date.parse(since)) / 1000 : 0;
      const used = Number(timer.dataset.used) + Math.max(0, lasted);
      const left = Math.round(Number(seconds) - used);
      const clock = timer.querySelector("[data-clock]");
      if (clock && clock.textContent !== mark(left)) clock.textContent = mark(left);
      const bar = timer.querySelector("progress");
      if (bar) bar.value = Math.min(used, Number(seconds));
      timer.classList.toggle("is-over", left < 0);
      timer.classList.toggle("is-short", left >= 0 && left <= Number(warn));
      const key = `${since}:${seconds}`;
      if (running === "true" && left <= Number(warn) && left > 0 && !warned.has(key)) {
        warned.add(key);
        say("assertive", clock ? clock.textContent : "");
      }
    }
  };
  setInterval(tick, 250);

  // ---- announcements for those who listen to the page
  const say = (region, words) => {
    const place = document.getElementById(region);
    if (place) place.textContent = words;
  };
  const announced = new Set([...document.querySelectorAll("[data-announce]")].map((each) => each.dataset.announce));
  document.addEventListener("htmx:after:swap", () => {
    for (const each of root.querySelectorAll("[data-announce]")) {
      if (!announced.has(each.dataset.announce)) {
        announced.add(each.dataset.announce);
        say("polite", each.dataset.announce);
      }
    }
  });

  // ---- the chair's keyboard; may be turned off (WCAG 2.1.4)
  const places = { p: "part-minutes", v: "own-motions", q: "part-attendance" };
  const off = document.querySelector("[data-keys-off]");
  const silent = () => localStorage.getItem("keys-off") === "1";
  if (off) {
    off.checked = silent();
    off.addEventListener("change", () => localStorage.setItem("keys-off", off.checked ? "1" : ""));
  }
  const reach = (control) => {
    for (let each = control.closest("details"); each; each = each.parentElement.closest("details")) each.open = true;
    control.scrollIntoView({ block: "center" });
    control.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (audience !== "chair" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (event.key === "Escape" && typing) typing.blur();
    if (typing || silent() || document.querySelector("dialog[open]")) return;
    const keys = document.getElementById("keys");
    if (event.key === "?" && keys) {
      event.preventDefault();
      keys.showModal();
      return;
    }
    const place = places[event.key] && document.getElementById(places[event.key]);
    if (place) place.scrollIntoView({ block: "start" });
    const button = root.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!button) return;
    event.preventDefault();
    // What changes the course of the hearing is only gone to; Enter does it.
    if (!("keyFocus" in button.dataset)) button.click();
    else reach(button);
  });
})();
