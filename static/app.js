// Every page works without this file. It saves round trips, keeps what is typed, and counts.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  document.documentElement.classList.add("has-script");

  // An open <details> stays open when its part is drawn anew.
  htmx.registerExtension("panel", {
    htmx_before_morph_attr: (element, detail) => !(element.localName === "details" && detail.attrName === "open"),
  });

  // Forms of live parts: sent by themselves, answered in their own message slot; nothing typed is lost.
  const send = async (form, event) => {
    if (form.getAttribute("aria-busy") === "true") return;
    const slot = form.querySelector("[data-message]");
    form.setAttribute("aria-busy", "true");
    try {
      await htmx.ajax("POST", form.action, { source: form, event, target: slot, swap: "innerHTML" });
      // The part is drawn anew at once, and its slot with it; what was answered stays outside the parts.
      const receipt = document.getElementById("receipt");
      if (receipt) receipt.replaceChildren(...slot.cloneNode(true).childNodes);
    } finally {
      form.removeAttribute("aria-busy");
    }
  };
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-live]");
    if (!form || !form.querySelector("[data-message]")) return;
    event.preventDefault();
    send(form, event);
  });
  document.addEventListener("htmx:config:request", (event) => {
    const csrf = document.querySelector("input[name=csrf]");
    if (csrf) event.detail.ctx.request.headers["X-CSRF-Token"] = csrf.value;
  });
  // What was sent may be sent again only with a new key; what was refused keeps its text.
  document.addEventListener("panel:changed", (event) => {
    const form = event.target.closest ? event.target.closest("form[data-live]") : null;
    if (form) form.reset();
  });
  // Before a grave act somebody confirms who they are: the same form is sent as a page of its own, which asks.
  document.addEventListener("htmx:response:error", (event) => {
    const form = event.target.closest ? event.target.closest("form[data-live]") : null;
    if (form && event.detail.ctx.response.headers.has("Panel-Proof")) HTMLFormElement.prototype.submit.call(form);
  });
  const unsent = () => document.querySelector("[data-words-unsent]").dataset.wordsUnsent;
  document.addEventListener("htmx:error", (event) => {
    const form = event.target.closest ? event.target.closest("form[data-live]") : null;
    const slot = form && form.querySelector("[data-message]");
    if (slot) slot.textContent = unsent();
  });

  // Drafts save themselves 1.5 s after the last key, 2.5 s after the first that is not saved, on leaving a field and the page.
  const PAUSE = 1500;
  const LONGEST = 2500; // who types without a pause loses no more than that either
  const PATIENCE = 15000; // a connection that swallows in silence is given up, or nothing would ever be saved again
  const KEPT_ALIVE = 60000; // bytes: what is larger a browser refuses to send on after the page has gone
  const autosave = (form) => {
    let timer = 0;
    let dirty = false;
    let saving = false;
    let held = null;
    let lost = "";
    const told = form.querySelector("[data-saved]");
    const save = async () => {
      clearTimeout(timer);
      if (!dirty || saving) return;
      // What was sent and not answered may have been saved: sent again as it was, it conflicts with nothing.
      const sent = lost || new URLSearchParams(new FormData(form)).toString();
      dirty = sent === lost;
      saving = true;
      try {
        const answer = await fetch(form.dataset.autosave, {
          method: "POST", body: new URLSearchParams(sent), keepalive: sent.length < KEPT_ALIVE,
          headers: { Accept: "application/json" }, credentials: "same-origin", signal: AbortSignal.timeout?.(PATIENCE),
        });
        if (answer.status >= 500) throw new Error(String(answer.status));
        lost = "";
        // An answer that is no JSON is a page of its own (the sign-in is over): the button leads to it, with the text.
        const said = await answer.json().catch(() => ({ message: unsent() }));
        if (answer.ok) {
          form.dataset.revision = said.revision;
          form.elements.revision.value = said.revision;
          if (told) told.textContent = told.dataset.words.replace("%", said.at);
        } else {
          dirty = false;
          if (told) told.textContent = said.message;
        }
      } catch {
        dirty = true;
        lost = sent;
        if (told) told.textContent = unsent();
        timer = setTimeout(save, 2 * PAUSE);
        return;
      } finally {
        saving = false;
      }
      if (dirty) timer = setTimeout(save, held ? 0 : PAUSE / 3);
      else if (held) form.requestSubmit(held.submitter);
    };
    let since = 0;
    form.addEventListener("input", () => {
      if (!dirty) since = Date.now();
      dirty = true;
      clearTimeout(timer);
      timer = setTimeout(save, Math.max(0, Math.min(PAUSE, since + LONGEST - Date.now())));
    });
    form.addEventListener("focusout", save);
    // The page is left only once everything on it is saved: a connection that breaks takes nothing with it. And a save
    // under way brings the revision that this form has to carry: sent before it, the form would conflict with itself.
    form.addEventListener("submit", (event) => {
      held = saving || dirty ? event : null;
      if (!held) return;
      event.preventDefault();
      save();
    });
    document.addEventListener("visibilitychange", save);
  };
  all("form[data-autosave]").forEach(autosave);

  const count = (area) => {
    const told = document.querySelector(`#${CSS.escape(area.id)}-count [data-used]`);
    if (told) told.textContent = area.value.length;
  };
  document.addEventListener("input", (event) => {
    if (event.target.matches("textarea[data-count]")) count(event.target);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
    const opener = event.target.closest("[data-opens]");
    const dialog = opener && document.getElementById(opener.dataset.opens);
    if (dialog) dialog.showModal();
  });
})();
