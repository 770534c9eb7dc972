// The ballot's sheet. Without this script it is a plain form; with it, a member whose answer stays out learns the truth.
(() => {
  "use strict";
  const form = document.querySelector("form[data-ballot]");
  const told = document.querySelector("[data-ballot-state]");
  if (!form || !told) return;
  const button = form.querySelector("button[type=submit]");
  const label = button.querySelector("span");
  const words = label.textContent;
  const note = form.querySelector("[data-message]");
  const PATIENCE = 5000;
  const AGAIN = 3000;
  const LONGEST = 30000; // a connection that swallows in silence is given up
  let timer = 0;
  let underWay = false;
  let absent = 0;
  let asking = false;
  let touched = false;

  const received = async () => {
    const answer = await fetch(told.dataset.state, { cache: "no-store", credentials: "same-origin" });
    // Who may no longer ask, or asks after the end, is told by the sheet itself; any other error is no answer.
    if ([401, 403, 404].includes(answer.status)) return true;
    const mark = answer.ok ? answer.headers.get("Panel-Ballot") : null;
    if (!mark) throw new Error(String(answer.status));
    return mark !== "none" && mark !== told.dataset.mark;
  };

  const ready = () => {
    clearTimeout(timer);
    button.removeAttribute("aria-busy");
    label.textContent = words;
  };

  // A server may still be at work on what a broken connection brought it: only twice told is "not received" believed.
  const ask = async () => {
    clearTimeout(timer);
    asking = true;
    if (label.textContent !== button.dataset.waiting) label.textContent = button.dataset.waiting;
    try {
      if (await received()) {
        location.assign(told.dataset.sheet);
        return;
      }
      absent += 1;
      if (absent >= 2 && !underWay) {
        ready();
        note.textContent = form.dataset.notReceived;
        return;
      }
    } catch {
      absent = 0; // no connection, or no answer: ask again
    } finally {
      asking = false;
    }
    timer = setTimeout(ask, AGAIN);
  };

  // Sent from here, so that a connection that breaks leaves the sheet as it is, with what was chosen and typed.
  const send = async () => {
    underWay = true;
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin",
        signal: AbortSignal.timeout?.(LONGEST),
      });
      if (answer.ok) location.assign(answer.url);
      else HTMLFormElement.prototype.submit.call(form); // a refusal is a page of its own
    } catch {
      underWay = false;
      absent = 0;
      if (!asking) ask();
    }
  };

  form.addEventListener("input", () => {
    touched = true;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    label.textContent = button.dataset.busy;
    note.textContent = "";
    absent = 0;
    timer = setTimeout(ask, PATIENCE);
    send();
  });

  // Coming back to the page: nothing stays chosen, and nothing is sent twice.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
    // A page that is slow to load may have been filled in already: that stays.
    else if (!touched) form.reset();
  });
})();
