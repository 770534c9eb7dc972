// The ballot's sheet. Without this script it is a plain form; with it, a member whose answer stays out learns the truth.
(() => {
  "use strict";
  const form = document.querySelector("form[data-ballot]");
  const told = document.querySelector("[data-ballot-state]");
  if (!form || !told) return;
  const button = form.querySelector("button[type=submit]");
  const label = button.querySelector("span");
  const words = label.textContent;
  const PATIENCE = 5000;
  const AGAIN = 3000;
  let timer = 0;

  const received = async () => {
    const answer = await fetch(told.dataset.state, { cache: "no-store", credentials: "same-origin" });
    const mark = answer.ok ? answer.headers.get("Panel-Ballot") : null;
    return mark && mark !== "none" && mark !== told.dataset.mark;
  };

  const ask = async () => {
    label.textContent = button.dataset.waiting;
    try {
      if (await received()) {
        location.assign(told.dataset.sheet);
        return;
      }
    } catch {
      // no connection: ask again
    }
    timer = setTimeout(ask, AGAIN);
  };

  form.addEventListener("submit", (event) => {
    if (button.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      return;
    }
    button.setAttribute("aria-busy", "true");
    label.textContent = button.dataset.busy;
    timer = setTimeout(ask, PATIENCE);
  });

  // Coming back to the page: nothing stays chosen, and nothing is sent twice.
  window.addEventListener("pageshow", (event) => {
    clearTimeout(timer);
    button.removeAttribute("aria-busy");
    label.textContent = words;
    if (event.persisted) location.reload();
    else form.reset();
  });
})();
