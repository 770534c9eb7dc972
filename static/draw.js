// A contributor's secret: made here, kept in this browser, told to nobody before the root of the record is fixed.
(() => {
  "use strict";
  const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const place = (element) => `heyi-draw-${element.dataset.draw}-${element.dataset.contributor}`;
  const digest = async (...lines) =>
    hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""))));

  const form = document.querySelector("form[data-step]");
  document.querySelector("[data-unable]").hidden = Boolean(crypto.subtle);
  const kept = document.querySelector("[data-kept]");
  if (kept) {
    const secret = localStorage.getItem(place(kept));
    kept.hidden = !secret;
    kept.querySelector("[data-secret]").textContent = secret || "";
  }
  if (form && form.dataset.step === "reveal") {
    form.elements.secret.value = localStorage.getItem(place(form)) || "";
  }
  if (form && form.dataset.step === "commit") {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      // Kept before it is told of: a commitment whose secret is lost would void the draw.
      const secret = localStorage.getItem(place(form)) || hex(crypto.getRandomValues(new Uint8Array(32)));
      localStorage.setItem(place(form), secret);
      const { draw, contributor } = form.dataset;
      form.elements.commitment.value = await digest("heyi-draw-commitment/1", draw, contributor, secret);
      HTMLFormElement.prototype.submit.call(form);
    });
  }
})();
